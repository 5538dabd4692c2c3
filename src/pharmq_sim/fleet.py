"""A whole fleet in one process, kept in a directory so that a restart changes nothing."""

import asyncio
import csv
import json
import logging
import os
import resource
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from pharmq.base.clock import Clock
from pharmq.base.spawn import Spawner
from pharmq_sim.certs import KeyType, make_identity
from pharmq_sim.control import Control
from pharmq_sim.host import SimHost
from pharmq_sim.plan import GUESTS_PER_HOST, NETWORK, NODE, PORT, HostSpec, address_of, make_world, plan
from pharmq_sim.world import World

log = logging.getLogger(__name__)
SAVE_SECONDS = 5.0
#: so many fleets find addresses of their own beside each other
NETWORKS = 32
CSV_COLUMNS = (
    "code",
    "name",
    "representative",
    "phone",
    "address",
    "region",
    "chain",
    "hours",
    "closing_days",
    "note",
    "host_ip",
    "host_port",
    "node",
)
Progress = Callable[[str, int, int], None]


def raise_file_limit() -> None:
    """A thousand hosts with their connections need more descriptors than a shell usually allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Fleet:
    """``async with Fleet(directory, 100, clock=SystemClock())``: hosts listen, the control port answers.

    ``directory`` holds ``password``, ``pharmacies.csv``, ``control.json`` and ``hosts/NNN/``.
    """

    def __init__(
        self,
        directory: Path,
        hosts: int,
        *,
        clock: Clock,
        key_type: KeyType = "rsa",
        control_port: int = 0,
        guests_per_host: float = GUESTS_PER_HOST,
        progress: Progress = lambda _what, _done, _total: None,
    ) -> None:
        self.directory = directory
        network, self._claim = _kept_network(directory)
        self.specs = plan(hosts, network, guests_per_host)
        self.hosts: list[SimHost] = []
        self.control = Control(self.hosts, control_port)
        self.password = ""
        self._clock = clock
        self._key_type: KeyType = key_type
        self._progress = progress
        self._spawner = Spawner("sim fleet")

    @property
    def csv_path(self) -> Path:
        return self.directory / "pharmacies.csv"

    def admin_password(self) -> str:
        """The demo administrator's password, made up once and kept."""
        return _kept_secret(self.directory / "admin-password")

    def _host_directory(self, spec: HostSpec) -> Path:
        return self.directory / "hosts" / f"{spec.number:03d}"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _start(self) -> None:
        raise_file_limit()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.password = _kept_secret(self.directory / "password")
        await self._certificates()
        for done, spec in enumerate(self.specs, 1):
            host = SimHost(
                self._world(spec),
                self._host_directory(spec),
                clock=self._clock,
                address=spec.address,
                port=PORT,
                key_type=self._key_type,
            )
            self.hosts.append(host)
            try:
                await host.start()
            except OSError as error:
                why = (
                    f"{spec.address}:{PORT}: {error.strerror}. Another fleet has these addresses: end it, or start with"
                    " another --data-dir."
                )
                raise FleetFailed(why) from error
            self._progress("hosts", done, len(self.specs))
        write_csv(self.csv_path, self.specs)
        await self.control.start()
        (self.directory / "control.json").write_text(json.dumps({"port": self.control.port}))
        self._spawner.spawn(self._saving(), "save")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._spawner.aclose()
        await self.control.aclose()
        await asyncio.gather(*(host.stop() for host in self.hosts))
        if self._claim is not None:
            self._claim.close()
        self.save()

    def _world(self, spec: HostSpec) -> World:
        path = self._host_directory(spec) / "world.json"
        if path.exists():
            return World.load(path)
        return make_world(spec, self.password, self._clock.now().timestamp())

    async def _certificates(self) -> None:
        """Make what is missing, in threads: RSA keys take their time, and OpenSSL lets go of the interpreter.

        The second identity (fault changed_certificate) is made when it is needed, and kept then.
        """
        wanted = [
            (self._host_directory(spec), "leaf", NODE, spec.address, self._key_type)
            for spec in self.specs
            if not (self._host_directory(spec) / "leaf.pem").exists()
        ]
        if not wanted:
            return
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        try:
            running = [loop.run_in_executor(pool, make_identity, *arguments) for arguments in wanted]
            for done, finished in enumerate(asyncio.as_completed(running), 1):
                await finished
                self._progress("certificates", done, len(wanted))
        finally:
            # who interrupts the start does not wait for a thousand keys
            pool.shutdown(wait=False, cancel_futures=True)

    async def _saving(self) -> None:
        while True:
            await self._clock.sleep(SAVE_SECONDS)
            self.save()

    def save(self) -> None:
        """Write the worlds that changed; a few kilobytes each."""
        for spec, host in zip(self.specs, self.hosts, strict=False):
            if host.dirty:
                host.dirty = False
                host.world.save(self._host_directory(spec) / "world.json")


class FleetFailed(Exception):
    """The hosts cannot listen; the message says why."""


def _kept_network(directory: Path) -> tuple[int, socket.socket | None]:
    """Second octet of the fleet's addresses, and the claim to it: chosen on the first start so that fleets can run
    side by side. The claim is a bound port that nobody listens on, held until the fleet ends, because the first host
    listens only once all certificates are made. None: a fleet that was here before us has it."""
    directory.mkdir(parents=True, exist_ok=True)
    kept = directory / "network"
    if kept.exists():
        network = int(kept.read_text())
        return network, _claim(network)
    for network in range(NETWORK, NETWORK + NETWORKS):
        if (claim := _claim(network)) is not None:
            if _is_free(network):
                kept.write_text(str(network))
                return network, claim
            claim.close()
    raise FleetFailed(f"{NETWORKS} fleets are running already; end one of them.")


def _claim(network: int) -> socket.socket | None:
    claim = socket.socket()
    try:
        claim.bind((f"127.{network}.255.254", PORT))
    except OSError:
        claim.close()
        return None
    return claim


def _is_free(network: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address_of(0, network), PORT))
        except OSError:
            return False
    return True


def _kept_secret(path: Path) -> str:
    """The text in ``path``, made up on the first start; readable by the owner only."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12))
    return path.read_text().strip()


def write_csv(path: Path, specs: list[HostSpec]) -> None:
    """The fleet in the format of the enrolment file (UTF-8 with BOM, as Excel writes and reads it)."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for spec in specs:
            p = spec.pharmacy
            writer.writerow(
                [
                    p.code,
                    p.name,
                    p.representative,
                    p.phone,
                    p.address,
                    p.region,
                    p.chain,
                    p.hours_text,
                    " ".join(p.closing_days),
                    p.note,
                    spec.address,
                    PORT,
                    NODE,
                ]
            )
