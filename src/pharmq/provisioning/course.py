"""One step after another on one host. Before each act on the host, what it may leave behind is on disk (``save``);
after it, that it is done. Whoever comes after a crash does the same step again, and each step takes what an earlier
try has left: roles are overwritten, users adopted, a token of the intended name deleted and made anew.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import msgspec

from pharmq.access import EVERYTHING, SYSTEM, where
from pharmq.base.errors import PharmqError
from pharmq.base.secret import Secret
from pharmq.db import Tx
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import Host
from pharmq.hosts.proving import PROVE_TIMEOUTS
from pharmq.hosts.service import HostsService
from pharmq.hosts.switching import forget_set, switch_credential
from pharmq.journal import Entry, Where, Who
from pharmq.provisioning import plan, store
from pharmq.provisioning.model import Account
from pharmq.pve import Credential, CredentialRefused, ParameterRefused, PasswordCredential, PveClient, TokenCredential
from pharmq.pve.accounts import Accounts, unknown_privilege

TABLE = "service_accounts"
TIMEOUTS = PROVE_TIMEOUTS._replace(read=12.0, write=35.0)
"""Patient: nobody waits at the screen, and a write that pveproxy gives up after 30 s should be heard of."""


class Stop(PharmqError):
    """This goes on only when a person does something."""


Administrators: TypeAlias = Callable[[Host], PasswordCredential | None]
"""The administrator's login for a host, when we have one right now."""

StepFn: TypeAlias = Callable[[Account, Host], Awaitable[Account]]


class Course:
    """``step`` does the account's next step and returns it as it was saved; None when the row is gone."""

    def __init__(self, hosts: HostsService, administrators: Administrators) -> None:
        self.hosts = hosts
        self.ground: Ground = hosts.ground
        self.administrators = administrators
        self._steps: dict[str, StepFn] = {
            "role": self._role,
            "user": self._user,
            "grant": self._grant,
            "password": self._password,
            "token": self._token,
            "verify": self._verify,
            "switch": self._switch,
            "old_token": self._old_token,
            "fallback": self._fallback,
            "erase": self._erase,
        }

    async def step(self, account: Account) -> Account | None:
        """Raises PveError, PharmqError (Stop: a person is needed)."""
        host = self.ground.directory.host(account.host_id)
        if host is None or account.step is None:
            return None
        if account.step == "drop":
            await self._drop(account, host)
            return None
        return await self._steps[account.step](account, host)

    # --- as the administrator

    async def _role(self, account: Account, host: Host) -> Account:
        async with self._as(host, self._administrator(host)) as client:
            accounts = Accounts(client)
            wanted = plan.privileges_for((await client.version()).version)
            while True:
                try:
                    await accounts.put_role(plan.ROLE, wanted)
                    break
                except ParameterRefused as error:
                    unknown = unknown_privilege(error)
                    fewer = plan.without(wanted, unknown) if unknown else None
                    if fewer is None:
                        raise
                    wanted = fewer
        return await self._next(account, privileges=tuple(sorted(wanted)))

    async def _user(self, account: Account, host: Host) -> Account:
        password = self._open(account, "password")
        administrator = self._administrator(host)
        async with self._as(host, administrator) as client:
            accounts = Accounts(client)
            if not await accounts.create_user(account.username, password, plan.COMMENT):
                await accounts.set_password(account.username, password, administrator.password)
        return await self._next(account)

    async def _grant(self, account: Account, host: Host) -> Account:
        async with self._as(host, self._administrator(host)) as client:
            await Accounts(client).grant(account.username, plan.ROLE)
        return await self._next(account)

    # --- as the service account itself

    async def _password(self, account: Account, host: Host) -> Account:
        """A new password: both are on disk while either may be the right one."""
        if account.password_next is None:
            account = await self._save(account, password_next=self._seal(account, "password_next", plan.new_password()))
        elif await self._is_password(account, host, self._open(account, "password_next")):
            return await self._adopt_password(account)
        own, new = self._open(account, "password"), self._open(account, "password_next")
        async with self._as(host, PasswordCredential(account.username, own)) as client:
            await Accounts(client).set_password(account.username, new, own)
        if not await self._is_password(account, host, new):
            raise Stop("provisioning.password_not_taken")
        return await self._adopt_password(account)

    async def _is_password(self, account: Account, host: Host, password: Secret) -> bool:
        async with self._as(host, PasswordCredential(account.username, password)) as client:
            try:
                await client.login()
            except CredentialRefused:
                return False
        return True

    async def _adopt_password(self, account: Account) -> Account:
        sealed = self._seal(account, "password", self._open(account, "password_next"))
        return await self._next(account, password=sealed, password_next=None)

    async def _token(self, account: Account, host: Host) -> Account:
        assert account.token_next is not None
        async with self._as_service(account, host) as client:
            accounts = Accounts(client)
            # The next one may have been made by a try whose answer we never got: its value is lost. An older one may
            # be left from a rotation that never came to its end, and its place is needed at the switch.
            ours = {account.token_next, account.token_old}
            for name in await accounts.tokens(account.username):
                if name in ours:
                    await accounts.delete_token(account.username, name)
            made = await accounts.create_token(account.username, account.token_next)
        sealed = self._seal(account, "token_next_value", made.value)
        return await self._next(account, token_next_value=sealed, token_old=None)

    async def _verify(self, account: Account, host: Host) -> Account:
        async with self._as(host, self._new_token(account)) as client:
            granted = (await client.permissions()).get("/", frozenset())
        if lacking := plan.lacking(frozenset(account.privileges), granted):
            raise Stop("provisioning.lacking", params={"privileges": ", ".join(sorted(lacking))})
        return await self._next(account)

    async def _switch(self, account: Account, host: Host) -> Account:
        """Host and account change in one transaction: before it the old credential holds, after it the new one."""
        token, now = self._new_token(account), self.ground.clock.now()
        async with self.hosts.checks.turns.hold(host.id):
            host = self.ground.directory.host(host.id) or host
            async with self.ground.db.transaction(durable=True) as tx:
                draft = await switch_credential(self.ground, tx, host, "token", token.tokenid, token.secret)
                changed = msgspec.structs.replace(
                    account,
                    token_old=account.token,
                    token=account.token_next,
                    token_next=None,
                    token_next_value=None,
                    rotated_at=now,
                    forget_set=None,
                )
                changed = self._moved(changed)
                await store.save(tx.conn, changed)
                forgotten = None
                if account.forget_set is not None and account.forget_set != draft.credential_id:
                    forgotten = await forget_set(self.ground, tx, account.forget_set, host.id)
                await self._note_switch(tx, account, host, forgotten, {"account": account.username})
        return changed

    async def _note_switch(
        self, tx: Tx, account: Account, host: Host, forgotten: str | None, facts: dict[str, str]
    ) -> None:
        who = self._who(account)
        scope = where(self.ground.directory.scope(host.id))
        entries = [
            Entry(
                kind="host.changed",
                act_id=account.act_id,
                who=who,
                where=scope,
                params={"fields": ["credential"], "host": host.host_ip, **facts},
            )
        ]
        if forgotten is not None:
            params = {"credential_id": account.forget_set, "name": forgotten, "fields": ["removed"]}
            entries.append(
                Entry(kind="credential.changed", act_id=account.act_id, who=who, where=where(EVERYTHING), params=params)
            )
        await self.ground.journal.append(tx, *entries)

    async def _old_token(self, account: Account, host: Host) -> Account:
        if account.token_old is not None:
            async with self._as_service(account, host) as client:
                await Accounts(client).delete_token(account.username, account.token_old)
        return await self._next(account, token_old=None)

    # --- giving back

    async def _fallback(self, account: Account, host: Host) -> Account:
        """A host that stays goes on with the administrator's password."""
        if not account.keep_host:
            return await self._next(account)
        administrator = self._administrator(host)
        async with self._as(host, administrator) as client:
            await client.login()
        changed = self._moved(account)
        async with self.hosts.checks.turns.hold(host.id):
            host = self.ground.directory.host(host.id) or host
            async with self.ground.db.transaction(durable=True) as tx:
                await switch_credential(
                    self.ground, tx, host, "password", administrator.username, administrator.password
                )
                await store.save(tx.conn, changed)
                await self._note_switch(tx, account, host, None, {})
        return changed

    async def _erase(self, account: Account, host: Host) -> Account:
        async with self._as(host, self._administrator(host)) as client:
            accounts = Accounts(client)
            await accounts.delete_user(account.username)
            await accounts.delete_role(plan.ROLE)
        return await self._next(account)

    async def _drop(self, account: Account, host: Host) -> None:
        """The end of a removal: what we know of the account, and with it the host unless that stays."""
        scope = where(self.ground.directory.scope(host.id))
        if not account.keep_host:
            asked = account.asked
            await self.hosts.remove(SYSTEM if asked is None else asked.actor(), host.id, force=True)
        async with self.ground.db.transaction(durable=True) as tx:
            await store.remove(tx.conn, host.id)
            await self.ground.journal.append(tx, done(account, self._who(account), scope))

    # --- small things

    @asynccontextmanager
    async def _as(self, host: Host, credential: Credential) -> AsyncIterator[PveClient]:
        client = self.ground.clients.make(host, credential, TIMEOUTS)
        try:
            yield client
        finally:
            await client.close()

    def _as_service(self, account: Account, host: Host) -> AbstractAsyncContextManager[PveClient]:
        return self._as(host, PasswordCredential(account.username, self._open(account, "password")))

    def _administrator(self, host: Host) -> PasswordCredential:
        found = self.administrators(host)
        if found is None:
            raise Stop("provisioning.needs_password")
        return found

    def _new_token(self, account: Account) -> TokenCredential:
        name = f"{account.username}!{account.token_next}"
        return TokenCredential(name, self._open(account, "token_next_value"))

    def _who(self, account: Account) -> Who:
        asked = account.asked
        return Who("system", None, "system") if asked is None else Who(asked.kind, asked.id, asked.name, asked.source)

    def _open(self, account: Account, column: str) -> Secret:
        sealed: bytes | None = getattr(account, column)
        if sealed is None:
            raise Stop("provisioning.password_unknown")
        return self.ground.vault.open(sealed, TABLE, account.host_id, column)

    def _seal(self, account: Account, column: str, secret: Secret) -> bytes:
        return self.ground.vault.seal(secret, TABLE, account.host_id, column)

    def _moved(self, account: Account) -> Account:
        """The account at its next step, with no trace of earlier failures."""
        assert account.operation is not None
        assert account.step is not None
        following = plan.after(account.operation, account.step)
        return msgspec.structs.replace(
            account,
            step=following,
            operation=None if following is None else account.operation,
            updated_at=self.ground.clock.now(),
            reason=None,
            reason_params={},
            attempts=0,
            next_at=None,
        )

    async def _next(self, account: Account, **changes: object) -> Account:
        before = account
        account = self._moved(msgspec.structs.replace(account, **changes))
        async with self.ground.db.transaction(durable=True) as tx:
            await store.save(tx.conn, account)
            if account.operation is None:
                scope = where(self.ground.directory.scope(account.host_id))
                await self.ground.journal.append(tx, done(before, self._who(account), scope))
        return account

    async def _save(self, account: Account, **changes: object) -> Account:
        account = msgspec.structs.replace(account, **changes, updated_at=self.ground.clock.now())
        async with self.ground.db.transaction(durable=True) as tx:
            await store.save(tx.conn, account)
        return account


def done(account: Account, who: Who, scope: Where, outcome: str = "ok", **params: object) -> Entry:
    """The outcome row of an operation."""
    return Entry(
        kind=f"credential.{account.operation}",
        phase="outcome",
        act_id=account.act_id,
        who=who,
        where=scope,
        params={"user": account.username, "step": account.step, **params},
        outcome=outcome,
    )
