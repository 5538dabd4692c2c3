"""One console that is opening or open: what is counted, what may pass, when it must end. No I/O."""

import asyncio
from datetime import datetime
from typing import Final, Literal

from pharmq.access import Actor, Privilege, allows
from pharmq.consoles import terminal
from pharmq.consoles.browser import Browser
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause, Kind, Mode, SessionRow, State, Target, Viewer
from pharmq.consoles.relay import Gates
from pharmq.consoles.splice import Pipe
from pharmq.consoles.turns import Turn
from pharmq.pve import ConsoleStream
from pharmq.rfb import KEEPALIVE_REQUEST, WALKABLE, ServerVeil, ViewerSieve
from pharmq.settings import RuntimeSettings

STALL_SECONDS: Final = 60.0
"""A browser that has taken no byte for so long is given up; its buffer and the host's console are freed."""
HOST_PING_SECONDS: Final = 22.0
"""What lies between us and a host forgets a quiet connection after a minute or more."""
HOST_SILENT_SECONDS: Final = 60.0
"""A host that neither sends a byte nor answers a ping for so long cannot be reached any more."""


def may_open(actor: Actor, kind: Kind, mode: Mode, target: Target) -> bool:
    """Whether the actor may have such a console. Who may control may watch."""
    if kind == "screen":
        control = allows(actor, Privilege.CONSOLE_CONTROL, target.scope)
        return control or (mode == "view" and allows(actor, Privilege.CONSOLE_VIEW, target.scope))
    wanted = Privilege.CONSOLE_TERMINAL if kind == "terminal" else Privilege.NODE_SHELL
    return allows(actor, wanted, target.scope)


class Session:
    """``key`` is the SHA-256 of the id the browser held; ``ended`` is set when somebody wants it to end."""

    def __init__(
        self,
        key: str,
        act_id: str,
        target: Target,
        actor: Actor,
        browser: Browser,
        now: datetime,
        *,
        kind: Kind = "screen",
        wants: Mode = "control",
        starts: bool = False,
        purpose: str = "",
    ) -> None:
        self.key = key
        self.act_id = act_id
        self.target = target
        self.actor = actor
        self.browser = browser
        self.created_at = now
        self.kind: Kind = kind
        self.wants: Mode = wants
        self.starts = starts
        self.purpose = purpose
        self.clipboard = allows(actor, Privilege.CONSOLE_CLIPBOARD, target.scope)
        self.phase: Literal["starting", "connecting", "open"] = "starting" if starts else "connecting"
        self.opened_at: datetime | None = None
        self.state: State = "opening"
        self.upid: str | None = None
        self.meter: Meter | None = None
        self.turn: Turn | None = None
        """The VM's turn, when it was taken along with the session or is given back along with its opening."""
        self.pipe: Pipe | None = None
        self.stream: ConsoleStream | None = None
        self.gates: Gates | None = None
        self.ended: asyncio.Future[Cause] = asyncio.get_running_loop().create_future()
        self._watching = wants == "view"
        self._inputs = 0
        self._active_at = 0.0
        self._opened_mono = 0.0
        self._pinged_at = self._heard_at = 0.0
        self._heard = (0, 0)

    # -- for sharing ---------------------------------------------------------------------------------------------

    @property
    def person(self) -> tuple[str, int | None]:
        return ("user", self.actor.id)

    @property
    def vm_id(self) -> int:
        return self.target.vm_id

    @property
    def watching(self) -> bool:
        return self._watching

    def watch(self, on: bool) -> None:
        self._watching = on
        if self.gates is not None:
            self.gates.up.watching = on

    @property
    def mode(self) -> Mode:
        return "view" if self._watching else "control"

    # -- its pipe ------------------------------------------------------------------------------------------------

    def make_gates(self, *, picture: bool) -> Gates:
        """What may pass, as things stand; ``watch`` changes it later."""
        if not picture:
            self.gates = Gates(terminal.TerminalSieve(), None, terminal.KEEPALIVE)
        elif self.clipboard:
            self.gates = Gates(ViewerSieve(watching=self._watching), None, KEEPALIVE_REQUEST)
        else:
            veil = ServerVeil()
            sieve = ViewerSieve(watching=self._watching, encodings=WALKABLE, on_format=veil.pixel_format)
            self.gates = Gates(sieve, veil, KEEPALIVE_REQUEST)
        return self.gates

    def begin(self, meter: Meter, now: float) -> None:
        self.meter = meter
        self.state = self.phase = "open"
        self._active_at = self._opened_mono = self._pinged_at = self._heard_at = now

    def end(self, cause: Cause) -> None:
        """Ask for the end; the first cause stands."""
        if not self.ended.done():
            self.ended.set_result(cause)

    # -- looked at every few seconds -----------------------------------------------------------------------------

    def tick(self, now: float, limits: RuntimeSettings) -> Cause | None:
        """Send the pings that are due; why the session must end now, if it must."""
        if not self.browser.tick(now):
            return Cause("console.browser_lost")
        since = self.browser.blocked_since
        if since is not None and now - since >= STALL_SECONDS:
            return Cause("console.browser_stalled")
        if self.meter is None or self.gates is None:
            return None
        self.meter.sample(now)
        if self._host_silent(now, since):
            return Cause("console.host_silent")
        if self.gates.up.inputs != self._inputs:
            self._inputs, self._active_at = self.gates.up.inputs, now
        if limits.console_idle_minutes and now - self._active_at >= limits.console_idle_minutes * 60:
            return Cause("console.idle_limit", {"minutes": limits.console_idle_minutes})
        if now - self._opened_mono >= limits.console_hours * 3600:
            return Cause("console.time_limit", {"hours": f"{limits.console_hours:g}"})
        return None

    def _host_silent(self, now: float, blocked_since: float | None) -> bool:
        stream = self.stream
        if stream is None or blocked_since is not None:
            self._heard_at = now  # we are not reading from it
            return False
        heard = (stream.bytes_in, stream.pongs)
        if heard != self._heard:
            self._heard, self._heard_at = heard, now
        if now - self._pinged_at >= HOST_PING_SECONDS:
            self._pinged_at = now
            stream.ping()
        return now - self._heard_at >= HOST_PING_SECONDS + HOST_SILENT_SECONDS

    # -- how it is shown -----------------------------------------------------------------------------------------

    def viewer(self) -> Viewer:
        return Viewer(
            self.key[:32],
            self.actor.id,
            self.actor.name,
            self.kind,
            self.mode,
            self.wants,
            self.phase,
            self.created_at,
        )

    def row(self) -> SessionRow:
        target, meter = self.target, self.meter
        return SessionRow(
            session_key=self.key[:32],
            vm_id=target.vm_id,
            host_id=target.host_id,
            pharmacy_id=target.pharmacy_id,
            pharmacy_name=target.pharmacy_name,
            vmid=target.vmid,
            vm_name=target.vm_name,
            user_id=self.actor.id,
            actor_name=self.actor.name,
            state=self.state,
            created_at=self.created_at,
            opened_at=self.opened_at,
            bytes_up=meter.up if meter else 0,
            bytes_down=meter.down if meter else 0,
            rate=int(meter.rate) if meter else 0,
            kind=self.kind,
            mode=self.mode,
            wants=self.wants,
            phase=self.phase,
            purpose=self.purpose,
        )
