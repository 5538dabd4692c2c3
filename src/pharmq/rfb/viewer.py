"""Our side towards the browser's viewer: it has proved who it is already, so RFB asks it for nothing."""

from typing import Literal, TypeAlias

from pharmq.rfb.errors import RfbError

ViewerStage: TypeAlias = Literal["version", "choice", "init", "done"]


class RfbServerHandshake:
    """Send ``greeting``, feed the viewer's bytes, send what ``feed`` returns. Once ``done``, ``rest`` holds what
    came after ClientInit (the beginning of the viewer's messages). The viewer's own shared flag is ignored.

    ServerInit is the host's and must not reach the viewer before ``done``. Raises RfbError("not_rfb").
    """

    greeting = b"RFB 003.008\n"

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._minor = 8
        self.stage: ViewerStage = "version"

    @property
    def done(self) -> bool:
        return self.stage == "done"

    @property
    def rest(self) -> bytes:
        return bytes(self._buffer) if self.done else b""

    def feed(self, data: bytes) -> bytes:
        self._buffer += data
        out = b""
        while not self.done:
            step = self._step()
            if step is None:
                break
            out += step
        return out

    def _step(self) -> bytes | None:
        if self.stage == "version":
            return self._version()
        if not self._buffer:
            return None
        byte = self._buffer.pop(0)
        if self.stage == "choice":
            if byte != 1:
                raise RfbError("not_rfb", f"the viewer chose security type {byte}")
            self.stage = "init"
            return b"\0\0\0\0" if self._minor == 8 else b""
        self.stage = "done"
        return b""

    def _version(self) -> bytes | None:
        if not b"RFB 003.".startswith(self._buffer[:8]):
            raise RfbError("not_rfb", repr(bytes(self._buffer[:12])))
        if len(self._buffer) < 12:
            return None
        minor = bytes(self._buffer[8:11])
        if not minor.isdigit() or self._buffer[11] != 10:
            raise RfbError("not_rfb", repr(bytes(self._buffer[:12])))
        del self._buffer[:12]
        self._minor = 8 if int(minor) >= 8 else 7 if int(minor) == 7 else 3
        if self._minor == 3:
            self.stage = "init"
            return b"\0\0\0\x01"
        self.stage = "choice"
        return b"\x01\x01"
