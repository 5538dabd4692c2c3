"""Real QEMU guests behind real QEMU VNC: tiny, without an operating system, but nothing about them is ours.

The guest is a boot sector: it shows a title, echoes the keys it gets and keeps them in its memory, from where
``typed`` reads them back. Needs ``qemu-system-x86_64`` (Debian: qemu-system-x86).
"""

import asyncio
import contextlib
import ctypes
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

BINARY = "qemu-system-x86_64"
#: it takes a fifth of a second; a loaded machine may need more
START_S = 20

#: where the boot sector keeps what was typed: a 16-bit count, then that many bytes
_TYPED_AT, _TYPED_MAX = 0x8000, 510
_TITLE_AT = 0x73

_CODE = bytes.fromhex(
    "31c0"  #         xor ax, ax
    "8ed8"  #         mov ds, ax
    "8ec0"  #         mov es, ax
    "8ed0"  #         mov ss, ax
    "bc007c"  #       mov sp, 0x7c00
    "fc"  #           cld
    "c70600800000"  # mov word [0x8000], 0     nothing typed yet
    "b80300"  #       mov ax, 3
    "cd10"  #         int 0x10                 80 x 25 text, cleared
    "be737c"  #       mov si, 0x7c73           the title
    "ac"  #    next:  lodsb
    "84c0"  #         test al, al
    "7409"  #         jz loop
    "b40e"  #         mov ah, 0x0e
    "bb0700"  #       mov bx, 7
    "cd10"  #         int 0x10                 print it
    "ebf2"  #         jmp next
    "fb"  #    loop:  sti
    "f4"  #           hlt                      until a key or a timer tick
    "b400"  #         mov ah, 0
    "cd1a"  #         int 0x1a                 timer ticks in cx:dx
    "88d0"  #         mov al, dl
    "c0e803"  #       shr al, 3
    "2407"  #         and al, 7
    "0430"  #         add al, '0'
    "bb00b8"  #       mov bx, 0xb800
    "8ec3"  #         mov es, bx
    "26a29e00"  #     mov [es:158], al         a digit that moves, upper right
    "b401"  #         mov ah, 1
    "cd16"  #         int 0x16                 is there a key?
    "74e2"  #         jz loop
    "b400"  #         mov ah, 0
    "cd16"  #         int 0x16                 take it
    "84c0"  #         test al, al
    "74da"  #         jz loop                  not a character
    "8b1e0080"  #     mov bx, [0x8000]
    "81fbfe01"  #     cmp bx, 510
    "7308"  #         jae echo
    "88870280"  #     mov [bx + 0x8002], al    keep it
    "ff060080"  #     inc word [0x8000]
    "b40e"  #  echo:  mov ah, 0x0e
    "bb0700"  #       mov bx, 7
    "cd10"  #         int 0x10                 show it
    "3c0d"  #         cmp al, 13
    "75bd"  #         jne loop
    "b00a"  #         mov al, 10
    "b40e"  #         mov ah, 0x0e
    "cd10"  #         int 0x10
    "ebb5"  #         jmp loop
)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def boot_sector(title: str) -> bytes:
    """512 bytes that a PC boots; ``title`` is cut to what fits and shown in ASCII."""
    assert len(_CODE) == _TITLE_AT
    text = title.encode("ascii", "replace")[: 505 - _TITLE_AT] + b"\r\n> \0"
    return (_CODE + text)[:510].ljust(510, b"\0") + b"\x55\xaa"


def available() -> bool:
    """Whether QEMU is installed."""
    return shutil.which(BINARY) is not None


def _die_with_parent() -> None:
    # Runs in the child before QEMU starts: a manager that is killed must not leave virtual machines behind.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class QemuFailed(Exception):
    """QEMU did not start, or refused a command."""


class QemuGuest:
    """One machine. ``start`` and ``stop`` may be called again and again; all calls are safe side by side."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: what was typed, as of the last look (see ``refresh``)
        self.typed = ""
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._directory: Path | None = None
        self._qmp: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def vnc_socket(self) -> Path:
        assert self._directory is not None
        return self._directory / "vnc"

    async def start(self) -> None:
        """Start the machine and wait until it can be asked; QemuFailed if it cannot."""
        async with self._lock:
            if not self.running:
                await self._cleanup()
                await self._launch()

    async def stop(self) -> None:
        """End the machine at once, as Proxmox's ``stop`` does."""
        async with self._lock:
            await self._cleanup()

    async def follow(self, what: str) -> None:
        """Do what happened to the simulated guest: started, stopped, removed, paused, resumed or reset."""
        if what == "started":
            await self.start()
        elif what in ("stopped", "removed"):
            await self.stop()
        elif self.running:
            await self._execute({"paused": "stop", "resumed": "cont", "reset": "system_reset"}[what])

    async def set_password(self, password: str, lifetime_s: float) -> None:
        """The VNC password, right for ``lifetime_s`` seconds from now on."""
        await self._execute("set_password", protocol="vnc", password=password)
        await self._execute("expire_password", protocol="vnc", time=f"+{lifetime_s:.0f}")

    async def refresh(self) -> str:
        """Read what was typed out of the guest's memory; also left in ``typed``."""
        assert self._directory is not None
        dump = self._directory / "typed"
        size = 2 + _TYPED_MAX
        await self._execute("pmemsave", val=_TYPED_AT, size=size, filename=str(dump))
        memory = await asyncio.to_thread(dump.read_bytes)
        count = min(int.from_bytes(memory[:2], "little"), _TYPED_MAX)
        self.typed = memory[2 : 2 + count].decode("cp437").replace("\r", "\n")
        return self.typed

    async def text(self) -> list[str]:
        """The 25 lines of its text screen."""
        assert self._directory is not None
        dump = self._directory / "screen"
        await self._execute("pmemsave", val=0xB8000, size=4000, filename=str(dump))
        cells = (await asyncio.to_thread(dump.read_bytes))[::2].decode("cp437")
        return [cells[at : at + 80].rstrip(" \0") for at in range(0, 2000, 80)]

    async def relay(self, recv: Callable[[], Awaitable[bytes]], send: Callable[[bytes], Awaitable[None]]) -> None:
        """Pipe a client to QEMU's VNC server until QEMU ends the session (or the caller cancels)."""
        reader, writer = await asyncio.open_unix_connection(self.vnc_socket)

        async def upwards() -> None:
            while data := await recv():
                writer.write(data)
                await writer.drain()

        async def watch() -> None:
            while True:
                await self.refresh()
                await asyncio.sleep(0.5)  # real time: this machine is real

        sides = [asyncio.ensure_future(upwards()), asyncio.ensure_future(watch())]
        try:
            while data := await reader.read(131072):
                await send(data)
        except ConnectionError:
            return
        finally:
            for side in sides:
                side.cancel()
            await asyncio.wait(sides)
            writer.close()

    async def _launch(self) -> None:
        directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="pharmq-qemu-"))
        self._directory = directory
        await asyncio.to_thread((directory / "boot").write_bytes, boot_sector(f"PharmQ QEMU guest: {self.name}"))
        try:
            self._process = await self._run(directory)
            async with asyncio.timeout(START_S):
                self._qmp = await self._greet(directory / "qmp")
        except FileNotFoundError:
            await self._cleanup()
            raise QemuFailed(f"{BINARY} is not installed (Debian: apt-get install qemu-system-x86)") from None
        except (TimeoutError, QemuFailed):
            await self._cleanup()
            raise

    async def _run(self, directory: Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(BINARY, "-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none", "-m", "2M"),
            *("-name", self.name.replace(",", " "), "-device", "VGA,vgamem_mb=1"),
            *("-drive", f"file={directory / 'boot'},format=raw,if=ide"),
            *("-vnc", f"unix:{directory / 'vnc'},password=on"),
            *("-qmp", f"unix:{directory / 'qmp'},server=on,wait=off"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=_die_with_parent,
        )

    async def _greet(self, path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        assert self._process is not None
        while True:
            try:
                channel = await asyncio.open_unix_connection(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if self._process.returncode is not None:
                    assert self._process.stderr is not None
                    said = (await self._process.stderr.read()).decode(errors="replace").strip()
                    raise QemuFailed(f"{BINARY} ended with {self._process.returncode}: {said}") from None
                await asyncio.sleep(0.02)
        await channel[0].readline()
        await _ask(*channel, "qmp_capabilities", {})
        return channel

    async def _execute(self, command: str, **arguments: Any) -> None:
        async with self._lock:
            if self._qmp is None or not self.running:
                raise QemuFailed(f"{self.name} is not running")
            await _ask(*self._qmp, command, arguments)

    async def _cleanup(self) -> None:
        if self._qmp is not None:
            self._qmp[1].close()
            self._qmp = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None
        if self._directory is not None:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)
            self._directory = None


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: str, arguments: dict[str, Any]
) -> None:
    """One QMP command; QemuFailed with its text when QEMU refuses it. Events that come in between are skipped."""
    writer.write(msgspec.json.encode({"execute": command, "arguments": arguments}) + b"\n")
    await writer.drain()
    async with asyncio.timeout(10):
        while line := await reader.readline():
            answer = msgspec.json.decode(line)
            if "error" in answer:
                raise QemuFailed(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return
    raise QemuFailed(f"{command}: QEMU closed its control socket")
