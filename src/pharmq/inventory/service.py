"""What hosts say becomes what PharmQ knows; what people say about guests is kept beside it.

One writer per host at a time; no host is ever asked from here.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from datetime import timedelta
from typing import Literal

from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from pharmq.access import SYSTEM, Actor, Privilege, Scope, allows, require, where, who
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, NotFound
from pharmq.base.ids import new_act_id
from pharmq.base.pacing import KeyedLimit
from pharmq.base.spawn import Spawner
from pharmq.db import Database, Tx
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import GuestFact
from pharmq.inventory import store
from pharmq.inventory.diff import diff, durable, listed, rejudged, sample_of, told, vanished, with_config, with_current
from pharmq.inventory.editing import edited
from pharmq.inventory.events import below, entries
from pharmq.inventory.forms import VmPatch
from pharmq.inventory.model import ID_LIMIT, ON_THE_WIRE, Changes, Event, Sample, Vm, VmFilter, VmRow
from pharmq.inventory.rows import Rows
from pharmq.inventory.rules import Kinds, choose_address
from pharmq.inventory.selection import Selector
from pharmq.inventory.standing import Standings
from pharmq.inventory.view import View
from pharmq.journal import Entry, Journal
from pharmq.pve import Current, Guest, GuestConfig, GuestRow, Interface, Resources
from pharmq.settings import KIND_RULES, KindRule

log = logging.getLogger(__name__)

LAG = 13.0
"""``/cluster/resources`` tells of an action up to 12.1 s late (observed); until then ``status/current`` is right."""

CONFIG_AGE = timedelta(hours=6)
"""Configurations are read again after this long, in case somebody changed a display or a description."""

FLUSH_EVERY = 60.0
FLUSH_AT_MOST = 500

SampleListener = Callable[[int, Collection[int]], None]


class InventoryService:
    """``look_now`` (host ids -> anything) is put in by whoever polls, ``rows.task_of`` by whoever runs power actions,
    ``select.consoles_open`` and ``select.jobs_running`` by those rooms."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        directory: Directory,
        clock: Clock,
        rules: Sequence[KindRule] = KIND_RULES,
    ) -> None:
        self.db = db
        self.journal = journal
        self.directory = directory
        self.clock = clock
        self.view = View(directory)
        self.rows = Rows(directory, self.view)
        self.standings = Standings(directory, self.view, clock)
        self.select = Selector(directory, self.view, self.standings)
        self.look_now: Callable[[Collection[int]], object] = lambda _hosts: None
        self._rules = tuple(rules)
        self._kinds = Kinds(rules)
        self._turns = KeyedLimit(1)
        self._asked: dict[int, float] = {}
        self._emptied: set[int] = set()
        self._held: dict[int, dict[int, float]] = {}
        self._seen: dict[int, dict[int, tuple[object, ...]]] = {}
        self._unflushed: set[int] = set()
        self._sample_listeners: list[SampleListener] = []
        self._spawner = Spawner("inventory")

    # --- life

    async def load(self) -> None:
        """Take over what was known at the last stop."""
        async with self.db.read() as conn:
            self.view.take([vm for vm in await store.living(conn) if self.directory.host(vm.host_id) is not None])

    async def start(self) -> None:
        self._spawner.spawn(self._flushing(), "flush")
        # The rules may have changed just before the last end.
        self._spawner.spawn(self._judge_kinds(), "kinds")

    async def aclose(self) -> None:
        await self._spawner.aclose()
        while self._unflushed:
            await self.flush()

    async def _flushing(self) -> None:
        while True:
            await self.clock.sleep(FLUSH_EVERY)
            try:
                await self.flush()
            except SQLAlchemyError:
                log.exception("the times of the last polls could not be written; trying again in a minute")

    async def flush(self) -> None:
        """Write when hosts last told of their guests; in between it lives in memory only. At most 500 hosts at a
        time, those that went away first: the others will tell again."""
        away = [host for host in self._unflushed if self.view.host_status(host) == "offline"]
        hosts = [*away, *(host for host in self._unflushed if self.view.host_status(host) != "offline")][:FLUSH_AT_MOST]
        self._unflushed.difference_update(hosts)
        moments = {host: at for host in hosts if (at := self.view.host_synced(host)) is not None}
        async with self.db.transaction() as tx:
            await store.synced(tx.conn, moments)

    def listen_samples(self, listener: SampleListener) -> None:
        """Told (host id, guest ids) when a poll brought new measurements."""
        self._sample_listeners.append(listener)

    # --- what hosts say

    async def apply(self, host_id: int, resources: Resources, began: float) -> None:
        """Take over a poll. ``began``: monotonic time at which it was asked; an older one than the last is dropped."""
        rows = listed(resources.guests)
        async with self._turns.hold(host_id):
            if self.directory.host(host_id) is None or began < self._asked.get(host_id, began):
                return
            self._asked[host_id] = began
            seen = {vmid: durable(row) for vmid, row in rows.items()}
            if self._seen.get(host_id) != seen:
                await self._compare(host_id, rows, began, seen)
            self._sampled(host_id, rows)

    async def _compare(
        self, host_id: int, rows: dict[int, GuestRow], began: float, seen: dict[int, tuple[object, ...]]
    ) -> None:
        known = self.view.of_host(host_id)
        empty = vanished(known, rows)
        confirmed = not empty or host_id in self._emptied
        held = self._holding(host_id, began)
        changes = diff(
            host_id,
            known,
            rows,
            self.clock.now(),
            self._kinds,
            confirmed=confirmed,
            held=held,
            last_seen=self.view.host_synced(host_id),
        )
        (self._emptied.add if empty and not confirmed else self._emptied.discard)(host_id)
        if changes:
            await self._write(host_id, changes)
        if confirmed and not held:
            # The same answer again means nothing new; anything else that changes a row of this host forgets it.
            self._seen[host_id] = seen
        else:
            self._seen.pop(host_id, None)

    async def apply_current(self, host_id: int, vmid: int, current: Current, began: float) -> Vm | None:
        """Take over ``status/current`` of one guest: polls that cannot know of it yet will not overwrite it."""
        async with self._turns.hold(host_id):
            vm = self.view.at(host_id, vmid)
            holds = self._held.setdefault(host_id, {})
            if vm is None or began < holds.get(vmid, began) or began + LAG < self._asked.get(host_id, began):
                return vm
            holds[vmid] = began
            self._seen.pop(host_id, None)
            new = with_current(vm, current)
            if new is not vm:
                new = replace(new, last_sync=self.clock.now())
                await self._write(host_id, Changes(changed=(new,), events=told(vm, new)))
            self._tell_samples(host_id, {vm.id: sample_of(new.status, current.cpu, current.mem, current.uptime)})
            return new

    async def apply_config(self, host_id: int, vmid: int, config: GuestConfig) -> Vm | None:
        """Take over a guest's configuration; one that belongs to another guest ends the old incarnation."""
        async with self._turns.hold(host_id):
            vm = self.view.at(host_id, vmid)
            if vm is None:
                return None
            new, replaced = with_config(vm, config, self.clock.now(), self._kinds)
            self._seen.pop(host_id, None)
            if not replaced:
                await self._write(host_id, Changes(changed=(new,), events=told(vm, new)))
                return self.view.at(host_id, vmid)
            events = (
                Event("vm.replaced", vmid, {"name": vm.name, "by": new.name}, old=True),
                Event("vm.added", vmid, {"name": new.name, "vm_type": new.kind}),
            )
            ended = replace(vm, ended_at=self.clock.now())
            await self._write(host_id, Changes(added=(new,), ended=(ended,), events=events))
            return self.view.at(host_id, vmid)

    async def apply_addresses(
        self, host_id: int, vmid: int, interfaces: Iterable[Interface], source: Literal["agent", "lxc"]
    ) -> None:
        """Take over the addresses seen inside a guest. One typed by hand stays; no address is no news."""
        address = choose_address(interfaces)
        async with self._turns.hold(host_id):
            vm = self.view.at(host_id, vmid)
            if vm is None or address is None or vm.ip_source == "hand" or (vm.ip, vm.ip_source) == (address, source):
                return
            await self._write(host_id, Changes(changed=(replace(vm, ip=address, ip_source=source),)))

    def use_kinds(self, rules: Sequence[KindRule]) -> None:
        """Names mean other kinds from now on: guests known already are judged again, also those of silent hosts."""
        if tuple(rules) == self._rules:
            return
        self._rules, self._kinds = tuple(rules), Kinds(rules)
        self._seen.clear()
        self._spawner.spawn(self._judge_kinds(), "kinds")

    async def _judge_kinds(self) -> None:
        for host in list(self.directory.hosts):
            async with self._turns.hold(host.id):
                self._seen.pop(host.id, None)
                if changes := rejudged(self.view.of_host(host.id), self._kinds):
                    await self._write(host.id, changes)
            await asyncio.sleep(0)

    def configs_due(self, host_id: int) -> list[Guest]:
        """Guests whose configuration should be read, the most urgent first; ask for one at a time."""
        limit = self.clock.now() - CONFIG_AGE
        due = [
            vm
            for vm in self.view.of_host(host_id).values()
            if vm.missing_since is None and vm.node and vm.name and (vm.config_at is None or vm.config_at < limit)
        ]
        due.sort(key=lambda vm: (vm.config_at is not None, vm.config_at or vm.created_at, vm.vmid))
        return [Guest(vm.node, vm.guest_type, vm.vmid) for vm in due]

    def addresses_due(self, host_id: int) -> list[Vm]:
        """Running guests whose address we could learn: containers, and guests with an agent configured."""
        return [
            vm
            for vm in self.view.of_host(host_id).values()
            if vm.status == "running" and vm.ip_source != "hand" and (vm.guest_type == "lxc" or vm.agent)
        ]

    def gone_due(self, host_id: int, days: int) -> list[Vm]:
        """Guests that their host has not listed for so many days; 0: none."""
        limit = self.clock.now() - timedelta(days=days)
        known = self.view.of_host(host_id).values() if days else ()
        return [vm for vm in known if vm.missing_since is not None and vm.missing_since <= limit]

    async def forget_gone(self, host_id: int, vmid: int, days: int) -> None:
        """The host, asked for this very guest, said that there is none: after so many days it is forgotten."""
        async with self._turns.hold(host_id):
            vm = next((vm for vm in self.gone_due(host_id, days) if vm.vmid == vmid), None)
            if vm is not None:
                await self._forget(SYSTEM, vm, {"since": vm.missing_since, "days": days})

    # --- what people say

    def scope(self, vm: Vm) -> Scope:
        """The guest with all its ancestors."""
        return below(self.directory.scope(vm.host_id), vm.id)

    def vm(self, actor: Actor, vm_id: int, privilege: Privilege = Privilege.SEE) -> Vm:
        """A guest the actor may see, and hold ``privilege`` on. Raises NotFound, Forbidden."""
        vm = self.view.get(vm_id) if 0 < vm_id <= ID_LIMIT else None
        if vm is None or not allows(actor, Privilege.SEE, self.scope(vm)):
            raise NotFound("inventory.vm_not_found", params={"id": str(vm_id)})
        require(actor, privilege, self.scope(vm))
        return vm

    def at(self, actor: Actor, host_id: int, vmid: int) -> Vm:
        """The guest under a VMID of a host, if the actor may see it. Raises NotFound."""
        vm = self.view.at(host_id, vmid)
        if vm is None or not allows(actor, Privilege.SEE, self.scope(vm)):
            raise NotFound("inventory.target_not_found", params={"host_id": str(host_id), "vmid": str(vmid)})
        return vm

    def resolve(self, actor: Actor, targets: Iterable[tuple[int, int]]) -> list[Vm]:
        """Guests named as (host id, VMID), each once. One that may not be seen refuses the whole: NotFound."""
        return [self.at(actor, host_id, vmid) for host_id, vmid in dict.fromkeys(targets)]

    def matching(self, actor: Actor, wanted: VmFilter) -> list[Vm]:
        """Every guest a filter means, within what the actor may see, by pharmacy."""
        found = self.select.ids(actor, wanted)
        ids = self.view.page(found, "pharmacy", len(self.view), 0)
        return [vm for vm_id in ids if (vm := self.view.get(vm_id)) is not None]

    def row(self, vm: Vm) -> VmRow:
        return self.rows.row(vm)

    def guest_facts(self, host_id: int) -> Sequence[GuestFact]:
        """For verdicts and VM counts of the hosts' room."""
        return self.standings.facts(host_id)

    def sync(self, actor: Actor, within: Set[int] | None = None) -> int:
        """Ask the pollers to look now at every host (or these) that the actor may see; how many those are."""
        hosts = [
            host.id
            for host in self.directory.hosts
            if (within is None or host.id in within) and allows(actor, Privilege.SEE, self.directory.scope(host.id))
        ]
        self.look_now(hosts)
        return len(hosts)

    async def edit(self, actor: Actor, vm_id: int, patch: VmPatch) -> Vm:
        """Set or give back what people may say about a guest."""
        host_id = self.vm(actor, vm_id, Privilege.GUEST_EDIT).host_id
        async with self._turns.hold(host_id):
            vm = self.vm(actor, vm_id, Privilege.GUEST_EDIT)
            new = edited(vm, patch, self._kinds)
            fields = {
                ON_THE_WIRE.get(name, name): [getattr(vm, name), getattr(new, name)]
                for name in ("kind", "kind_source", "description", "ip", "ip_source")
                if getattr(vm, name) != getattr(new, name)
            }
            if fields:
                await self._act(actor, "vm.edited", vm, new, {"fields": fields})
            return new

    async def purge(self, actor: Actor, vm_id: int) -> None:
        """Forget a missing guest with everything attached to it. Raises Conflict while its host still lists it."""
        host_id = self.vm(actor, vm_id, Privilege.GUEST_EDIT).host_id
        async with self._turns.hold(host_id):
            vm = self.vm(actor, vm_id, Privilege.GUEST_EDIT)
            if vm.missing_since is None:
                raise Conflict("inventory.vm_present", params={"name": vm.name, "vmid": vm.vmid})
            await self._forget(actor, vm, {"since": vm.missing_since})

    async def _forget(self, actor: Actor, vm: Vm, params: dict[str, object]) -> None:
        await self._act(actor, "vm.purged", vm, replace(vm, ended_at=self.clock.now()), params)

    async def _act(self, actor: Actor, kind: str, vm: Vm, new: Vm, params: dict[str, object]) -> None:
        entry = Entry(
            kind=kind,
            act_id=new_act_id(self.clock.now()),
            who=who(actor),
            where=where(self.scope(vm)),
            params={"name": vm.name, "vmid": vm.vmid, **params},
        )
        self._seen.pop(vm.host_id, None)
        async with self.db.transaction(durable=True) as tx:
            await tx.conn.run_sync(store.save, [new])
            await self.journal.append(tx, entry)
            tx.after_commit(lambda: self.view.take(*(([], [vm]) if new.ended_at else ([new], []))))

    # --- inside

    async def _write(self, host_id: int, changes: Changes) -> None:
        """Rows and events in one transaction, then the view. A host removed meanwhile takes its guests with it."""
        scope = self.directory.scope(host_id)
        ended = {vm.vmid: vm for vm in changes.ended}
        known = dict(self.view.of_host(host_id))

        def write(conn: Connection, tx: Tx) -> None:
            store.save(conn, [*changes.ended, *changes.changed])
            ids = store.add(conn, changes.added)
            added = [replace(vm, id=number) for vm, number in zip(changes.added, ids, strict=True)]
            living = known | {vm.vmid: vm for vm in (*changes.changed, *added)}
            self.journal.add(tx, *entries(changes.events, scope, living, ended.get))
            tx.after_commit(lambda: self._taken(host_id, [*changes.changed, *added], changes.ended))

        try:
            await self.db.do(write)
        except IntegrityError:
            if self.directory.host(host_id) is not None:
                raise

    def _taken(self, host_id: int, changed: list[Vm], ended: Collection[Vm]) -> None:
        if self.directory.host(host_id) is not None:
            self.view.take(changed, ended)

    def _holding(self, host_id: int, began: float) -> set[int]:
        """VMIDs whose run state we asked for so recently that this poll cannot know it yet."""
        holds = self._held.get(host_id, {})
        for vmid in [vmid for vmid, asked in holds.items() if began >= asked + LAG]:
            del holds[vmid]
        if not holds:
            self._held.pop(host_id, None)
        return set(holds)

    def _sampled(self, host_id: int, rows: dict[int, GuestRow]) -> None:
        known = self.view.of_host(host_id)
        samples = {
            vm.id: sample_of(vm.status, row.cpu, row.mem, row.uptime)
            for vmid, row in rows.items()
            if (vm := known.get(vmid)) is not None
        }
        self._tell_samples(host_id, samples)

    def _tell_samples(self, host_id: int, samples: dict[int, Sample]) -> None:
        self.view.sampled(host_id, self.clock.now(), samples)
        self._unflushed.add(host_id)
        self.rows.forget(samples)
        for listener in self._sample_listeners:
            listener(host_id, samples.keys())
