"""Our side towards the host's VNC server: from its version to our ClientInit."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from pharmq.base.secret import Secret
from pharmq.rfb.des import vnc_response
from pharmq.rfb.errors import RfbError

HostStage: TypeAlias = Literal["version", "security", "challenge", "result", "done"]

_NONE, _VNC_AUTH = 1, 2
_REASON_LIMIT = 4096


class RfbClientHandshake:
    """Feed it the host's bytes; send what ``feed`` returns. Once ``done``, ``rest`` holds what came after the
    handshake (the beginning of ServerInit, possibly nothing): it belongs to the viewer.

    ClientInit always says "shared": a session that does not closes everybody else's. Raises RfbError.
    """

    def __init__(self, password: Secret) -> None:
        self._password = password
        self._buffer = bytearray()
        self._minor = 8
        self._step: Callable[[], bytes | None] = self._version
        self.stage: HostStage = "version"
        self.heard = False
        """At least one byte came: a console that stays without is a different failure than one that refuses."""

    @property
    def done(self) -> bool:
        return self.stage == "done"

    @property
    def rest(self) -> bytes:
        return bytes(self._buffer) if self.done else b""

    def feed(self, data: bytes) -> bytes:
        self._buffer += data
        self.heard = self.heard or bool(data)
        out = b""
        while not self.done:
            step = self._step()
            if step is None:
                break
            out += step
        return out

    def _take(self, size: int) -> bytes | None:
        if len(self._buffer) < size:
            return None
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _next(self, stage: HostStage, step: Callable[[], bytes | None]) -> None:
        self.stage, self._step = stage, step

    def _version(self) -> bytes | None:
        if not b"RFB ".startswith(self._buffer[:4]):
            raise RfbError("not_rfb", repr(bytes(self._buffer[:12])))
        line = self._take(12)
        if line is None:
            return None
        digits = line[4:7] + line[8:11]
        if line[7:8] != b"." or line[11:12] != b"\n" or not digits.isdigit() or int(digits[:3]) != 3:
            raise RfbError("not_rfb", repr(line))
        offered = int(line[8:11])
        # Only 3.3, 3.7 and 3.8 exist; anything between or before means 3.3, anything later speaks 3.8.
        self._minor = 8 if offered >= 8 else 7 if offered == 7 else 3
        self._next("security", self._security_33 if self._minor == 3 else self._security)
        return b"RFB 003.%03d\n" % self._minor

    def _security_33(self) -> bytes | None:
        word = self._take(4)
        if word is None:
            return None
        kind = int.from_bytes(word, "big")
        if kind == 0:
            self._next("security", lambda: self._refused("refused"))
            return b""
        return self._choose(kind, announce=False)

    def _security(self) -> bytes | None:
        if not self._buffer or len(self._buffer) < 1 + self._buffer[0]:
            return None
        count = self._buffer[0]
        kinds = bytes(self._buffer[1 : 1 + count])
        del self._buffer[: 1 + count]
        if count == 0:
            self._next("security", lambda: self._refused("refused"))
            return b""
        # The password is bound to the guest: authenticate whenever the host lets us.
        for kind in (_VNC_AUTH, _NONE):
            if kind in kinds:
                return self._choose(kind, announce=True)
        raise RfbError("security_unsupported", ", ".join(str(kind) for kind in kinds))

    def _choose(self, kind: int, *, announce: bool) -> bytes:
        if kind == _VNC_AUTH:
            self._next("challenge", self._challenge)
        elif kind == _NONE and self._minor == 8:
            self._next("result", self._result)
        elif kind == _NONE:
            return (bytes((kind,)) if announce else b"") + self._client_init()
        else:
            raise RfbError("security_unsupported", str(kind))
        return bytes((kind,)) if announce else b""

    def _challenge(self) -> bytes | None:
        challenge = self._take(16)
        if challenge is None:
            return None
        self._next("result", self._result)
        return vnc_response(self._password.reveal(), challenge)

    def _result(self) -> bytes | None:
        word = self._take(4)
        if word is None:
            return None
        if word == b"\0\0\0\0":
            return self._client_init()
        if self._minor < 8:
            raise RfbError("auth_failed")  # older versions give no text
        self._next("result", lambda: self._refused("auth_failed"))
        return b""

    def _refused(self, failure: Literal["refused", "auth_failed"]) -> bytes | None:
        if len(self._buffer) < 4:
            return None
        size = int.from_bytes(self._buffer[:4], "big")
        if size > _REASON_LIMIT:
            raise RfbError(failure, f"a reason of {size} bytes")
        if len(self._buffer) < 4 + size:
            return None
        # QEMU counts a closing NUL.
        raise RfbError(failure, self._buffer[4 : 4 + size].decode("utf-8", "replace").strip("\0\n "))

    def ended(self) -> RfbError:
        """The error for a host that closed before the handshake was done."""
        if self.stage == "result":
            return RfbError("auth_failed", "the host closed the connection")
        return RfbError("refused" if self.heard else "not_rfb", "the host closed the connection")

    def _client_init(self) -> bytes:
        self.stage = "done"
        return b"\x01"
