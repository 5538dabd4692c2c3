"""What this room asks of a host, and how each verb is said to it."""

from typing import Literal, Protocol

from pharmq.jobs.model import Item
from pharmq.jobs.options import BackupOptions
from pharmq.jobs.outcome import command, is_power
from pharmq.pve import Current, Guest, GuestConfig, TaskLog, TaskRow, TaskStatus, Upid, Verb


class HostClient(Protocol):
    """``PveClient`` is one, the tests' crashing host another."""

    async def power(
        self,
        guest: Guest,
        verb: Verb,
        *,
        timeout_s: int | None = None,
        force_stop: bool = False,
        overrule_shutdown: bool = False,
    ) -> Upid: ...

    async def snapshot(self, guest: Guest, name: str, *, description: str = "", memory: bool = False) -> Upid: ...

    async def rollback(self, guest: Guest, name: str, *, start: bool = False) -> Upid: ...

    async def delete_snapshot(self, guest: Guest, name: str) -> Upid: ...

    async def backup(
        self,
        guest: Guest,
        *,
        storage: str | None = None,
        mode: Literal["snapshot", "suspend", "stop"] = "snapshot",
        compress: Literal["0", "gzip", "lzo", "zstd"] = "zstd",
        notes: str = "",
    ) -> Upid: ...

    async def set_onboot(self, guest: Guest, *, on: bool) -> None: ...

    async def config(self, guest: Guest) -> GuestConfig: ...

    async def agent_ping(self, guest: Guest) -> None: ...

    async def tasks(self, node: str, *, vmid: int | None = None, limit: int = 50) -> tuple[TaskRow, ...]: ...

    async def task_status(self, upid: Upid) -> TaskStatus: ...

    async def task_log(self, upid: Upid, start: int = 0, limit: int = 50) -> TaskLog: ...

    async def current(self, guest: Guest) -> Current: ...


def guest_of(item: Item) -> Guest:
    return Guest(item.node_name, item.guest_type, item.vmid)


async def ask(client: HostClient, item: Item) -> Upid | None:
    """Make the host do what the item says: the task it became, or None for what it has done at once. Nothing else in
    PharmQ does; raises a PveError."""
    guest = guest_of(item)
    if is_power(item.verb):
        said = command(item.verb, force=item.force)
        return await client.power(
            guest,
            said.verb,
            timeout_s=item.timeout_s if said.takes_time else None,
            force_stop=said.force_stop,
            overrule_shutdown=said.overrule_shutdown,
        )
    if item.verb == "onboot":
        await client.set_onboot(guest, on=True)
        return None
    if item.verb == "backup":
        wanted = item.options.backup or BackupOptions()
        return await client.backup(
            guest, storage=wanted.storage, mode=wanted.mode, compress=wanted.compress, notes=wanted.notes
        )
    snapshot = item.options.snapshot
    assert snapshot is not None, "submit has checked it"
    if item.verb == "snapshot":
        return await client.snapshot(guest, snapshot.name, description=snapshot.description, memory=snapshot.memory)
    if item.verb == "rollback":
        return await client.rollback(guest, snapshot.name, start=snapshot.start)
    return await client.delete_snapshot(guest, snapshot.name)
