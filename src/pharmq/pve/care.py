"""What is done to a guest beside its power: snapshots, backups, the start at boot, a question to its agent."""

from typing import Literal, Protocol, TypeAlias
from urllib.parse import quote, urlencode

from pharmq.pve import decode
from pharmq.pve.errors import ParameterRefused
from pharmq.pve.http1 import Reply
from pharmq.pve.model import Guest, Timeouts, Upid

BackupMode: TypeAlias = Literal["snapshot", "suspend", "stop"]
Compression: TypeAlias = Literal["0", "gzip", "lzo", "zstd"]


class _Calls(Protocol):
    _timeouts: Timeouts

    async def _call(self, method: str, path: str, form: str | None, timeout: float, *, keep: bool = False) -> Reply: ...


class CareCalls:
    """Part of ``PveClient``. Every method may raise what any write may raise, OutcomeUnknown included."""

    async def snapshot(self: _Calls, guest: Guest, name: str, *, description: str = "", memory: bool = False) -> Upid:
        """``memory``: keep the running guest's memory too (QEMU only; containers refuse the parameter)."""
        form: dict[str, str | int] = {"snapname": name}
        if description:
            form["description"] = description
        if memory and guest.kind == "qemu":
            form["vmstate"] = 1
        return await _task(self, "POST", f"{_path(guest)}/snapshot", form)

    async def rollback(self: _Calls, guest: Guest, name: str, *, start: bool = False) -> Upid:
        """``start``: start the guest afterwards, as a task of its own. Known by newer hosts only; an older one that
        refuses the parameter rolls back without it."""
        path = f"{_path(guest)}/snapshot/{quote(name, safe='')}/rollback"
        if not start:
            return await _task(self, "POST", path, {})
        try:
            return await _task(self, "POST", path, {"start": 1})
        except ParameterRefused as error:
            if "start" not in error.errors:
                raise
            return await _task(self, "POST", path, {})

    async def delete_snapshot(self: _Calls, guest: Guest, name: str) -> Upid:
        return await _task(self, "DELETE", f"{_path(guest)}/snapshot/{quote(name, safe='')}", None)

    async def backup(
        self: _Calls,
        guest: Guest,
        *,
        storage: str | None = None,
        mode: BackupMode = "snapshot",
        compress: Compression = "zstd",
        notes: str = "",
    ) -> Upid:
        """One ``vzdump`` task for this guest; without ``storage`` where the host's own defaults say."""
        form: dict[str, str | int] = {"vmid": guest.vmid, "mode": mode, "compress": compress}
        if storage:
            form["storage"] = storage
        if notes:
            form["notes-template"] = notes
        return await _task(self, "POST", f"/nodes/{quote(guest.node, safe='')}/vzdump", form)

    async def set_onboot(self: _Calls, guest: Guest, *, on: bool) -> None:
        """Whether the host starts the guest when it boots itself. Done when it returns; there is no task."""
        await self._call("PUT", f"{_path(guest)}/config", urlencode({"onboot": int(on)}), self._timeouts.write)

    async def agent_ping(self: _Calls, guest: Guest) -> None:
        """Returns when the agent answers; raises AgentUnavailable, NotRunning. An agent that does not answer blocks
        one of the host's three workers for 3 s: one question at a time per host."""
        await self._call("POST", f"{_path(guest)}/agent/ping", "", self._timeouts.write)


async def _task(calls: _Calls, method: str, path: str, form: dict[str, str | int] | None) -> Upid:
    body = None if form is None else urlencode(form)
    return decode.decode_upid((await calls._call(method, path, body, calls._timeouts.write, keep=True)).body)


def _path(guest: Guest) -> str:
    return f"/nodes/{quote(guest.node, safe='')}/{guest.kind}/{guest.vmid}"
