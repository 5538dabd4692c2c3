"""PharmQ as people run it: processes of their own, real ports on loopback, ended by their own id."""

import asyncio
import os
import re
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

READY = re.compile(r"PharmQ is ready: (\S+)  login admin / (\S+)  token (\S+)")
SETUP = re.compile(r"(http\S+/setup#\S+)")


def free_port() -> int:
    """For a server that is about to start: below those that the kernel hands to others in the meantime."""
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


def listening(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def operations_tested(output: str) -> int:
    """How many operations schemathesis went through; fails when it left one out that it had chosen."""
    selected, tested = (re.findall(rf"{word}: +(\d+)", output) for word in ("Selected", "Tested"))
    assert selected, output[-2000:]
    assert selected == tested, output[-2000:]
    return int(tested[0])


def alive_with(word: str) -> list[int]:
    """Processes whose command line has ``word``, ourselves apart."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                line = (folder / "cmdline").read_bytes()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if word.encode() in line and state != "Z":
                found.append(int(folder.name))
    return found


class Running:
    """A subprocess whose output is kept."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.text = ""
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            self.text += line.decode(errors="replace")

    async def wait_for(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        end = time.monotonic() + seconds
        while not (match := pattern.search(self.text)):
            if self.process.returncode is not None or time.monotonic() > end:
                raise AssertionError(f"never said {pattern.pattern!r}:\n{self.text[-4000:]}")
            await asyncio.sleep(0.05)
        return match

    async def end(self, how: signal.Signals = signal.SIGTERM, seconds: float = 15) -> int:
        if self.process.returncode is None:
            self.process.send_signal(how)
        return await self.ended(seconds)

    async def ended(self, seconds: float) -> int:
        """Its exit code, once it is gone and all it said is in ``text``; after ``seconds`` it is killed."""
        try:
            code = await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise
        await self._reader
        return code


@asynccontextmanager
async def running(command: Sequence[str], **environment: str) -> AsyncIterator[Running]:
    """A Python module or script of ours, ended when the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | environment,
        limit=1 << 20,
    )
    started = Running(process)
    try:
        yield started
    finally:
        if process.returncode is None:
            await started.end()


def demo_command(folder: Path, port: int, hosts: int, *more: str) -> list[str]:
    return [
        "-m", "pharmq_sim", "demo", "--hosts", str(hosts), "--port", str(port), "--data-dir", str(folder), *more,
    ]  # fmt: skip
