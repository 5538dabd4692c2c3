"""termproxy: one line of authentication, then a terminal over the same stream.

Up: ``0:LEN:DATA`` (LEN in bytes), ``1:COLS:ROWS:``, ``2`` (ping, never answered). Down: the terminal's raw bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pharmq.base.clock import Clock, within
from pharmq_sim.console.rfb import Stream

AUTH_S = 10.0


@dataclass(frozen=True, slots=True)
class Typed:
    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    cols: int
    rows: int


class Messages:
    """Takes the client's stream apart; ``broken`` is set when it does not follow the protocol."""

    def __init__(self) -> None:
        self._buffer = b""
        self.broken = False

    def feed(self, data: bytes) -> list[Typed | Resized]:
        self._buffer += data
        found: list[Typed | Resized] = []
        while self._buffer and not self.broken:
            kind, rest = self._buffer[:1], self._buffer[1:]
            if kind == b"2":
                self._buffer = rest
                continue
            fields = rest.split(b":", 3 if kind == b"1" else 2)
            complete = len(fields) == (4 if kind == b"1" else 3)
            if kind not in b"01" or (len(rest) > 0 and rest[:1] != b":"):
                self.broken = True
            elif not complete:
                break
            elif not all(field.isdigit() for field in fields[1:-1]):
                self.broken = True
            elif kind == b"1":
                found.append(Resized(int(fields[1]), int(fields[2])))
                self._buffer = fields[3]
            else:
                size = int(fields[1])
                if len(fields[2]) < size:
                    break
                found.append(Typed(fields[2][:size]))
                self._buffer = fields[2][size:]
        return found


class Shell:
    """A shell that echoes and knows a handful of commands. Pure: bytes in, bytes out."""

    def __init__(self, node: str, prompt: str = "/ # ") -> None:
        self._node = node
        self._prompt = prompt
        self._line = b""
        self._size = (80, 24)
        self.ended = False

    def greeting(self) -> bytes:
        return self._prompt.encode()

    def resize(self, cols: int, rows: int) -> None:
        self._size = (cols, rows)

    def typed(self, data: bytes) -> bytes:
        out = b""
        for byte in data:
            if byte in b"\r\n":
                out += b"\r\n" + self._run(self._line.decode(errors="replace").strip())
                self._line = b""
                if self.ended:
                    return out
                out += self._prompt.encode()
            elif byte in b"\x7f\x08":
                out += b"\b \b" if self._line else b""
                self._line = self._line[:-1]
            else:
                self._line += bytes((byte,))
                out += bytes((byte,))
        return out

    def _run(self, line: str) -> bytes:
        command, _, rest = line.partition(" ")
        match command:
            case "":
                answer = ""
            case "exit":
                self.ended = True
                return b""
            case "echo":
                answer = rest
            case "hostname":
                answer = self._node
            case "uname":
                answer = f"Linux {self._node} 6.17.0-1-pve x86_64 GNU/Linux"
            case "stty":
                answer = f"{self._size[1]} {self._size[0]}"
            case _:
                return f"sh: {command}: not found\r\n".encode()
        return f"{answer}\r\n".encode() if command else b""


async def serve(stream: Stream, clock: Clock, is_good: Callable[[str, str], bool], shell: Shell | str) -> bool:
    """Authenticate (``is_good(user, ticket)``) within ten seconds and hold the terminal until it ends.

    ``shell`` may be a sentence instead: a program that could not start says it and the connection closes.
    Returns whether the client was let in.
    """
    try:
        line, rest = await within(clock, AUTH_S, _line(stream))
    except TimeoutError:
        return False
    user, _, ticket = line.partition(":")
    if not is_good(user, ticket):
        return False
    await stream.send(b"OK")
    if isinstance(shell, str):
        await stream.send(f"{shell}\r\n".encode())
        return True
    await stream.send(shell.greeting())
    messages, data = Messages(), rest
    while True:
        for message in messages.feed(data):
            if isinstance(message, Resized):
                shell.resize(message.cols, message.rows)
            elif answer := shell.typed(message.data):
                await stream.send(answer)
        if messages.broken or shell.ended:
            return True
        data = await stream.recv()


async def _line(stream: Stream) -> tuple[str, bytes]:
    data = b""
    while b"\n" not in data:
        data += await stream.recv()
    line, _, rest = data.partition(b"\n")
    return line.decode(errors="replace"), rest
