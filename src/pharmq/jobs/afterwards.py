"""What is waited for when a host's task has ended well: a rebooted guest that comes back, a started one that can be
used. Nothing here changes anything on a host."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from pharmq.base.clock import Clock
from pharmq.base.errors import NotFound
from pharmq.jobs.asking import HostClient, guest_of
from pharmq.jobs.model import Ending, Item
from pharmq.jobs.outcome import back_after_reboot
from pharmq.pve import AgentUnavailable, PveError

log = logging.getLogger(__name__)

Picture = Callable[[int, int], Awaitable[bool]]
"""Whether a guest (host id, our VM id) shows a picture on its screen now; it may take seconds, and must not fail."""

READY_VERBS = frozenset({"start", "reboot", "reset", "resume"})
_PING_EVERY_S = 3.0
_PICTURE_EVERY_S = 15.0
_NO_AGENT = "No QEMU guest agent configured"


class Afterwards:
    """``picture`` is put in by whoever knows consoles; without it only agents can say that a guest is usable."""

    def __init__(self, clock: Clock, client: Callable[[Item], HostClient], reboot_s: float) -> None:
        self.picture: Picture | None = None
        self._clock = clock
        self._client = client
        self._reboot_s = reboot_s
        # An agent that does not answer blocks one of the host's three workers for 3 s: one question at a time.
        self._asking: dict[int, asyncio.Lock] = {}

    async def back(self, item: Item, ending: Ending) -> Ending:
        """``qmreboot`` ends with the guest's shutdown; whether it came back is asked of the guest itself."""
        until = self._clock.monotonic() + self._reboot_s
        doubt: Ending = ending
        while self._clock.monotonic() < until:
            await self._clock.sleep(1.0)
            try:
                current = await self._client(item).current(guest_of(item))
            except NotFound:
                return Ending("unknown", "job.host_gone")
            except PveError as error:
                doubt = Ending("unknown", "job.host_silent", {"reason": error.code})
                continue
            asked = item.started_at or self._clock.now()
            if back_after_reboot(current, _seconds(self._clock.now(), asked)):
                return ending
            doubt = ending if current.status == "running" else Ending("failed", "job.not_back")
        return doubt

    async def usable(self, item: Item, ending: Ending) -> Ending:
        """``ending`` when the guest proves usable within its time: its agent answers, its screen shows a picture, or
        it is a container that runs. The success says so when nothing could have told."""
        seconds = item.options.ready_s or 0
        until = self._clock.monotonic() + seconds
        agent, next_picture = True, 0.0
        while True:
            try:
                if agent and await self._answers(item):
                    return ending
            except NotFound:
                return Ending("unknown", "job.host_gone")
            except AgentUnavailable as error:
                agent = _NO_AGENT not in error.detail
            except PveError as error:
                # The host may answer again before the time is over.
                log.debug("asking whether %s can be used: %s", item.vm_name, error)
            if self.picture is None and not agent:
                return Ending("succeeded", "job.readiness_untold")
            if self.picture is not None and self._clock.monotonic() >= next_picture:
                if await self.picture(item.host_id, item.vm_id):
                    return ending
                next_picture = self._clock.monotonic() + _PICTURE_EVERY_S
            if self._clock.monotonic() + _PING_EVERY_S > until:
                return Ending("failed", "job.started_not_ready", {"seconds": seconds})
            await self._clock.sleep(_PING_EVERY_S)

    async def _answers(self, item: Item) -> bool:
        client = self._client(item)
        if item.guest_type == "lxc":
            return (await client.current(guest_of(item))).status == "running"
        async with self._asking.setdefault(item.host_id, asyncio.Lock()):
            await client.agent_ping(guest_of(item))
        return True


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()
