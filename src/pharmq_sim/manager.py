"""The manager as the demo drives it: from outside, through its command line and its HTTP API."""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp

from pharmq.base.clock import Clock

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 3.0
REQUEST_SECONDS = 120.0


class DemoFailed(Exception):
    """The demo cannot go on; the message says what to look at."""


def _die_with_parent() -> None:
    """In the child before exec: if the demo dies, however it dies, the manager must not stay behind."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Manager:
    """``pharmq serve`` as a subprocess with its data under ``directory``."""

    def __init__(self, directory: Path, port: int, clock: Clock) -> None:
        self.directory = directory
        self.data = directory / "pharmq"
        self.log_path = directory / "pharmq.log"
        self.port = port
        self.token = ""
        self._clock = clock
        self._key = directory / "key" / "master.key"
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PHARMQ_KEY_FILE": str(self._key), "PYTHONUNBUFFERED": "1"}

    def check_port(self) -> None:
        """Raise DemoFailed when somebody listens there: we would talk to them instead of to our manager."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise DemoFailed(f"Port {self.port}: {error.strerror}. Choose another one with --port.") from error

    async def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a ``pharmq`` command to its end and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pharmq",
            *arguments,
            "--data-dir",
            str(self.data),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
            preexec_fn=_die_with_parent,
        )
        out, err = await process.communicate(stdin.encode())
        if process.returncode:
            raise DemoFailed(f"pharmq {' '.join(arguments[:2])} failed:\n{err.decode()[-2000:]}")
        return out.decode()

    async def prepare(self, password: str) -> None:
        """Make the administrator and a token on the first start; afterwards the kept ones hold."""
        self._key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self.directory / "demo.json"
        if kept.exists():
            self.token = json.loads(kept.read_text())["token"]
            return
        await self.command("user", "create", "admin", "--password-stdin", "--administrator", stdin=f"{password}\n")
        self.token = (await self.command("token", "create", "admin", "demo")).strip().splitlines()[-1].strip()
        kept.touch(mode=0o600)
        kept.write_text(json.dumps({"token": self.token}))

    async def start(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "pharmq",
                "serve",
                "--data-dir",
                str(self.data),
                "--host",
                "127.0.0.1",
                "--port",
                str(self.port),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                preexec_fn=_die_with_parent,
                # Ctrl-C in the terminal reaches the demo alone, which ends the manager in order
                start_new_session=True,
            )
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.token}"}, timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        )
        while not await self._ready():
            self.check_alive()
            await self._clock.sleep(0.2)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    def check_alive(self) -> None:
        """Raise DemoFailed with the end of the log when the manager is gone."""
        if self._process is not None and self._process.returncode is not None:
            tail = self.log_path.read_text(errors="replace")[-2000:]
            raise DemoFailed(f"pharmq serve ended with {self._process.returncode}; {self.log_path}:\n{tail}")

    async def wait_ended(self) -> None:
        """Return when the manager has ended by itself."""
        if self._process is not None:
            await self._process.wait()

    async def _ready(self) -> bool:
        assert self._session is not None
        try:
            async with self._session.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """JSON of an API call; DemoFailed with the problem's words on an error."""
        assert self._session is not None
        try:
            async with self._session.request(method, f"{self.url}{path}", json=body) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.check_alive()
            raise DemoFailed(f"{method} {path}: {error!r}") from error
        if response.status >= 400:
            raise DemoFailed(f"{method} {path}: {response.status} {text[:2000]}")
        return json.loads(text) if text else None
