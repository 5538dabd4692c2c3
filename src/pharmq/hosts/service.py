"""Hosts: enrol, change, remove, pin, and what each check of a host means for its state."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET
from sqlalchemy.exc import IntegrityError

from pharmq.access import Actor, Privilege, Scope, allows, require, where, who
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, FieldError, Invalid, invalid_field
from pharmq.base.ids import new_act_id
from pharmq.db import Database
from pharmq.hosts import store, views
from pharmq.hosts.address import parse
from pharmq.hosts.checks import HostChecks
from pharmq.hosts.choosing import Chosen, choose, latched
from pharmq.hosts.clients import HOSTS_COLUMN, HOSTS_TABLE, HostClients
from pharmq.hosts.credentials import CredentialsService
from pharmq.hosts.directory import Directory
from pharmq.hosts.enrolment import Enrolment
from pharmq.hosts.forms import HostForm, HostPatch, OwnCredential
from pharmq.hosts.ground import Ground
from pharmq.hosts.health import HealthView, ProbeView, health, probe_view
from pharmq.hosts.model import Check, GuestFact, Host, HostRow, HostState, HostStatus, Pharmacy
from pharmq.hosts.pharmacies import PharmaciesService
from pharmq.hosts.pinning import confirmed_pin, repin
from pharmq.hosts.proving import PORTS, Proof, fingerprint_of, prove
from pharmq.hosts.saving import save_new
from pharmq.hosts.states import step
from pharmq.journal import Entry, Journal
from pharmq.settings import RuntimeSettings
from pharmq.vault import Vault

GuestFacts = Callable[[int], Sequence[GuestFact]]


class HostsService:
    """``pharmacies``, ``credentials`` and ``enrolment`` are the other services of this room.

    ``guest_facts`` (host id -> its guests) is put in by whoever knows guests; rows and verdicts use it.
    """

    def __init__(
        self,
        db: Database,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        clients: HostClients,
        clock: Clock,
        settings: Callable[[], RuntimeSettings] = RuntimeSettings,
    ) -> None:
        self.ground = Ground(db, journal, vault, directory, clients, clock, settings)
        self.db = db
        self.directory = directory
        self.clients = clients
        self.clock = clock
        self.guest_facts: GuestFacts = lambda _: ()
        self.pharmacies = PharmaciesService(self.ground, self._facts)
        self.credentials = CredentialsService(self.ground)
        self.enrolment = Enrolment(self.ground, self.pharmacies)
        self.checks = HostChecks(self.ground)

    def _facts(self, host_id: int) -> Sequence[GuestFact]:
        return self.guest_facts(host_id)

    # --- life

    async def load(self) -> None:
        """Read everything into the directory; once, before ``start``."""
        async with self.db.read() as conn:
            found = await store.everything(conn)
        for host_id, sealed in found.sealed.items():
            self.clients.keep(host_id, sealed)
        for credential_id, sealed in found.sealed_sets.items():
            self.clients.keep_set(credential_id, sealed)
        self.directory.fill(found.groups, found.pharmacies, found.hosts)

    async def start(self) -> None:
        await self.checks.start()

    async def aclose(self) -> None:
        await self.checks.aclose()

    # --- reading

    def list(
        self,
        actor: Actor,
        *,
        pharmacy_id: int | None = None,
        status: Sequence[HostStatus] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[list[HostRow], int]:
        """Hosts the actor may see, oldest first, and how many there are."""
        found = [
            host
            for host in self.directory.hosts
            if (pharmacy_id is None or host.pharmacy_id == pharmacy_id)
            and (not status or self.directory.status(host.id) in status)
            and allows(actor, Privilege.SEE, self.directory.scope(host.id))
        ]
        found.sort(key=lambda host: host.id)
        return [self.row(host.id) for host in found[offset : offset + limit]], len(found)

    def get(self, actor: Actor, host_id: int) -> HostRow:
        host, _ = self.ground.host(actor, host_id)
        return self.row(host.id)

    def row(self, host_id: int) -> HostRow:
        """A host as the API shows it. No permission is asked. Raises KeyError for an unknown one."""
        return views.host_row(self.directory, host_id, len(self._facts(host_id)))

    # --- looking at addresses and hosts now

    async def probe(self, actor: Actor, address: str, port: int | None) -> ProbeView:
        """What stands behind an address; sends no credential."""
        require(actor, Privilege.HOST_EDIT, self._somewhere(actor))
        place, ports = self._place(address, port, "address")
        return await probe_view(place, ports)

    async def health(self, actor: Actor, host_id: int) -> HealthView:
        """A live look within 4.5 s, else what is known with its age."""
        host, _ = self.ground.host(actor, host_id)
        view, check = await health(self.clients, self.directory, self.clock, host)
        if check is not None:
            await self.record(host_id, check)
        return view

    # --- changing

    async def add(self, actor: Actor, form: HostForm) -> HostRow:
        """Prove, then save. Raises Invalid (naming the field), Conflict (fingerprint, address already taken)."""
        pharmacy, scope = self._pharmacy(actor, form.pharmacy_id)
        place, ports = self._place(form.host_ip, form.host_port)
        draft = Host(
            id=0,
            pharmacy_id=form.pharmacy_id,
            host_ip=place,
            addresses=_alternates(form.addresses),
            host_port=ports[0],
            node=(form.node or "").strip() or None,
            credential_id=form.credential_id,
            credential_kind="password",
            username="",
            credential_revision=1,
            maintenance=form.maintenance,
            maintenance_note=form.maintenance_note.strip(),
        )
        draft, chosen = await choose(self.ground, draft, form.credential_id, form.credential)
        for port in ports:
            self._require_free(draft.host_ip, port, None)
        proof = await self._prove(draft, ports, chosen, form.fingerprint, form.fingerprints, force=form.force)
        try:
            async with self.db.transaction(durable=True) as tx:
                host, state = await save_new(self.ground, tx, actor, proof, chosen.own_secret, scope, pharmacy.name)
        except IntegrityError as error:
            raise _taken(proof.host.host_ip, proof.host.host_port) from error
        self.directory.put_host(host, state)
        return self.row(host.id)

    async def change(self, actor: Actor, host_id: int, patch: HostPatch) -> HostRow:
        """Change what is given. A new address, credential or fingerprint is proved like a new host."""
        host, scope = self.ground.host(actor, host_id, Privilege.HOST_EDIT)
        draft, ports = self._drafted(actor, host, patch)
        chosen: Chosen | None = None
        if isinstance(patch.credential_id, int) or isinstance(patch.credential, OwnCredential):
            credential_id = patch.credential_id if isinstance(patch.credential_id, int) else None
            own = patch.credential if isinstance(patch.credential, OwnCredential) else None
            draft, chosen = await choose(self.ground, draft, credential_id, own)
        moved = (draft.host_ip, draft.host_port, draft.addresses) != (host.host_ip, host.host_port, host.addresses)
        state = self.directory.state(host.id)
        seen: tuple[Entry, ...] = ()
        fingerprint = patch.fingerprint if isinstance(patch.fingerprint, str) else None
        if moved or chosen is not None or fingerprint is not None:
            for port in ports:
                self._require_free(draft.host_ip, port, host.id)
            tried = chosen or Chosen(self.clients.credential(host), None, "credential_id")
            pinned = fingerprint or (host.pins[0].fingerprint if host.pins else None)
            proof = await self._prove(draft, ports, tried, pinned, patch.fingerprints, force=patch.force)
            found = step(proof.host, state, proof.check, 1, where(scope))
            draft, state, seen = proof.host, found.state, found.entries
            if state.reason is not None and proof.check.credential_revision == draft.credential_revision:
                draft = latched(draft, state.reason)
        async with self.checks.turns.hold(host.id):
            if self.directory.host(host.id) != host:
                # Somebody else was quicker; what was proved may not fit what stands there now.
                raise Conflict("host.changed_meanwhile", params={"host": host.host_ip})
            return await self._save(actor, host, draft, state, chosen, scope, seen)

    def _drafted(self, actor: Actor, host: Host, patch: HostPatch) -> tuple[Host, tuple[int, ...]]:
        ip, port = host.host_ip, host.host_port
        ports: tuple[int, ...] = (port,)
        if patch.host_ip is not UNSET or patch.host_port is not UNSET:
            wanted = patch.host_ip if patch.host_ip is not UNSET else ip
            ip, ports = self._place(wanted, patch.host_port if patch.host_port is not UNSET else None)
            if patch.host_port is UNSET and ip == host.host_ip:
                ports = (port,)
        if patch.pharmacy_id is not UNSET:
            self._pharmacy(actor, patch.pharmacy_id)
        draft = msgspec.structs.replace(
            host,
            host_ip=ip,
            host_port=ports[0],
            pharmacy_id=host.pharmacy_id if patch.pharmacy_id is UNSET else patch.pharmacy_id,
            addresses=host.addresses if patch.addresses is UNSET else _alternates(patch.addresses),
            node=host.node if patch.node is UNSET else (patch.node or "").strip() or None,
            maintenance=host.maintenance if patch.maintenance is UNSET else patch.maintenance,
            maintenance_note=(
                host.maintenance_note if patch.maintenance_note is UNSET else patch.maintenance_note.strip()
            ),
        )
        return draft, ports

    async def _save(
        self,
        actor: Actor,
        before: Host,
        draft: Host,
        state: HostState,
        chosen: Chosen | None,
        scope: Scope,
        seen: tuple[Entry, ...],
    ) -> HostRow:
        now = self.clock.now()
        pharmacy = self.directory.pharmacy(draft.pharmacy_id)
        sealed: bytes | None = None
        try:
            async with self.db.transaction(durable=True) as tx:
                await store.update_host(tx.conn, draft, state, pharmacy.name if pharmacy else "", now)
                if draft.pins != before.pins:
                    await store.set_pins(tx.conn, draft.id, draft.pins, actor.id, now)
                if chosen is not None:
                    if chosen.own_secret is not None:
                        sealed = self.ground.vault.seal(chosen.own_secret, HOSTS_TABLE, draft.id, HOSTS_COLUMN)
                    await store.set_password(tx.conn, draft.id, sealed)
                    tx.after_commit(lambda: self.clients.keep(draft.id, sealed))
                entry = Entry(
                    kind="host.changed",
                    act_id=new_act_id(now),
                    who=who(actor),
                    where=where(scope),
                    params={"fields": _differing(before, draft), "host": draft.host_ip},
                )
                await self.ground.journal.append(tx, entry, *seen)
        except IntegrityError as error:
            raise _taken(draft.host_ip, draft.host_port) from error
        self.directory.put_host(draft, state)
        return self.row(draft.id)

    async def remove(self, actor: Actor, host_id: int, *, force: bool = False) -> None:
        """Forget a host and its guests. Raises Conflict with the number of guests unless ``force``."""
        host, scope = self.ground.host(actor, host_id, Privilege.HOST_EDIT)
        guests = len(self._facts(host_id))
        if guests and not force:
            raise Conflict("host.has_guests", params={"count": guests, "host": host.host_ip})
        async with self.db.transaction(durable=True) as tx:
            await store.delete_host(tx.conn, host_id)
            entry = Entry(
                kind="host.removed",
                act_id=new_act_id(self.clock.now()),
                who=who(actor),
                where=where(scope),
                params={"host": host.host_ip, "port": host.host_port, "guests": guests},
            )
            await self.ground.journal.append(tx, entry)
            tx.after_commit(lambda: self.directory.drop_host(host_id))

    async def pin(self, actor: Actor, host_id: int, fingerprint: str) -> HostRow:
        """Accept another certificate. Where the host answers, it must be the one it shows now. Raises Conflict."""
        host, scope = self.ground.host(actor, host_id, Privilege.HOST_EDIT)
        confirmed = await confirmed_pin(host, fingerprint)
        async with self.checks.turns.hold(host_id):
            await repin(self.ground, actor, host_id, confirmed, scope)
        return self.row(host_id)

    # --- what a check means

    async def record(self, host_id: int, check: Check) -> HostState:
        """Take over one look at a host; see ``HostChecks.record``."""
        return await self.checks.record(host_id, check)

    async def _prove(
        self,
        draft: Host,
        ports: tuple[int, ...],
        chosen: Chosen,
        fingerprint: str | None,
        others: Sequence[str],
        *,
        force: bool,
    ) -> Proof:
        wanted = None if fingerprint is None else fingerprint_of(fingerprint)
        further = frozenset(fingerprint_of(text, "fingerprints") for text in others)
        return await prove(
            self.clients,
            self.clock,
            draft,
            ports,
            chosen.credential,
            wanted,
            chosen.field,
            force=force,
            others=further,
        )

    def _pharmacy(self, actor: Actor, pharmacy_id: int) -> tuple[Pharmacy, Scope]:
        pharmacy = self.directory.pharmacy(pharmacy_id)
        if pharmacy is not None:
            scope = self.directory.scope_of_pharmacy(pharmacy_id)
            if allows(actor, Privilege.SEE, scope):
                require(actor, Privilege.HOST_EDIT, scope)
                return pharmacy, scope
        raise Invalid("request.invalid", fields={"pharmacy_id": [FieldError("pharmacy.not_found")]})

    def _somewhere(self, actor: Actor) -> Scope:
        """For acts that touch no object yet: the scope of any grant that lets the actor edit hosts."""
        paths = {grant.path for grant in actor.grants if Privilege.HOST_EDIT in grant.privileges}
        return Scope(frozenset(paths or {"/"}))

    def _place(self, address: str, port: int | None, field: str = "host_ip") -> tuple[str, tuple[int, ...]]:
        try:
            place = parse(address)
        except ValueError:
            raise Invalid(
                "request.invalid", fields={field: [FieldError("host.address_malformed", {"text": address})]}
            ) from None
        port = port or place.port
        return place.address, (port,) if port else PORTS

    def _require_free(self, address: str, port: int, own: int | None) -> None:
        taken = self.directory.at(address, port)
        if taken is not None and taken.id != own:
            raise _taken(address, port)


def _alternates(addresses: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for address in addresses:
        try:
            found[parse(address).address] = None
        except ValueError:
            raise invalid_field("addresses", "host.address_malformed", text=address) from None
    return tuple(found)


def _taken(address: str, port: int) -> Conflict:
    return Conflict(
        "host.address_taken",
        params={"host": address, "port": port},
        fields={"host_ip": [FieldError("host.address_taken", {"host": address, "port": port})]},
    )


def _differing(before: Host, after: Host) -> list[str]:
    names = [
        name
        for name in before.__struct_fields__
        if name not in ("refused_revision", "credential_revision") and getattr(before, name) != getattr(after, name)
    ]
    if before.credential_revision != after.credential_revision:
        names.append("credential")
    return names
