"""All pharmacies, groups and hosts in memory, with what is known of each host right now.

Values are immutable; a change puts a new value in place of the old one, after its transaction has committed.
Everything here is synchronous and runs on the event loop: iterate without awaiting in between.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Literal, TypeAlias

from pharmq.access import Scope, scope_of
from pharmq.base.errors import NotFound
from pharmq.hosts.model import Host, HostState, HostStatus, Pharmacy, PharmacyGroup

ObjectKind: TypeAlias = Literal["pharmacy", "host", "group"]
Change: TypeAlias = Literal["changed", "state", "sample", "removed"]
Listener: TypeAlias = Callable[[ObjectKind, int, Change], None]
"""``changed``: what people edit; ``state``: a host's status or reason; ``sample``: only its numbers and times;
``removed``: gone from the directory already. Called on the loop, must neither block nor fail."""


class Directory:
    """``revision`` grows with every change except samples."""

    def __init__(self) -> None:
        self.revision = 0
        self._pharmacies: dict[int, Pharmacy] = {}
        self._groups: dict[int, PharmacyGroup] = {}
        self._hosts: dict[int, Host] = {}
        self._states: dict[int, HostState] = {}
        self._hosts_of: dict[int, tuple[int, ...]] = {}
        self._members: dict[int, set[int]] = {}
        self._places: dict[tuple[str, int], int] = {}
        self._codes: dict[str, int] = {}
        self._host_scopes: dict[int, Scope] = {}
        self._listeners: list[Listener] = []

    # --- reading

    def pharmacy(self, pharmacy_id: int) -> Pharmacy | None:
        return self._pharmacies.get(pharmacy_id)

    def host(self, host_id: int) -> Host | None:
        return self._hosts.get(host_id)

    def group(self, group_id: int) -> PharmacyGroup | None:
        return self._groups.get(group_id)

    def state(self, host_id: int) -> HostState:
        """What is known of a host; ``never_checked`` for one that was never looked at."""
        return self._states.get(host_id, _NEVER)

    def status(self, host_id: int) -> HostStatus:
        """Maintenance wins over what the host does meanwhile; an unknown host is offline."""
        host = self._hosts.get(host_id)
        if host is not None and host.maintenance:
            return "maintenance"
        return "online" if host is not None and self.state(host_id).online else "offline"

    @property
    def pharmacies(self) -> Collection[Pharmacy]:
        return self._pharmacies.values()

    @property
    def groups(self) -> Collection[PharmacyGroup]:
        return self._groups.values()

    @property
    def hosts(self) -> Collection[Host]:
        return self._hosts.values()

    def hosts_of(self, pharmacy_id: int) -> tuple[int, ...]:
        """Ids of a pharmacy's hosts, oldest first."""
        return self._hosts_of.get(pharmacy_id, ())

    def members(self, group_id: int) -> frozenset[int]:
        """Ids of the pharmacies in a group."""
        return frozenset(self._members.get(group_id, ()))

    def by_code(self, code: str) -> Pharmacy | None:
        found = self._codes.get(code)
        return None if found is None else self._pharmacies[found]

    def at(self, address: str, port: int) -> Host | None:
        """The host registered under this first address and port."""
        found = self._places.get((address.lower(), port))
        return None if found is None else self._hosts[found]

    def scope(self, host_id: int) -> Scope:
        """The host with all its ancestors. Raises NotFound."""
        scope = self._host_scopes.get(host_id)
        if scope is None:
            host = self._hosts.get(host_id)
            if host is None:
                raise NotFound("host.not_found", params={"id": str(host_id)})
            pharmacy = self._pharmacies.get(host.pharmacy_id)
            scope = scope_of(
                groups=pharmacy.group_ids if pharmacy else (), pharmacy_id=host.pharmacy_id, host_id=host_id
            )
            self._host_scopes[host_id] = scope
        return scope

    def scope_of_pharmacy(self, pharmacy_id: int) -> Scope:
        """The pharmacy with its groups. Raises NotFound."""
        pharmacy = self._pharmacies.get(pharmacy_id)
        if pharmacy is None:
            raise NotFound("pharmacy.not_found", params={"id": str(pharmacy_id)})
        return scope_of(groups=pharmacy.group_ids, pharmacy_id=pharmacy_id)

    # --- following

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def _tell(self, kind: ObjectKind, number: int, change: Change) -> None:
        if change != "sample":
            self.revision += 1
        for listener in self._listeners:
            listener(kind, number, change)

    # --- writing (the service only, after its commit)

    def fill(
        self,
        groups: Iterable[PharmacyGroup],
        pharmacies: Iterable[Pharmacy],
        hosts: Iterable[tuple[Host, HostState]],
    ) -> None:
        """Take over everything at start."""
        for group in groups:
            self.put_group(group)
        for pharmacy in pharmacies:
            self.put_pharmacy(pharmacy)
        for host, state in hosts:
            self.put_host(host, state)

    def put_group(self, group: PharmacyGroup) -> None:
        self._groups[group.id] = group
        self._tell("group", group.id, "changed")

    def drop_group(self, group_id: int) -> None:
        """Remove a group; its members must have been put without it before."""
        self._groups.pop(group_id, None)
        self._members.pop(group_id, None)
        self._tell("group", group_id, "removed")

    def put_pharmacy(self, pharmacy: Pharmacy) -> None:
        before = self._pharmacies.get(pharmacy.id)
        if before is not None:
            self._codes.pop(before.code, None)
            for group in before.group_ids:
                self._members.get(group, set()).discard(pharmacy.id)
        self._pharmacies[pharmacy.id] = pharmacy
        self._codes[pharmacy.code] = pharmacy.id
        for group in pharmacy.group_ids:
            self._members.setdefault(group, set()).add(pharmacy.id)
        for host_id in self.hosts_of(pharmacy.id):
            self._host_scopes.pop(host_id, None)
        self._tell("pharmacy", pharmacy.id, "changed")

    def drop_pharmacy(self, pharmacy_id: int) -> None:
        pharmacy = self._pharmacies.pop(pharmacy_id, None)
        if pharmacy is not None:
            self._codes.pop(pharmacy.code, None)
            for group in pharmacy.group_ids:
                self._members.get(group, set()).discard(pharmacy_id)
        self._tell("pharmacy", pharmacy_id, "removed")

    def put_host(self, host: Host, state: HostState | None = None) -> None:
        """``state`` as well when it changes together with the entry."""
        before = self._hosts.get(host.id)
        self._unlink(before)
        self._hosts[host.id] = host
        if state is not None:
            self._states[host.id] = state
        self._places[host.host_ip.lower(), host.host_port] = host.id
        self._hosts_of[host.pharmacy_id] = tuple(sorted({*self.hosts_of(host.pharmacy_id), host.id}))
        self._host_scopes.pop(host.id, None)
        self._tell("host", host.id, "changed")

    def put_state(self, host_id: int, state: HostState) -> None:
        """Take over what a check found; a host that was removed meanwhile is ignored."""
        if host_id not in self._hosts:
            return
        before = self.state(host_id)
        self._states[host_id] = state
        same = (before.reason, before.reason_params, before.version) == (
            state.reason,
            state.reason_params,
            state.version,
        )
        self._tell("host", host_id, "sample" if same else "state")

    def drop_host(self, host_id: int) -> None:
        self._unlink(self._hosts.pop(host_id, None))
        self._states.pop(host_id, None)
        self._host_scopes.pop(host_id, None)
        self._tell("host", host_id, "removed")

    def _unlink(self, host: Host | None) -> None:
        if host is None:
            return
        self._places.pop((host.host_ip.lower(), host.host_port), None)
        rest = tuple(other for other in self.hosts_of(host.pharmacy_id) if other != host.id)
        if rest:
            self._hosts_of[host.pharmacy_id] = rest
        else:
            self._hosts_of.pop(host.pharmacy_id, None)


_NEVER = HostState()
