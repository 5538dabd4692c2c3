"""The configuration lock of each guest: one holder, others wait 10 s and then fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pharmq.base.clock import Clock, within
from pharmq_sim.message import ApiError
from pharmq_sim.world import Guest, TaskRecord

LOCK_TIMEOUT = 10.0


class ConfigLocks:
    """Locks by VMID. Texts as in the task logs of 02-lifecycle/parallel-* and start-x."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._locks: dict[int, asyncio.Lock] = {}

    def _lock(self, vmid: int) -> asyncio.Lock:
        return self._locks.setdefault(vmid, asyncio.Lock())

    @asynccontextmanager
    async def hold(self, guest: Guest, task: TaskRecord | None = None) -> AsyncIterator[None]:
        """Hold the lock of ``guest``; a task that had to wait says so in its log."""
        lock = self._lock(guest.vmid)
        if lock.locked():
            if task is not None:
                task.log.append("trying to acquire lock...")
            try:
                await within(self._clock, LOCK_TIMEOUT, lock.acquire())
            except TimeoutError:
                raise ApiError(500, f"can't lock file '{lock_path(guest)}' - got timeout") from None
            if task is not None:
                task.log.append(" OK")
        else:
            await lock.acquire()
        try:
            yield
        finally:
            lock.release()

    async def hold_for(self, vmid: int, seconds: float) -> None:
        """Hold a lock for some time from outside (`qm cleanup`, the fault config_lock)."""
        async with self._lock(vmid):
            await self._clock.sleep(seconds)

    def held(self, vmid: int) -> bool:
        return self._lock(vmid).locked()


def lock_path(guest: Guest) -> str:
    if guest.kind == "qemu":
        return f"/var/lock/qemu-server/lock-{guest.vmid}.conf"
    return f"/run/lock/lxc/pve-config-{guest.vmid}.lock"
