"""Credential sets: one sealed secret used by many hosts, changed in one place. A secret goes in and never comes out."""

from typing import Literal

import msgspec
from msgspec import UNSET
from sqlalchemy.exc import IntegrityError

from pharmq.access import EVERYTHING, Actor, Privilege, require, where, who
from pharmq.base.errors import Conflict, FieldError, Invalid, NotFound
from pharmq.base.ids import new_act_id
from pharmq.base.secret import Secret
from pharmq.db import Tx
from pharmq.hosts import store
from pharmq.hosts.clients import SETS_COLUMN, SETS_TABLE
from pharmq.hosts.forms import CredentialForm, CredentialPatch
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import CredentialRow
from pharmq.http import MAX_ID
from pharmq.journal import Entry


class CredentialsService:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    async def all(self, actor: Actor) -> list[CredentialRow]:
        """All sets, by name. Whoever may edit hosts anywhere may choose among them."""
        _require_chooser(actor)
        async with self.ground.db.read() as conn:
            return await store.credential_rows(conn)

    async def get(self, actor: Actor, credential_id: int) -> CredentialRow:
        for row in await self.all(actor):
            if row.id == credential_id:
                return row
        raise NotFound("credential.not_found", params={"id": str(credential_id)})

    async def add(self, actor: Actor, form: CredentialForm) -> CredentialRow:
        require(actor, Privilege.CREDENTIAL_EDIT, EVERYTHING)
        username = form.username.strip()
        check_username(form.kind, username, "username")
        name = _named(form.name)
        now = self.ground.clock.now()
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                number = await store.insert_set(tx.conn, name, form.kind, username, now)
                await self._seal(tx, number, Secret(form.secret))
                await self._note(tx, actor, number, name, ["created"])
        except IntegrityError as error:
            raise _taken(name) from error
        return CredentialRow(number, name, form.kind, username, 0, now)

    async def change(self, actor: Actor, credential_id: int, patch: CredentialPatch) -> CredentialRow:
        """A new user or secret is a new revision: refused hosts that use it are asked again at once."""
        require(actor, Privilege.CREDENTIAL_EDIT, EVERYTHING)
        before = await self._stored(credential_id)
        after = before._replace(
            name=before.name if patch.name is UNSET else _named(patch.name),
            kind=before.kind if patch.kind is UNSET else patch.kind,
            username=before.username if patch.username is UNSET else patch.username.strip(),
        )
        check_username(after.kind, after.username, "username")
        if after.kind != before.kind and patch.secret is UNSET:
            raise Invalid("request.invalid", fields={"secret": [FieldError("request.required")]})
        renewed = patch.secret is not UNSET or (after.kind, after.username) != (before.kind, before.username)
        if renewed:
            after = after._replace(revision=before.revision + 1)
        fields = [name for name in ("name", "kind", "username") if getattr(before, name) != getattr(after, name)]
        if patch.secret is not UNSET:
            fields.append("secret")
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                await store.update_set(tx.conn, after, self.ground.clock.now())
                if patch.secret is not UNSET:
                    await self._seal(tx, credential_id, Secret(patch.secret))
                await self._note(tx, actor, credential_id, after.name, fields)
        except IntegrityError as error:
            raise _taken(after.name) from error
        if renewed:
            self._renew_hosts(after)
        return await self.get(actor, credential_id)

    def _renew_hosts(self, stored: store.StoredSet) -> None:
        directory = self.ground.directory
        for host in [host for host in directory.hosts if host.credential_id == stored.id]:
            directory.put_host(
                msgspec.structs.replace(
                    host,
                    username=stored.username,
                    credential_kind=stored.kind,
                    credential_revision=stored.revision,
                )
            )

    async def remove(self, actor: Actor, credential_id: int) -> None:
        """Raises Conflict while hosts use it."""
        require(actor, Privilege.CREDENTIAL_EDIT, EVERYTHING)
        before = await self._stored(credential_id)
        used = sum(1 for host in self.ground.directory.hosts if host.credential_id == credential_id)
        if used:
            raise Conflict("credential.in_use", params={"name": before.name, "count": used})
        try:
            async with self.ground.db.transaction(durable=True) as tx:
                await store.delete_set(tx.conn, credential_id)
                await self._note(tx, actor, credential_id, before.name, ["removed"])
        except IntegrityError as error:
            raise Conflict("credential.in_use", params={"name": before.name, "count": 1}) from error
        self.ground.clients.keep_set(credential_id, None)

    async def _stored(self, credential_id: int) -> store.StoredSet:
        async with self.ground.db.read() as conn:
            found = await store.credential_set(conn, credential_id) if credential_id <= MAX_ID else None
        if found is None:
            raise NotFound("credential.not_found", params={"id": str(credential_id)})
        return found

    async def _seal(self, tx: Tx, credential_id: int, secret: Secret) -> None:
        sealed = self.ground.vault.seal(secret, SETS_TABLE, credential_id, SETS_COLUMN)
        await store.set_secret(tx.conn, credential_id, sealed)
        tx.after_commit(lambda: self.ground.clients.keep_set(credential_id, sealed))

    async def _note(self, tx: Tx, actor: Actor, credential_id: int, name: str, fields: list[str]) -> None:
        entry = Entry(
            kind="credential.changed",
            act_id=new_act_id(self.ground.clock.now()),
            who=who(actor),
            where=where(EVERYTHING),
            params={"credential_id": credential_id, "name": name, "fields": fields},
        )
        await self.ground.journal.append(tx, entry)


def check_username(kind: Literal["password", "token"], username: str, field: str) -> None:
    """A token's name has the form ``user@realm!token``, a user's has no ``!``. Raises Invalid."""
    if (kind == "token") != ("!" in username):
        code = "credential.token_name_needed" if kind == "token" else "credential.user_name_needed"
        raise Invalid("request.invalid", fields={field: [FieldError(code)]})


def _require_chooser(actor: Actor) -> None:
    if not any({Privilege.HOST_EDIT, Privilege.CREDENTIAL_EDIT} & grant.privileges for grant in actor.grants):
        require(actor, Privilege.CREDENTIAL_EDIT, EVERYTHING)


def _named(text: str) -> str:
    name = text.strip()
    if not name:
        raise Invalid("request.invalid", fields={"name": [FieldError("request.required")]})
    return name


def _taken(name: str) -> Conflict:
    return Conflict(
        "credential.name_taken",
        params={"name": name},
        fields={"name": [FieldError("credential.name_taken", {"name": name})]},
    )
