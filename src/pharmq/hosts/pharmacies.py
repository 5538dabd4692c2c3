"""Pharmacies and their groups."""

from collections.abc import Callable, Sequence
from datetime import date

import msgspec
from sqlalchemy.exc import IntegrityError

from pharmq.access import EVERYTHING, Actor, Privilege, Scope, allows, require, scope_of, where, who
from pharmq.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from pharmq.base.ids import new_act_id
from pharmq.db import Tx
from pharmq.hosts import store, views
from pharmq.hosts.forms import GroupForm, PharmacyForm
from pharmq.hosts.ground import Ground
from pharmq.hosts.hours import faults
from pharmq.hosts.model import GroupKind, GuestFact, Pharmacy, PharmacyGroup, PharmacyRow
from pharmq.journal import Entry


class PharmaciesService:
    """``facts``: host id -> what is known of its guests, for the verdict."""

    def __init__(self, ground: Ground, facts: Callable[[int], Sequence[GuestFact]]) -> None:
        self.ground = ground
        self.directory = ground.directory
        self._facts = facts

    # --- reading

    def list(
        self, actor: Actor, *, group_id: int | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[list[PharmacyRow], int]:
        """Pharmacies the actor may see, by code, and how many there are."""
        found = [
            pharmacy
            for pharmacy in self.directory.pharmacies
            if (group_id is None or group_id in pharmacy.group_ids)
            and allows(actor, Privilege.SEE, self.directory.scope_of_pharmacy(pharmacy.id))
        ]
        found.sort(key=lambda pharmacy: pharmacy.code)
        return [self.row(pharmacy.id) for pharmacy in found[offset : offset + limit]], len(found)

    def get(self, actor: Actor, pharmacy_id: int) -> PharmacyRow:
        pharmacy, _ = self.ground.pharmacy(actor, pharmacy_id)
        return self.row(pharmacy.id)

    def row(self, pharmacy_id: int) -> PharmacyRow:
        """A pharmacy as the API shows it, judged now. No permission is asked. Raises KeyError for an unknown one."""
        pharmacy = self.directory.pharmacy(pharmacy_id)
        if pharmacy is None:
            raise KeyError(pharmacy_id)
        guests = [fact for host_id in self.directory.hosts_of(pharmacy_id) for fact in self._facts(host_id)]
        warn_days = self.ground.settings().certificate_warning_days
        return views.pharmacy_row(self.directory, pharmacy, guests, self.ground.clock.now(), warn_days)

    # --- changing

    async def add(self, actor: Actor, form: PharmacyForm) -> PharmacyRow:
        pharmacy = self.drafted(0, form)
        require(actor, Privilege.PHARMACY_EDIT, scope_of(groups=pharmacy.group_ids))
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                stored = await self.save_new(actor, pharmacy, tx)
        except IntegrityError as error:
            raise _code_taken(pharmacy.code) from error
        self.directory.put_pharmacy(stored)
        return self.row(stored.id)

    async def save_new(self, actor: Actor, pharmacy: Pharmacy, tx: Tx) -> Pharmacy:
        """Write a new pharmacy in ``tx``; the caller puts it into the directory after the commit."""
        now = self.ground.clock.now()
        stored = await store.insert_pharmacy(tx.conn, pharmacy, now)
        scope = scope_of(groups=stored.group_ids, pharmacy_id=stored.id)
        await self._note(tx, actor, "pharmacy.added", scope, {"name": stored.name, "code": stored.code})
        return stored

    async def change(self, actor: Actor, pharmacy_id: int, form: PharmacyForm) -> PharmacyRow:
        before, scope = self.ground.pharmacy(actor, pharmacy_id, Privilege.PHARMACY_EDIT)
        after = self.drafted(pharmacy_id, form)
        if after.group_ids != before.group_ids:
            # Else somebody could move a pharmacy out of, or into, the reach of others.
            for group_id in set(after.group_ids) ^ set(before.group_ids):
                require(actor, Privilege.PHARMACY_EDIT, scope_of(groups=(group_id,)))
        fields = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                await store.update_pharmacy(tx.conn, after, self.ground.clock.now())
                told: dict[str, object] = {"name": after.name, "fields": fields}
                told |= {flag: getattr(after, flag) for flag in ("screens_allowed", "screen_reason") if flag in fields}
                await self._note(tx, actor, "pharmacy.changed", scope, told)
        except IntegrityError as error:
            raise _code_taken(after.code) from error
        self.directory.put_pharmacy(after)
        return self.row(pharmacy_id)

    async def remove(self, actor: Actor, pharmacy_id: int) -> None:
        """Raises Conflict while it has hosts."""
        pharmacy, scope = self.ground.pharmacy(actor, pharmacy_id, Privilege.PHARMACY_EDIT)
        if hosts := self.directory.hosts_of(pharmacy_id):
            raise Conflict("pharmacy.has_hosts", params={"name": pharmacy.name, "count": len(hosts)})
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                await store.delete_pharmacy(tx.conn, pharmacy_id)
                await self._note(tx, actor, "pharmacy.removed", scope, {"name": pharmacy.name, "code": pharmacy.code})
        except IntegrityError as error:
            raise Conflict("pharmacy.has_hosts", params={"name": pharmacy.name, "count": 1}) from error
        self.directory.drop_pharmacy(pharmacy_id)

    def drafted(self, pharmacy_id: int, form: PharmacyForm) -> Pharmacy:
        """The form as a pharmacy. Raises Invalid naming each field that is wrong."""
        fields: dict[str, Sequence[FieldError]] = {}
        code, name = form.code.strip(), form.name.strip()
        for field, text in (("code", code), ("name", name)):
            if not text:
                fields[field] = [FieldError("request.required")]
        if wrong := faults(form.hours):
            fields["hours"] = [FieldError("pharmacy.hours_malformed", {"day": day}) for day in wrong]
        if malformed := [day for day in form.closing_days if not _is_day(day)]:
            fields["closing_days"] = [FieldError("pharmacy.day_malformed", {"day": day}) for day in malformed]
        if unknown := [number for number in form.group_ids if self.directory.group(number) is None]:
            fields["group_ids"] = [FieldError("group.not_found", {"id": str(number)}) for number in unknown]
        known = self.directory.by_code(code)
        if known is not None and known.id != pharmacy_id:
            fields["code"] = [FieldError("pharmacy.code_taken", {"code": code})]
        if fields:
            raise Invalid("request.invalid", fields=fields)
        before = self.directory.pharmacy(pharmacy_id)
        return Pharmacy(
            id=pharmacy_id,
            code=code,
            name=name,
            representative=form.representative.strip(),
            phone=form.phone.strip(),
            address=form.address.strip(),
            hours=form.hours,
            closing_days=tuple(sorted(set(form.closing_days))),
            note=form.note.strip(),
            group_ids=tuple(sorted(set(form.group_ids))),
            screens_allowed=_or(form.screens_allowed, before.screens_allowed if before else True),
            screen_reason=_or(form.screen_reason, before.screen_reason if before else False),
        )

    # --- groups

    def groups(self, actor: Actor) -> Sequence[PharmacyGroup]:
        """Groups the actor may see: its own, or one with a pharmacy it may see."""
        return sorted(
            (group for group in self.directory.groups if self._sees(actor, group.id)),
            key=lambda group: (group.kind, group.name),
        )

    def _sees(self, actor: Actor, group_id: int) -> bool:
        return allows(actor, Privilege.SEE, scope_of(groups=(group_id,))) or any(
            allows(actor, Privilege.SEE, self.directory.scope_of_pharmacy(member))
            for member in self.directory.members(group_id)
        )

    async def add_group(self, actor: Actor, form: GroupForm) -> PharmacyGroup:
        require(actor, Privilege.PHARMACY_EDIT, EVERYTHING)
        name = self._group_name(form, None)
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                group = await self.save_new_group(actor, name, form.kind, tx)
        except IntegrityError as error:
            raise _group_taken(name) from error
        self.directory.put_group(group)
        return group

    async def save_new_group(self, actor: Actor, name: str, kind: GroupKind, tx: Tx) -> PharmacyGroup:
        """Write a new group in ``tx``; the caller puts it into the directory after the commit."""
        group = PharmacyGroup(await store.insert_group(tx.conn, name, kind), name, kind)
        await self._note(tx, actor, "group.added", scope_of(groups=(group.id,)), {"name": name, "kind": kind})
        return group

    async def change_group(self, actor: Actor, group_id: int, form: GroupForm) -> PharmacyGroup:
        self._group(actor, group_id)
        group = PharmacyGroup(group_id, self._group_name(form, group_id), form.kind)
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                await store.update_group(tx.conn, group)
                scope = scope_of(groups=(group_id,))
                await self._note(tx, actor, "group.changed", scope, {"name": group.name, "kind": group.kind})
        except IntegrityError as error:
            raise _group_taken(group.name) from error
        self.directory.put_group(group)
        return group

    async def remove_group(self, actor: Actor, group_id: int) -> None:
        """Its pharmacies stay, without it."""
        group = self._group(actor, group_id)
        members = self.directory.members(group_id)
        async with self.ground.db.transaction(durable=True) as tx:
            await store.delete_group(tx.conn, group_id)
            await self._note(
                tx, actor, "group.removed", scope_of(groups=(group_id,)), {"name": group.name, "count": len(members)}
            )
        for number in members:
            if (pharmacy := self.directory.pharmacy(number)) is not None:
                rest = tuple(other for other in pharmacy.group_ids if other != group_id)
                self.directory.put_pharmacy(msgspec.structs.replace(pharmacy, group_ids=rest))
        self.directory.drop_group(group_id)

    def _group(self, actor: Actor, group_id: int) -> PharmacyGroup:
        group = self.directory.group(group_id)
        if group is None or not self._sees(actor, group_id):
            raise NotFound("group.not_found", params={"id": str(group_id)})
        if not allows(actor, Privilege.PHARMACY_EDIT, EVERYTHING):
            raise Forbidden("access.forbidden", params={"privilege": Privilege.PHARMACY_EDIT.value})
        return group

    def _group_name(self, form: GroupForm, own: int | None) -> str:
        name = form.name.strip()
        if not name:
            raise Invalid("request.invalid", fields={"name": [FieldError("request.required")]})
        taken = any(g.name == name and g.kind == form.kind and g.id != own for g in self.directory.groups)
        if taken:
            raise _group_taken(name)
        return name

    async def _note(self, tx: Tx, actor: Actor, kind: str, scope: Scope, params: dict[str, object]) -> None:
        entry = Entry(
            kind=kind,
            act_id=new_act_id(self.ground.clock.now()),
            who=who(actor),
            where=where(scope),
            params=params,
        )
        await self.ground.journal.append(tx, entry)


def _or(given: bool | None, else_: bool) -> bool:
    return else_ if given is None else given


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _code_taken(code: str) -> Invalid:
    return Invalid("request.invalid", fields={"code": [FieldError("pharmacy.code_taken", {"code": code})]})


def _group_taken(name: str) -> Conflict:
    return Conflict(
        "group.name_taken", params={"name": name}, fields={"name": [FieldError("group.name_taken", {"name": name})]}
    )
