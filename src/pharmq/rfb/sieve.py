"""What a viewer may send: messages are walked over in any chunking, and those it may not send are left out.

An *open* sieve changes nothing and stays as cheap as walking; a closed one drops keys, clicks, clipboard and other
acts (a viewer that only watches), or takes away encodings whose answers we could not walk over. Which of the two
can change at any time: a message's fate is decided at its first byte.
"""

from collections.abc import Callable, Collection

from pharmq.rfb.errors import RfbError
from pharmq.rfb.keepalive import message_size

INPUT_KINDS = frozenset({4, 5, 6, 255})
"""Messages that show a person at the other end: keys, pointer, clipboard, QEMU's extended keys."""
ACT_KINDS = INPUT_KINDS | {250, 251}
"""What changes something: those, power by xvp, another screen size."""
_ENCODINGS_LIMIT = 1024


class ViewerSieve:
    """``feed`` gives what may pass on to the host. ``watching``: acts are dropped; ``encodings``: only these may be
    asked for, and ``on_format`` is told the 16 bytes of a pixel format that passes.

    Where nothing is filtered an unknown message makes it ``lost`` for good (its length is unknown): bytes still pass,
    but nothing may be put in between. Where something is filtered it raises RfbError("not_rfb")."""

    def __init__(
        self,
        *,
        watching: bool = False,
        encodings: Collection[int] | None = None,
        on_format: Callable[[bytes], None] | None = None,
    ) -> None:
        self.watching = watching
        self._on_format = on_format
        self.lost = False
        self.inputs = 0
        """How many messages showed a person at the other end, dropped or not."""
        self.asked = False
        """A picture was asked for."""
        self._encodings = encodings
        self._held = b""
        self._held_sent = False
        self._skip = 0
        self._passing = True

    @property
    def at_boundary(self) -> bool:
        """True when a message may be inserted after what was let through so far."""
        return not (self.lost or self._skip or self._held)

    def feed(self, data: bytes) -> bytes:
        if not data:
            return data
        if self.lost:
            if self.watching or self._encodings is not None:
                raise RfbError("not_rfb", "messages that cannot be told apart")
            return data
        if self.watching or self._encodings is not None or (self._skip and not self._passing) or self._unsent():
            return self._filter(data)
        if not (self._skip or self._held) and message_size(data[:12]) == len(data):
            self._count(data[0])  # nearly always: one whole message
        else:
            self._walk(data)
        return data

    def _unsent(self) -> bool:
        return bool(self._held) and not self._held_sent

    def _walk(self, data: bytes) -> None:
        position, end = 0, len(data)
        if self._skip:
            position = min(self._skip, end)
            self._skip -= position
            if self._skip:
                return
        elif self._held:
            before = len(self._held)
            data = self._held + data
            end += before
            self._held = b""
        while position < end:
            size = message_size(data[position : position + 12])
            if size == "more":
                self._held, self._held_sent = data[position:], True
                return
            if size == "lost":
                self.lost = True
                return
            self._count(data[position])
            position += size
        self._skip, self._passing = position - end, True

    def _filter(self, data: bytes) -> bytes:
        out = bytearray()
        position, sent = 0, 0
        if self._skip:
            position = min(self._skip, len(data))
            self._skip -= position
            if self._passing:
                out += data[:position]
        elif self._held:
            sent = len(self._held) if self._held_sent else 0
            data = self._held + data
            self._held = b""
        while position < len(data):
            position = self._message(data, position, sent, out)
            sent = 0
        return bytes(out)

    def _message(self, data: bytes, position: int, sent: int, out: bytearray) -> int:
        """One message, or what is there of it, at ``position``; ``sent`` bytes of it have passed already."""
        kind, end = data[position], len(data)
        size = message_size(data[position : position + 12])
        if size == "lost":
            self.lost = True
            raise RfbError("not_rfb", f"message {kind}")
        if size == "more":
            self._held, self._held_sent = data[position:], bool(sent)
            out += data[position + sent :] if sent else b""
            return end
        seen_whole = kind in (0, 2) and self._encodings is not None and not sent
        if seen_whole and size > 4 + 4 * _ENCODINGS_LIMIT:
            raise RfbError("not_rfb", "too many encodings")
        if seen_whole and position + size > end:
            self._held, self._held_sent = data[position:], False
            return end
        self._count(kind)
        stop = min(position + size, end)
        self._passing = bool(sent) or not (self.watching and kind in ACT_KINDS)
        self._skip = position + size - stop
        if seen_whole and kind == 2:
            out += self._fewer(data[position:stop])
            return stop
        if seen_whole and self._on_format is not None:
            self._on_format(data[position + 4 : stop])
        if self._passing:
            out += data[position + sent : stop]
        return stop

    def _fewer(self, message: bytes) -> bytes:
        wanted = self._encodings or ()
        words = [message[at : at + 4] for at in range(4, len(message), 4)]
        kept = [word for word in words if int.from_bytes(word, "big", signed=True) in wanted]
        return b"\x02\x00" + len(kept).to_bytes(2, "big") + b"".join(kept)

    def _count(self, kind: int) -> None:
        if kind in INPUT_KINDS:
            self.inputs += 1
        elif kind == 3:
            self.asked = True
        elif kind == 0 and self.asked and self._encodings is not None:
            # Pictures under way are in the old format: nobody could tell where they end.
            raise RfbError("not_rfb", "another pixel format while pictures are under way")
