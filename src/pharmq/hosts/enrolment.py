"""Many pharmacies and hosts at once: a dry run that shows every fingerprint, then one transaction per line."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta
from sqlalchemy.exc import IntegrityError

from pharmq.access import EVERYTHING, Actor, Privilege, Scope, require, scope_of
from pharmq.base.clock import within
from pharmq.base.errors import FieldError, Invalid, PharmqError
from pharmq.hosts import store
from pharmq.hosts.address import parse
from pharmq.hosts.csv_rows import EnrolRow, ReadRow, check, decode, pharmacy_values, read, with_duplicates
from pharmq.hosts.forms import PharmacyForm
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import Check, Host, Pharmacy, PharmacyGroup, Pin
from pharmq.hosts.pharmacies import PharmaciesService
from pharmq.hosts.proving import PORTS, Proof, fingerprint_of, look, moment
from pharmq.hosts.saving import save_new
from pharmq.pve import PveError

PROBES_AT_ONCE = 16
PROBE_WITHIN = 15.0
"""Seconds for one host, both ports."""

Errors = dict[str, list[FieldError]]


class PharmacyPart(msgspec.Struct, frozen=True):
    code: str
    name: str
    representative: str
    phone: str
    address: str
    region: str
    chain: str
    hours: object
    closing_days: tuple[str, ...]
    note: str


class CheckedRow(msgspec.Struct, frozen=True):
    """``result`` ok: may be enrolled once its fingerprint is confirmed; exists: already here; error: see ``errors``."""

    line: int
    pharmacy: PharmacyPart
    host_ip: str
    host_port: int | None
    node: str
    result: Literal["ok", "exists", "error"]
    fingerprint: str | None
    not_after: str | None
    errors: Errors


class EnrolledRow(msgspec.Struct, frozen=True):
    line: int
    result: Literal["ok", "exists", "error"]
    host_id: int | None
    errors: Errors


class EnrolForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rows: Annotated[tuple[EnrolRow, ...], Meta(min_length=1, max_length=2000)]
    credential_id: Annotated[int, Meta(ge=1, le=2**53)]


class _Refused(Exception):
    def __init__(self, errors: Errors) -> None:
        super().__init__("a line was refused")
        self.errors = errors


class _Seen(NamedTuple):
    """What the host showed a moment before it is saved."""

    port: int
    not_after: str


class Enrolment:
    """Both calls look at hosts without any credential; the credential is first used by the polls that follow."""

    def __init__(self, ground: Ground, pharmacies: PharmaciesService) -> None:
        self.ground = ground
        self.pharmacies = pharmacies
        self._probes = asyncio.Semaphore(PROBES_AT_ONCE)
        self._one_at_a_time = asyncio.Lock()

    async def check(self, actor: Actor, text: str | None, raw: bytes | None = None) -> list[CheckedRow]:
        """Read the list (its text, or the file's bytes) and look at every host; nothing is saved. Raises Invalid
        when it cannot be read at all."""
        _require(actor)
        if (text is None) == (raw is None):
            raise Invalid("request.invalid", fields={"csv": [FieldError("request.required")]})
        if raw is not None:
            text = decode(raw)
        assert text is not None
        return list(await asyncio.gather(*(self._checked(row) for row in read(text))))

    async def _checked(self, found: ReadRow) -> CheckedRow:
        row, errors = found.row, dict(found.errors)
        result: Literal["ok", "exists", "error"] = "ok"
        fingerprint = not_after = None
        port = row.host_port
        if "host_ip" not in errors and "host_port" not in errors:
            address, ports = _place(row)
            if (known := self._known(address, ports)) is not None:
                result, port = "exists", known.host_port
                fingerprint = known.pins[0].fingerprint if known.pins else None
            else:
                try:
                    async with self._probes:
                        seen = await within(self.ground.clock, PROBE_WITHIN, look(address, ports))
                except TimeoutError:
                    errors["host_ip"] = [FieldError("pve.timeout")]
                except PveError as error:
                    errors["host_ip"] = [FieldError(f"pve.{error.code}", dict(error.params))]
                else:
                    fingerprint, not_after = seen.certificate.fingerprint, seen.certificate.not_after
                    port = seen.endpoint.port
                    if not seen.is_proxmox:
                        errors["host_ip"] = [FieldError("host.not_proxmox", {"server": seen.server})]
        if errors and result != "exists":
            result = "error"
        return CheckedRow(row.line, _part(row), row.host_ip, port, row.node, result, fingerprint, not_after, errors)

    async def enrol(self, actor: Actor, form: EnrolForm) -> list[EnrolledRow]:
        """Save every good line, each in a transaction of its own; the others come back with what is wrong.

        Running it again with the same lines changes nothing. A line without a confirmed fingerprint is refused.
        """
        _require(actor)
        async with self.ground.db.read() as conn:
            chosen = await store.credential_set(conn, form.credential_id)
        if chosen is None:
            raise Invalid("request.invalid", fields={"credential_id": [FieldError("credential.not_found")]})
        numbered = [msgspec.structs.replace(row, line=row.line or place + 2) for place, row in enumerate(form.rows)]
        rows = with_duplicates([ReadRow(row, check(row)) for row in numbered])
        shown = await asyncio.gather(*(self._shown(row) for row in rows))
        found = []
        async with self._one_at_a_time:
            for read_row, seen in zip(rows, shown, strict=True):
                found.append(await self._line(actor, read_row, chosen, seen))
        return found

    async def _shown(self, found: ReadRow) -> _Seen | PharmqError | None:
        """The certificate's end where the host shows the confirmed one; an error where it shows another; None where
        it is silent just now: what was confirmed is kept, and the polls will tell."""
        if found.errors or found.row.fingerprint is None:
            return None
        address, ports = _place(found.row)
        if self._known(address, ports) is not None:
            return None
        try:
            wanted = fingerprint_of(found.row.fingerprint)
            async with self._probes:
                seen = await within(self.ground.clock, PROBE_WITHIN, look(address, ports))
        except Invalid as error:
            return error
        except (PveError, TimeoutError):
            return None
        if seen.certificate.fingerprint != wanted:
            return Invalid("host.fingerprint_differs", params={"fingerprint": seen.certificate.fingerprint})
        return _Seen(seen.endpoint.port, seen.certificate.not_after)

    async def _line(
        self, actor: Actor, found: ReadRow, chosen: store.StoredSet, seen: _Seen | PharmqError | None
    ) -> EnrolledRow:
        row = found.row
        try:
            if found.errors:
                raise _Refused(found.errors)
            address, ports = _place(row)
            if (known := self._known(address, ports)) is not None:
                return EnrolledRow(row.line, "exists", known.id, {})
            if row.fingerprint is None:
                raise _Refused({"fingerprint": [FieldError("host.fingerprint_unconfirmed")]})
            if isinstance(seen, PharmqError):
                raise _Refused({"fingerprint": [FieldError(seen.code, _flat(seen))]})
            host_id = await self._save(actor, row, address, ports[0], chosen, seen)
        except _Refused as refused:
            return EnrolledRow(row.line, "error", None, refused.errors)
        except Invalid as error:
            errors = {name: list(wrong) for name, wrong in error.fields.items()}
            return EnrolledRow(row.line, "error", None, errors or {"line": [FieldError(error.code)]})
        return EnrolledRow(row.line, "ok", host_id, {})

    async def _save(
        self,
        actor: Actor,
        row: EnrolRow,
        address: str,
        port: int,
        chosen: store.StoredSet,
        seen: _Seen | None,
    ) -> int:
        """One line in one transaction: groups and pharmacy where they are new, the host, its pin."""
        directory, services = self.ground.directory, self.pharmacies
        known = directory.by_code(row.code.strip())
        draft = known or services.drafted(0, _form(row))
        assert row.fingerprint is not None
        pin = Pin(fingerprint_of(row.fingerprint), moment(seen.not_after) if seen else None)
        port = seen.port if seen else port
        new_groups: list[PharmacyGroup] = []
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                pharmacy = draft
                if known is None:
                    group_ids = []
                    for kind, name in _groups(row):
                        group = next((g for g in directory.groups if (g.kind, g.name) == (kind, name)), None)
                        if group is None:
                            group = await services.save_new_group(actor, name, kind, tx)
                            new_groups.append(group)
                        group_ids.append(group.id)
                    draft = msgspec.structs.replace(draft, group_ids=tuple(sorted(group_ids)))
                    pharmacy = await services.save_new(actor, draft, tx)
                host = Host(
                    id=0,
                    pharmacy_id=pharmacy.id,
                    host_ip=address,
                    addresses=(),
                    host_port=port,
                    node=row.node or None,
                    credential_id=chosen.id,
                    credential_kind=chosen.kind,
                    username=chosen.username,
                    credential_revision=chosen.revision,
                    pins=(pin,),
                )
                proof = Proof(host, Check(at=self.ground.clock.now(), reason="never_checked"))
                scope = _inside(pharmacy)
                saved, state = await save_new(self.ground, tx, actor, proof, None, scope, pharmacy.name)
        except IntegrityError as error:
            raise _Refused({"host_ip": [FieldError("host.address_taken", {"host": address, "port": port})]}) from error
        for group in new_groups:
            directory.put_group(group)
        if known is None:
            directory.put_pharmacy(pharmacy)
        directory.put_host(saved, state)
        return saved.id

    def _known(self, address: str, ports: Sequence[int]) -> Host | None:
        for port in ports:
            if (known := self.ground.directory.at(address, port)) is not None:
                return known
        return None


def _require(actor: Actor) -> None:
    require(actor, Privilege.PHARMACY_EDIT, EVERYTHING)
    require(actor, Privilege.HOST_EDIT, EVERYTHING)


def _place(row: EnrolRow) -> tuple[str, tuple[int, ...]]:
    place = parse(row.host_ip)
    port = row.host_port or place.port
    return place.address, (port,) if port else PORTS


def _form(row: EnrolRow) -> PharmacyForm:
    return msgspec.structs.replace(msgspec.convert(pharmacy_values(row), PharmacyForm), hours=row.hours)


def _groups(row: EnrolRow) -> list[tuple[Literal["region", "chain"], str]]:
    found: list[tuple[Literal["region", "chain"], str]] = []
    if row.region.strip():
        found.append(("region", row.region.strip()))
    if row.chain.strip():
        found.append(("chain", row.chain.strip()))
    return found


def _inside(pharmacy: Pharmacy) -> Scope:
    return scope_of(groups=pharmacy.group_ids, pharmacy_id=pharmacy.id)


def _part(row: EnrolRow) -> PharmacyPart:
    return PharmacyPart(
        row.code,
        row.name,
        row.representative,
        row.phone,
        row.address,
        row.region,
        row.chain,
        row.hours,
        row.closing_days,
        row.note,
    )


def _flat(error: PharmqError) -> dict[str, str | int | float | bool | None]:
    return {name: value for name, value in error.params.items() if isinstance(value, (str, int, float, bool))}
