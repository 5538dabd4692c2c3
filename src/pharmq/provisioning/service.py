"""Service accounts of all hosts: asked for by people or by policy, done a few at a time, resumed after a crash."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

import msgspec

from pharmq.access import Actor, Privilege, allows, require, where, who
from pharmq.base.clock import Clock
from pharmq.base.errors import Conflict, Invalid, PharmqError
from pharmq.base.ids import new_act_id
from pharmq.base.secret import Secret
from pharmq.base.spawn import Spawner
from pharmq.db.leases import Leases
from pharmq.hosts.model import Host
from pharmq.hosts.service import HostsService
from pharmq.journal import Entry
from pharmq.provisioning import plan, store
from pharmq.provisioning.course import TABLE, Course, done
from pharmq.provisioning.model import (
    Accepted,
    Account,
    AccountRow,
    AccountsReport,
    AccountState,
    Administrator,
    Asker,
    ProvisionForm,
    Refusal,
    RemoveForm,
    RotateForm,
    report_of,
)
from pharmq.provisioning.plan import Operation
from pharmq.pve import PasswordCredential, PveError
from pharmq.settings import RuntimeSettings

log = logging.getLogger(__name__)

AT_ONCE = 4
LOOK_EVERY_S = 60.0
LEASE_S = 120.0
SYSTEM_ASKER = Asker("system", None, "system", None)


class ProvisioningService:
    """Rows are kept in memory as they stand in the database; one worker per host at a time, over all processes."""

    def __init__(
        self, hosts: HostsService, leases: Leases, clock: Clock, settings: Callable[[], RuntimeSettings]
    ) -> None:
        self.hosts = hosts
        self.ground = hosts.ground
        self.leases = leases
        self.clock = clock
        self.settings = settings
        self.course = Course(hosts, self._administrator)
        self._accounts: dict[int, Account] = {}
        self._typed: dict[int, PasswordCredential] = {}
        """What people typed for one operation: in memory only, gone when it is no longer needed."""
        self._running: set[int] = set()
        self._wake = asyncio.Event()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._spawner = Spawner("provisioning")

    # --- life

    async def load(self) -> None:
        async with self.ground.db.read() as conn:
            self._accounts = {account.host_id: account for account in await store.all_accounts(conn)}

    async def start(self) -> None:
        await self.load()
        self._spawner.spawn(self._work(), "worker")

    async def aclose(self) -> None:
        await self._spawner.aclose()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            await self.apply_policy()
            for host_id in self._due():
                self._running.add(host_id)
                self._spawner.spawn(self._in_turn(host_id), f"host-{host_id}")
            timer = asyncio.ensure_future(self.clock.sleep(LOOK_EVERY_S))
            woken = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait([timer, woken], return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                woken.cancel()

    def _due(self) -> list[int]:
        now = self.clock.now()
        return [
            account.host_id
            for account in self._accounts.values()
            if account.operation is not None
            and account.host_id not in self._running
            and not account.stopped
            and (account.next_at is None or account.next_at <= now)
        ]

    async def _in_turn(self, host_id: int) -> None:
        try:
            async with self._turns:
                name = f"account/{host_id}"
                if await self.leases.acquire(name, LEASE_S):
                    try:
                        await self.run(host_id)
                    finally:
                        await self.leases.release(name)
        finally:
            self._running.discard(host_id)

    async def run(self, host_id: int) -> Account | None:
        """Go on with a host's operation until it ends or fails. Failures are written down, not raised."""
        async with self.ground.db.read() as conn:
            account = await store.account(conn, host_id)
        while account is not None and account.operation is not None:
            self._keep(host_id, account)
            current = account
            try:
                account = await self.course.step(current)
            except (PveError, PharmqError) as error:
                account = await self._failed(current, error)
                break
            await self.leases.renew(f"account/{host_id}", LEASE_S)
        self._keep(host_id, account)
        if account is None or account.operation is None or account.stopped:
            self._typed.pop(host_id, None)
        return account

    def _keep(self, host_id: int, account: Account | None) -> None:
        if account is None:
            self._accounts.pop(host_id, None)
            return
        self._accounts[host_id] = account
        if account.step not in plan.NEEDS_ADMINISTRATOR and account.operation == "provision":
            self._typed.pop(host_id, None)

    async def _failed(self, account: Account, error: PveError | PharmqError) -> Account | None:
        async with self.ground.db.read() as conn:
            # The step may have saved something before it failed.
            account = await store.account(conn, account.host_id) or account
        host = self.ground.directory.host(account.host_id)
        if host is None:
            return None
        code = f"pve.{error.code}" if isinstance(error, PveError) else error.code
        now, attempts = self.clock.now(), account.attempts + 1
        changed = msgspec.structs.replace(
            account,
            reason=code,
            reason_params=dict(error.params),
            attempts=attempts,
            next_at=None if error.permanent else plan.retry_at(now, attempts),
            updated_at=now,
        )
        log.warning("host %s: %s stopped before %s: %s", host.id, account.operation, account.step, code)
        async with self.ground.db.transaction(durable=True) as tx:
            await store.save(tx.conn, changed)
            if changed.stopped:
                scope = where(self.ground.directory.scope(host.id))
                asker = (account.asked or SYSTEM_ASKER).actor()
                await self.ground.journal.append(tx, done(account, who(asker), scope, code))
        return changed

    def _administrator(self, host: Host) -> PasswordCredential | None:
        """What was typed for it, else the host's present login when that is a person's and not ours."""
        if (typed := self._typed.get(host.id)) is not None:
            return typed
        if host.credential_kind != "password" or host.username == plan.USER:
            return None
        found = self.ground.clients.credential(host)
        return found if isinstance(found, PasswordCredential) else None

    # --- asked by people

    async def provision(self, actor: Actor, form: ProvisionForm) -> Accepted:
        """Make the account on hosts, or go on where it stopped. Raises Forbidden, NotFound, Invalid."""
        ids = form.host_ids or tuple(
            host.id for host in self.ground.directory.hosts if self._state(host.id) in ("none", "stopped")
        )
        accepted, refused = [], []
        for host in self._hosts(actor, ids, explicit=form.host_ids is not None):
            if (code := self._why_not(host, "provision", form.administrator)) is not None:
                refused.append(Refusal(host.id, code))
                continue
            self._type(host.id, form.administrator)
            forget = host.credential_id if form.forget_set else None
            asker = Asker(actor.kind, actor.id, actor.name, actor.source)
            typed = form.administrator is not None
            await self._begin(asker, host, "provision", typed=typed, forget=forget)
            accepted.append(host.id)
        self._wake.set()
        return Accepted(len(accepted), refused)

    async def rotate(self, actor: Actor, form: RotateForm) -> Accepted:
        """A new password and a new token for the account, the old ones deleted."""
        ids = form.host_ids or tuple(number for number, account in self._accounts.items() if account.token)
        accepted, refused = [], []
        for host in self._hosts(actor, ids, explicit=form.host_ids is not None):
            if (code := self._why_not(host, "rotate", None)) is not None:
                refused.append(Refusal(host.id, code))
                continue
            await self._begin(Asker(actor.kind, actor.id, actor.name, actor.source), host, "rotate")
            accepted.append(host.id)
        self._wake.set()
        return Accepted(len(accepted), refused)

    async def remove(self, actor: Actor, host_id: int, form: RemoveForm) -> AccountRow:
        """Delete user, tokens and role on the host. Raises NotFound, Forbidden, Conflict, Invalid."""
        (host,) = self._hosts(actor, (host_id,), explicit=True)
        if form.forget_host:
            require(actor, Privilege.HOST_EDIT, self.ground.directory.scope(host_id))
        if (code := self._why_not(host, "remove", form.administrator)) is not None:
            if code == "provisioning.needs_password":
                raise Invalid(code)
            raise Conflict(code, params={"host": host.host_ip})
        self._type(host_id, form.administrator)
        asker = Asker(actor.kind, actor.id, actor.name, actor.source)
        typed = form.administrator is not None
        await self._begin(asker, host, "remove", typed=typed, keep_host=not form.forget_host)
        self._wake.set()
        return self.row(host)

    def _hosts(self, actor: Actor, ids: Iterable[int], *, explicit: bool) -> list[Host]:
        """Named ones must all be allowed; "all" means all that are."""
        found = []
        for host_id in dict.fromkeys(ids):
            if explicit:
                host, _ = self.ground.host(actor, host_id, Privilege.CREDENTIAL_EDIT)
                found.append(host)
            elif (one := self.ground.directory.host(host_id)) is not None and allows(
                actor, Privilege.CREDENTIAL_EDIT, self.ground.directory.scope(host_id)
            ):
                found.append(one)
        return found

    def _why_not(self, host: Host, operation: Operation, administrator: Administrator | None) -> str | None:
        account = self._accounts.get(host.id)
        if host.id in self._running or (account and account.operation and not account.reason):
            return "provisioning.under_way"
        if operation == "rotate":
            if account is None or account.token is None:
                return "provisioning.no_account"
            return "provisioning.unfinished" if account.operation in ("provision", "remove") else None
        if operation == "remove" and account is None:
            return "provisioning.no_account"
        past = account is not None and account.operation == operation and account.step not in plan.NEEDS_ADMINISTRATOR
        if administrator is None and not past and self._administrator(host) is None:
            return "provisioning.needs_password"
        return None

    def _type(self, host_id: int, administrator: Administrator | None) -> None:
        if administrator is not None:
            self._typed[host_id] = PasswordCredential(administrator.username, Secret(administrator.secret))

    async def _begin(
        self,
        asker: Asker,
        host: Host,
        operation: Operation,
        *,
        typed: bool = False,
        forget: int | None = None,
        keep_host: bool = False,
    ) -> None:
        """The intent, with the names and passwords that may come to stand on the host, before any act. ``typed``: the
        asker has typed an administrator's password, which they know from then on (``access.leaving``)."""
        now = self.clock.now()
        before = self._accounts.get(host.id) or Account(
            host_id=host.id, username=plan.USER, created_at=now, updated_at=now
        )
        resumed = before.operation == operation
        password = before.password
        if password is None and operation == "provision":
            password = self.ground.vault.seal(plan.new_password(), TABLE, host.id, "password")
        account = msgspec.structs.replace(
            before,
            operation=operation,
            step=before.step if resumed else plan.STEPS[operation][0],
            act_id=new_act_id(now),
            password=password,
            token_next=before.token_next or (None if operation == "remove" else plan.new_token_name(now)),
            forget_set=forget if operation == "provision" else before.forget_set,
            keep_host=keep_host,
            reason=None,
            reason_params={},
            attempts=0,
            next_at=None,
            asked=asker,
            updated_at=now,
        )
        entry = Entry(
            kind=f"credential.{operation}",
            phase="request",
            act_id=account.act_id,
            who=who(asker.actor()),
            where=where(self.ground.directory.scope(host.id)),
            params={"user": account.username, "step": account.step, "host": host.host_ip, "typed": typed},
        )
        async with self.ground.db.transaction(durable=True) as tx:
            await store.save(tx.conn, account)
            await self.ground.journal.append(tx, entry)
        self._accounts[host.id] = account

    # --- by policy

    async def apply_policy(self) -> int:
        """Begin what the policy asks for: rotations that are due, accounts for hosts without; how many."""
        settings, now, begun = self.settings(), self.clock.now(), 0
        for host in list(self.ground.directory.hosts):
            account = self._accounts.get(host.id)
            if host.maintenance or self.ground.directory.state(host.id).reason is not None:
                continue
            if account is None or account.operation is None:
                if account is not None and account.token is not None:
                    if plan.overdue(account.rotated_at, now, settings.rotate_days):
                        await self._begin(SYSTEM_ASKER, host, "rotate")
                        begun += 1
                elif settings.provision_automatically and self._administrator(host) is not None:
                    await self._begin(SYSTEM_ASKER, host, "provision", forget=host.credential_id)
                    begun += 1
        return begun

    # --- reading

    def _state(self, host_id: int) -> AccountState:
        account = self._accounts.get(host_id)
        if account is None:
            return "none"
        if account.operation is None:
            return "ready" if account.token else "none"
        if host_id in self._running:
            return "working"
        if account.stopped:
            return "stopped"
        return "waiting" if account.next_at is not None else "queued"

    def _visible(self, actor: Actor) -> list[Host]:
        return [
            host
            for host in sorted(self.ground.directory.hosts, key=lambda host: host.id)
            if allows(actor, Privilege.CREDENTIAL_EDIT, self.ground.directory.scope(host.id))
        ]

    def list(
        self, actor: Actor, states: Iterable[str], limit: int, offset: int, ids: Iterable[int] = ()
    ) -> tuple[list[AccountRow], int]:
        """Every host whose credentials the actor may change, with its account or without; ``ids``: these alone."""
        wanted, named = frozenset(states), frozenset(ids)
        found = [
            host
            for host in self._visible(actor)
            if (not wanted or self._state(host.id) in wanted) and (not named or host.id in named)
        ]
        return [self.row(host) for host in found[offset : offset + limit]], len(found)

    def get(self, actor: Actor, host_id: int) -> AccountRow:
        host, scope = self.ground.host(actor, host_id)
        require(actor, Privilege.CREDENTIAL_EDIT, scope)
        return self.row(host)

    def row(self, host: Host) -> AccountRow:
        account = self._accounts.get(host.id)
        pharmacy = self.ground.directory.pharmacy(host.pharmacy_id)
        row = AccountRow(
            host_id=host.id,
            host_ip=host.host_ip,
            pharmacy_id=host.pharmacy_id,
            pharmacy_name=pharmacy.name if pharmacy else "",
            host_username=host.username,
            credential_kind=host.credential_kind,
            state=self._state(host.id),
        )
        if account is None:
            return row
        days, made = self.settings().rotate_days, account.rotated_at
        return msgspec.structs.replace(
            row,
            username=account.username,
            token=account.token,
            privileges=account.privileges,
            operation=account.operation,
            step=account.step,
            reason=account.reason,
            reason_params=account.reason_params,
            attempts=account.attempts,
            next_at=account.next_at,
            rotated_at=made,
            due_at=made + timedelta(days=days) if days and made else None,
            overdue=account.token is not None and plan.overdue(made, self.clock.now(), days),
        )

    def report(self, actor: Actor) -> AccountsReport:
        settings = self.settings()
        rows = [self.row(host) for host in self._visible(actor)]
        return report_of(rows, settings.rotate_days, automatic=settings.provision_automatically)
