"""Reading one HTTP/1.1 reply, sans-IO: status line with its reason, headers, body by length, chunks or end."""

from typing import NamedTuple

from pharmq.pve.errors import ProtocolError

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of one answer we take: /cluster/resources of 1,000 guests is about 300 KB."""
_HEAD_LIMIT = 64 * 1024


class Reply(NamedTuple):
    """``headers`` has lower-case names; of repeated ones the last stays."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


class ReplyParser:
    """``feed`` returns the reply once it is whole, ``eof`` tells the parser that no more bytes come.

    Both raise ProtocolError: not HTTP, half a body, or more than ``limit`` bytes.
    """

    def __init__(self, limit: int = BODY_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._head: tuple[int, str, dict[str, str]] | None = None
        self._length: int | None = None
        self._chunked = False
        self._chunks: list[bytes] = []
        self._chunk_bytes = 0
        self._whole = False
        self.keeps = False
        """The host says that it will take another request on this connection."""
        self.rest = b""
        """What followed the reply's head when the connection changed its protocol (101)."""

    def feed(self, data: bytes) -> Reply | None:
        self._buffer += data
        if self._head is None and not self._read_head():
            return None
        if self._chunked:
            return self._read_chunks()
        if len(self._buffer) > self._limit:
            raise ProtocolError(f"more than {self._limit} bytes", "body")
        if self._length is not None and len(self._buffer) >= self._length:
            body = bytes(memoryview(self._buffer)[: self._length])
            self.rest = bytes(memoryview(self._buffer)[self._length :])
            return self._reply(body)
        return None

    def eof(self) -> Reply | None:
        """The reply if the end of the connection completes it; None if nothing at all had come."""
        if self._whole or (self._head is None and not self._buffer):
            return None
        if self._head is None:
            raise ProtocolError("the connection ended inside the head", "head")
        if self._length is not None or self._chunked:
            raise ProtocolError("the connection ended inside the body", "body")
        return self._reply(bytes(self._buffer))

    def _reply(self, body: bytes) -> Reply:
        assert self._head is not None
        self._whole = True
        return Reply(*self._head, body)

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT or not b"HTTP/1.".startswith(self._buffer[:7]):
                raise ProtocolError("not an HTTP answer", "head")
            return False
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        status, reason = _status_line(lines[0])
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise ProtocolError("a header line without a colon", "head")
            name, value = name.strip().lower(), value.strip()
            # Protected paths send two: "close", which is not meant, and "Keep-Alive". One that closes sends just that.
            self.keeps |= name == "connection" and value.lower() == "keep-alive"
            headers[name] = value
        self._head = (status, reason, headers)
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = headers.get("content-length")
        if status in (101, 204, 304):
            self._length = 0
        elif length is not None and not self._chunked:
            if not length.isdecimal() or len(length) > 15:
                raise ProtocolError("Content-Length is not a number", "head")
            self._length = int(length)
            if self._length > self._limit:
                raise ProtocolError(f"more than {self._limit} bytes", "body")
        return True

    def _read_chunks(self) -> Reply | None:
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                if len(self._buffer) > _HEAD_LIMIT:
                    raise ProtocolError("a chunk without a size", "body")
                return None
            try:
                size = int(bytes(self._buffer[:end]).partition(b";")[0], 16)
            except ValueError:
                raise ProtocolError("a chunk's size is not a number", "body") from None
            self._chunk_bytes += size
            if size < 0 or self._chunk_bytes > self._limit:
                raise ProtocolError(f"more than {self._limit} bytes", "body")
            if len(self._buffer) < end + 2 + size + 2:
                self._chunk_bytes -= size
                return None
            if size == 0:
                return self._reply(b"".join(self._chunks))
            self._chunks.append(bytes(self._buffer[end + 2 : end + 2 + size]))
            del self._buffer[: end + 2 + size + 2]


def _status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(code) != 3 or not code.isdecimal():
        raise ProtocolError("not an HTTP status line", "head")
    return int(code), reason.strip()
