"""Every step of an opening, one after the other, each with its time and result: for the page where an operator finds
out, and reads to a colleague, why a screen does not come."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final, Literal, TypeVar

import msgspec

from pharmq import pve, rfb
from pharmq.base.clock import Clock, within
from pharmq.consoles.diagnosis import cause_of, hides_picture
from pharmq.consoles.model import Cause, ConsoleEnded, Host, HostStream, Target
from pharmq.consoles.turns import Turns
from pharmq.rfb import KEEPALIVE_REQUEST

T = TypeVar("T")
StepName = Literal[
    "reach", "certificate", "login", "permission", "guest", "turn", "vncproxy", "task", "websocket", "version",
    "security", "picture",
]  # fmt: skip
STEPS: Final[tuple[StepName, ...]] = (
    "reach", "certificate", "login", "permission", "guest", "turn", "vncproxy", "task", "websocket", "version",
    "security", "picture",
)  # fmt: skip
STEP_SECONDS: Final = 15.0
PICTURE_SECONDS: Final = 20.0


class CheckLine(msgspec.Struct, frozen=True):
    """One line of the answer. A step is first ``running``, then ``ok`` or ``failed``; the rest is ``skipped``.

    ``ms``: how long it took; ``facts``: what was seen (version, fingerprint); ``code``, ``params``: why it failed."""

    step: StepName
    state: Literal["running", "ok", "failed", "skipped"]
    ms: int | None = None
    facts: dict[str, str | int] = {}
    code: str | None = None
    params: dict[str, str | int] = {}


class Check:
    """One run against one VM. ``lines`` never raises: what goes wrong is a line."""

    def __init__(self, host: Host, target: Target, turns: Turns, clock: Clock) -> None:
        self._host = host
        self._target = target
        self._turns = turns
        self._clock = clock
        self._ticket: pve.VncTicket | None = None
        self._stream: HostStream | None = None
        self._talk: rfb.RfbClientHandshake | None = None
        self._rest = b""

    async def lines(self) -> AsyncIterator[CheckLine]:
        turn = self._turns.turn(self._target.host_id, self._target.vmid)
        failed = False
        try:
            for step in STEPS:
                if failed:
                    yield CheckLine(step, "skipped")
                    continue
                yield CheckLine(step, "running")
                began = self._clock.monotonic()
                work = turn.__aenter__() if step == "turn" else getattr(self, f"_{step}")()
                line = await self._tried(step, began, work)
                failed = line.state == "failed"
                yield line
        finally:
            if self._stream is not None:
                await self._stream.close()
            await turn.give_back()

    async def _tried(self, step: StepName, began: float, work: Coroutine[Any, Any, Any]) -> CheckLine:
        try:
            facts = await within(self._clock, PICTURE_SECONDS if step == "picture" else STEP_SECONDS, work)
        except TimeoutError:
            silent = "console.no_answer" if step in ("version", "security", "picture") else "console.host_unreachable"
            return self._failed(step, began, Cause(silent, {"reason": "timeout"}))
        except ConsoleEnded as end:
            return self._failed(step, began, end.cause)
        except rfb.RfbError as error:
            code = "console.password_refused" if error.failure == "auth_failed" else "console.host_garbled"
            return self._failed(step, began, Cause(code, {"detail": str(error)[:80]}))
        except OSError:
            return self._failed(step, began, Cause("console.host_unreachable", {"reason": "unreachable"}))
        except pve.PveError as error:
            return self._failed(step, began, cause_of(error))
        return CheckLine(step, "ok", self._ms(began), facts if isinstance(facts, dict) else {})

    def _failed(self, step: StepName, began: float, cause: Cause) -> CheckLine:
        return CheckLine(step, "failed", self._ms(began), {}, cause.code, dict(cause.params))

    def _ms(self, began: float) -> int:
        return round((self._clock.monotonic() - began) * 1000)

    # -- the steps -----------------------------------------------------------------------------------------------

    async def _reach(self) -> None:
        endpoint = self._host.endpoint
        _, writer = await asyncio.open_connection(endpoint.address, endpoint.port)
        writer.close()

    async def _certificate(self) -> dict[str, str | int]:
        seen = await pve.probe_certificate(self._host.endpoint)
        if seen.fingerprint not in self._host.pins:
            raise ConsoleEnded(Cause("console.certificate_changed", {"detail": seen.fingerprint}))
        return {"fingerprint": seen.fingerprint, "not_after": seen.not_after}

    async def _login(self) -> dict[str, str | int]:
        await self._host.login()
        return {"version": (await self._host.version()).version}

    async def _permission(self) -> None:
        held = await self._host.permissions()
        places = (f"/vms/{self._target.vmid}", "/vms", "/")
        found = next((held[place] for place in places if place in held), frozenset[str]())
        if "VM.Console" not in found:
            raise ConsoleEnded(Cause("console.no_permission", {"detail": "VM.Console"}))

    async def _guest(self) -> dict[str, str | int]:
        guest = self._target.guest
        current = await self._host.current(guest)
        if current.status == "stopped":
            raise ConsoleEnded(Cause("console.vm_stopped"))
        config = await self._host.config(guest)
        if hides_picture(config.vga):
            raise ConsoleEnded(Cause("console.no_picture", {"vga": config.vga or ""}))
        return {"status": current.run_state, "vga": config.vga or "std"}

    async def _vncproxy(self) -> dict[str, str | int]:
        self._ticket = await self._host.vncproxy(self._target.guest)
        return {"port": self._ticket.port}

    async def _task(self) -> dict[str, str | int]:
        assert self._ticket is not None
        status = await self._host.task_status(self._ticket.upid)
        if not status.running:
            raise ConsoleEnded(Cause("console.task_failed", {"text": status.exitstatus or ""}))
        return {"upid": self._ticket.upid.text}

    async def _websocket(self) -> None:
        assert self._ticket is not None
        self._stream = await self._host.open_websocket(self._target.guest, self._ticket)

    async def _version(self) -> None:
        assert self._ticket is not None
        self._talk = rfb.RfbClientHandshake(self._ticket.password)
        while self._talk.stage == "version":
            await self._heard()

    async def _security(self) -> None:
        assert self._talk is not None
        while not self._talk.done:
            await self._heard()
        self._rest = self._talk.rest

    async def _heard(self) -> None:
        assert self._talk is not None
        assert self._stream is not None
        data = await self._stream.recv()
        if data is None:
            raise self._talk.ended()
        if answer := self._talk.feed(data):
            await self._stream.send(answer)

    async def _picture(self) -> dict[str, str | int]:
        """Until the first update of a pixel that is asked for."""
        head = await self._take(24)
        name = await self._take(int.from_bytes(head[20:24], "big"))
        assert self._stream is not None
        await self._stream.send(b"\x02\0\0\x01\0\0\0\0" + KEEPALIVE_REQUEST)
        await self._take(4)
        return {
            "width": int.from_bytes(head[:2], "big"),
            "height": int.from_bytes(head[2:4], "big"),
            "name": name.decode("utf-8", "replace")[:64],
        }

    async def _take(self, size: int) -> bytes:
        assert self._stream is not None
        if size > 4096:
            raise rfb.RfbError("not_rfb", f"a name of {size} bytes")
        while len(self._rest) < size:
            data = await self._stream.recv()
            if data is None:
                raise ConsoleEnded(Cause("console.closed_by_host"))
            self._rest += data
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
