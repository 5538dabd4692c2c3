"""One console that is opening or open: what is counted, when a keep-alive is due, when it must end. No I/O."""

import asyncio
from datetime import datetime
from typing import Final

from pharmq.access import Actor
from pharmq.consoles.browser import Browser
from pharmq.consoles.meter import Meter
from pharmq.consoles.model import Cause, SessionRow, State, Target
from pharmq.consoles.relay import Relay

STALL_SECONDS: Final = 60.0
"""A browser that has taken no byte for so long is given up; its buffer and the host's console are freed."""


class Session:
    """``key`` is the SHA-256 of the id the browser held; ``ended`` is set when somebody wants it to end."""

    def __init__(self, key: str, act_id: str, target: Target, actor: Actor, browser: Browser, now: datetime) -> None:
        self.key = key
        self.act_id = act_id
        self.target = target
        self.actor = actor
        self.browser = browser
        self.created_at = now
        self.opened_at: datetime | None = None
        self.state: State = "opening"
        self.upid: str | None = None
        self.meter: Meter | None = None
        self.relay: Relay | None = None
        self.ended: asyncio.Future[Cause] = asyncio.get_running_loop().create_future()

    def end(self, cause: Cause) -> None:
        """Ask for the end; the first cause stands."""
        if not self.ended.done():
            self.ended.set_result(cause)

    def stalled(self, now: float) -> bool:
        since = self.browser.blocked_since
        return since is not None and now - since >= STALL_SECONDS

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
        )
