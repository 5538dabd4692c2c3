"""The composition root: the only place that knows every room, and where their ends are tied together."""

import logging
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from pharmq.access import EVERYTHING, Actor, Scope, scope_of
from pharmq.access.routes import ROUTES as ACCESS_ROUTES
from pharmq.access.routes_own import ROUTES as OWN_ROUTES
from pharmq.access.routes_people import ROUTES as PEOPLE_ROUTES
from pharmq.access.service import AccessService
from pharmq.audit.auditing import Auditing
from pharmq.audit.keys import SigningKeys
from pharmq.audit.people import ROUTES as PEOPLES_ACTS_ROUTES
from pharmq.audit.proof import ProofService
from pharmq.audit.routes import ROUTES as AUDIT_ROUTES
from pharmq.audit.service import AuditService
from pharmq.base.clock import Clock, SystemClock
from pharmq.base.config import Config
from pharmq.base.errors import NotFound
from pharmq.base.spawn import Spawner
from pharmq.consoles.model import Started
from pharmq.consoles.routes import ROUTES as CONSOLES_ROUTES
from pharmq.consoles.service import ConsolesService
from pharmq.consoles.socket import ConsoleSocket
from pharmq.consoles.targets import InventoryTargets as ConsoleTargets
from pharmq.db import Database
from pharmq.db.leases import Leases
from pharmq.db.migrate import migrate
from pharmq.hosts import Directory, HostClients, HostsService
from pharmq.hosts.clients import Handshakes
from pharmq.hosts.routes import ROUTES as HOSTS_ROUTES
from pharmq.inventory.routes import ROUTES as INVENTORY_ROUTES
from pharmq.inventory.service import InventoryService
from pharmq.jobs.model import Caps, VmRef
from pharmq.jobs.onboot import OnbootService
from pharmq.jobs.routes import ROUTES as JOBS_ROUTES
from pharmq.jobs.service import JobsService
from pharmq.jobs.targets import InventoryTargets as JobTargets
from pharmq.journal import Journal
from pharmq.live.routes import ROUTES as LIVE_ROUTES
from pharmq.live.service import LiveService
from pharmq.live.sources import connect as connect_live
from pharmq.polling.fleet import Fleet
from pharmq.provisioning.routes import ROUTES as PROVISIONING_ROUTES
from pharmq.provisioning.service import ProvisioningService
from pharmq.schedules.routes import ROUTES as SCHEDULES_ROUTES
from pharmq.schedules.service import SchedulesService
from pharmq.schedules.serving import Around as AroundSchedules
from pharmq.schedules.store import SchedulesStore
from pharmq.settings import RuntimeSettings, SettingsService
from pharmq.vault import MasterKey, Vault, VaultError, create_key_file, find_master_key
from pharmq.vault.rotation import (
    REFRESH_EVERY_S,
    settle_key_file,
)
from pharmq.vault.tables import data_keys
from pharmq.web.routes import ROUTES as WEB_ROUTES

ROUTES = [
    *ACCESS_ROUTES,
    *OWN_ROUTES,
    *PEOPLE_ROUTES,
    *HOSTS_ROUTES,
    *INVENTORY_ROUTES,
    *JOBS_ROUTES,
    *SCHEDULES_ROUTES,
    *CONSOLES_ROUTES,
    *PROVISIONING_ROUTES,
    *AUDIT_ROUTES,
    *PEOPLES_ACTS_ROUTES,
    *LIVE_ROUTES,
    *WEB_ROUTES,
]

log = logging.getLogger(__name__)

JOB_LOOK_S = 0.3


class Ground(NamedTuple):
    """What even the command line needs: database, vault, journal and its proof, settings, users."""

    clock: Clock
    db: Database
    vault: Vault
    journal: Journal
    proof: ProofService
    settings: SettingsService
    access: AccessService


@asynccontextmanager
async def open_ground(config: Config, clock: Clock | None = None) -> AsyncIterator[Ground]:
    """Database migrated, vault open, settings loaded. Makes data directory and master key on the first start.

    Raises VaultError when the database holds sealed values and the key is missing or another one.
    """
    clock = clock or SystemClock()
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = Database(config.database_url)
    try:
        await migrate(db)
        if config.key_file is not None:
            await settle_key_file(db, config.key_file)
        vault = Vault(db, await _master_key(config, db), clock)
        vault.reread = lambda: find_master_key(config.key_file, os.environ)
        await vault.load()
        keys = await SigningKeys.load(db, vault, clock)
        journal = Journal(clock, keys)
        proof = ProofService(db, journal, keys, clock, _witness(config, keys))
        settings = SettingsService(db, journal, clock)
        await settings.load()
        yield Ground(clock, db, vault, journal, proof, settings, AccessService(db, journal, settings, vault, clock))
    finally:
        await db.close()


async def _master_key(config: Config, db: Database) -> MasterKey:
    text = find_master_key(config.key_file, os.environ)
    if text is None:
        async with db.read() as conn:
            sealed = await conn.scalar(select(func.count()).select_from(data_keys))
        if sealed or config.key_file is None:
            raise VaultError("vault.key_missing", params={"path": str(config.key_file)})
        text = create_key_file(config.key_file)
    return MasterKey.from_text(text)


def _witness(config: Config, keys: SigningKeys) -> Path:
    """Beside the master key, where a copy or a restore of the data does not reach; else beside the data."""
    folder = config.data_dir
    if config.key_file is not None and config.key_file.exists() and os.access(config.key_file.parent, os.W_OK):
        folder = config.key_file.parent
    return folder / f"journal-{keys.name}.witness"


class House:
    """Every room, built and connected. Entering starts them, leaving stops them in the opposite order."""

    SERVICES: ClassVar = (
        "db", "clock", "journal", "settings", "hosts", "inventory", "fleet", "jobs", "consoles", "audit", "live",
        "onboot", "schedules", "proof", "auditing", "provisioning", "ready_checks",
    )  # fmt: skip
    """Names by which handlers ask for services."""

    def __init__(self, config: Config, ground: Ground) -> None:
        self.config = config
        self.ground = ground
        self.owner = secrets.token_hex(8)
        clock, db, journal = ground.clock, ground.db, ground.journal

        def settings() -> RuntimeSettings:
            return ground.settings.current

        self._spawner = Spawner("house")
        self.directory = Directory()
        handshakes = Handshakes(settings().handshakes_max)
        self.clients = HostClients(self.directory, ground.vault, clock, handshakes=handshakes)
        self.hosts = HostsService(db, journal, ground.vault, self.directory, self.clients, clock, settings)
        self.inventory = InventoryService(db, journal, self.directory, clock)
        self.fleet = Fleet(self.hosts, self.clients, self.inventory, clock, settings)
        self.jobs = JobsService(
            db=db,
            clock=clock,
            journal=journal,
            targets=JobTargets(self.inventory, self.directory, clock),
            clients=self.clients.get,
            account=self._account,
            caps=lambda: Caps(settings().jobs_total, settings().jobs_per_host),
            look=self._look,
            touch=self._moved,
            owner=self.owner,
            actor_now=lambda ref: ground.access.stored(ref.kind, ref.id, ref.token_id),
            configured=self.inventory.apply_config,
        )
        self.onboot = OnbootService(self.inventory, self.directory)
        self.schedules = SchedulesService(
            AroundSchedules(
                db=db,
                store=SchedulesStore(db),
                journal=journal,
                jobs=self.jobs,
                view=self.inventory.view,
                directory=self.directory,
                actor_of=lambda owner: ground.access.stored(owner.kind, owner.id, owner.token_id),
            ),
            clock,
        )
        ground.access.hand_over("schedules", self.schedules.hand_over)
        self.consoles = ConsolesService(
            db=db,
            clock=clock,
            journal=journal,
            leases=Leases(db, self.owner),
            targets=ConsoleTargets(self.inventory.view, self.directory),
            host_of=self.clients.get,
            settings=settings,
            origin=config.origin,
            owner=self.owner,
            fresh=ground.access.fresh,
            start_vm=self._start_vm,
        )
        self.provisioning = ProvisioningService(self.hosts, Leases(db, self.owner), clock, settings)
        self.audit = AuditService(db, journal, self.directory, self.inventory.view)
        self.auditing = Auditing(self.audit, ground.proof, Leases(db, self.owner), settings)
        self.live = LiveService(
            db,
            journal,
            clock,
            event=self.audit.row,
            may_see_event=self.audit.visible,
            summary=self.inventory.select.summary,
            fresh=ground.access.fresh,
            refresh=self.inventory.standings.refresh,
        )
        self._connect()

    def _connect(self) -> None:
        """What rooms say upwards."""
        self.hosts.guest_facts = self.inventory.guest_facts
        self.inventory.look_now = self.fleet.look_now
        self.inventory.rows.task_of = self.jobs.active_task
        self.inventory.standings.warn_days = lambda: self.ground.settings.current.certificate_warning_days
        self.inventory.select.consoles_open = lambda actor: len(self.consoles.sessions(actor))
        self.inventory.select.jobs_running = self.jobs.open_count
        access = self.ground.access
        access.ground.place = self._place
        access.on_revoked(self.consoles.close_for)
        access.on_locked(self.consoles.close_locked)
        access.on_changed(self.consoles.recheck)
        access.on_changed(self.live.recheck)
        self.ground.settings.listen(lambda changed: self.inventory.use_kinds(changed.kind_rules))
        self.ground.settings.listen(lambda changed: self.clients.limit_handshakes(changed.handshakes_max))
        access.on_revoked(self.live.close_for)
        access.on_locked(self.live.close_for)
        board = self.jobs.board
        screens = self.consoles.live.screens
        screens.touch = lambda vm_id: self.live.touch("screens", vm_id)
        self.live.register("screens", self.consoles.encoded_screen, screens.ids, self.consoles.scope_of_screen)
        self.live.register("jobs", self._encoded_job, board.job_ids, lambda _job: EVERYTHING)
        plans = self.schedules.board
        plans.touch = lambda number: self.live.touch("schedules", number)
        self.live.register("schedules", plans.encoded, plans.ids, lambda _plan: EVERYTHING, own=plans.is_own)
        # A snapshot brings kinds in this order, and guests come last: pages that show none need not wait for them.
        connect_live(self.live, self.hosts, self.inventory)

    def _place(self, path: str) -> Scope | None:
        """A grant's path with its ancestors; None when there is no such object."""
        if path == "/":
            return EVERYTHING
        _, kind, text = path.split("/")
        number = int(text)
        try:
            match kind:
                case "group" if self.directory.group(number) is not None:
                    return scope_of(groups=(number,))
                case "pharmacy":
                    return self.directory.scope_of_pharmacy(number)
                case "host":
                    return self.directory.scope(number)
                case "vm" if (vm := self.inventory.view.get(number)) is not None:
                    return self.inventory.scope(vm)
        except NotFound:
            return None
        return None

    async def _start_vm(self, actor: Actor, host_id: int, vmid: int) -> Started:
        """For a console of a stopped VM: a job like any other, waited for."""
        job = await self.jobs.submit(actor, "start", vms=[VmRef(host_id, vmid)])
        while job.state in ("queued", "running"):
            await self.ground.clock.sleep(JOB_LOOK_S)
            job = await self.jobs.get(actor, job.id)
        [item], _ = await self.jobs.items(actor, job.id)
        params = {name: value if isinstance(value, int) else str(value) for name, value in item.reason_params.items()}
        return Started(item.state == "succeeded", item.reason or "", params)

    def _account(self, host_id: int) -> str:
        host = self.directory.host(host_id)
        return host.username if host else ""

    def _encoded_job(self, job_id: int) -> bytes | None:
        job = self.jobs.board.job(job_id)
        return None if job is None else msgspec.json.encode(job)

    def _moved(self, kind: str, number: int) -> None:
        """A job or a guest's task moved."""
        if kind == "vms":
            self.inventory.view.touch([number])
        else:
            self.live.touch(kind, number)

    def _look(self, host_id: int, vmid: int) -> None:
        self.fleet.look_now([host_id], vmid)

    def services(self) -> dict[str, Any]:
        """Services by the name handlers ask for."""
        given: dict[str, Any] = self.ground._asdict() | vars(self)
        given["ready_checks"] = {"polling": lambda: self.fleet.stats() is not None}
        return {name: given[name] for name in self.SERVICES}

    def console_socket(self) -> ConsoleSocket:
        return ConsoleSocket(self.consoles, self.ground.access, self.ground.clock)

    async def _follow_keys(self) -> None:
        """The command line may rotate keys while we run."""
        while True:
            await self.ground.clock.sleep(REFRESH_EVERY_S)
            try:
                await self.ground.vault.refresh()
            except (OSError, SQLAlchemyError, VaultError) as error:
                log.warning("new encryption keys could not be read: %s", error)

    async def __aenter__(self) -> Self:
        await self.hosts.load()
        await self.inventory.load()
        await self.hosts.start()
        await self.inventory.start()
        await self.jobs.start()
        await self.schedules.start()
        await self.consoles.start()
        await self.live.start()
        await self.ground.access.start()
        await self.auditing.start()
        self._spawner.spawn(self._follow_keys(), "data-keys")
        await self.provisioning.start()
        await self.fleet.start()
        return self

    async def hang_up(self) -> None:
        """End what browsers hold open, so that nobody waits for them."""
        await self.live.aclose()
        await self.consoles.aclose()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.ground.access.aclose()
        await self.hang_up()
        await self.provisioning.aclose()
        await self.fleet.aclose()
        await self.schedules.aclose()
        await self.jobs.aclose()
        await self.hosts.aclose()
        await self.inventory.aclose()
        await self.clients.aclose()
        await self._spawner.aclose()
        await self.auditing.aclose()


__all__ = ["ROUTES", "Ground", "House", "open_ground"]
