"""What each look at a host means: state in memory at once, what lasts in the database with its journal rows."""

import logging

import msgspec

from pharmq.access import where
from pharmq.base.pacing import KeyedLimit
from pharmq.base.spawn import Spawner
from pharmq.hosts import store
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import Check, Host, HostState
from pharmq.hosts.proving import moment
from pharmq.hosts.states import step

log = logging.getLogger(__name__)

FLUSH_EVERY = 60.0
"""Seconds between writes of check times; they live in memory otherwise."""


class HostChecks:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.directory = ground.directory
        self._spawner = Spawner("hosts")
        self._unwritten: set[int] = set()
        self.turns = KeyedLimit(1)
        """One writer per host: checks and people's changes take turns."""

    async def start(self) -> None:
        self._spawner.spawn(self._keep_flushing(), "flush")

    async def aclose(self) -> None:
        await self._spawner.aclose()
        await self.flush()

    async def _keep_flushing(self) -> None:
        while True:
            await self.ground.clock.sleep(FLUSH_EVERY)
            await self.flush()

    async def flush(self) -> None:
        """Write when hosts were last checked, in one statement."""
        changed, self._unwritten = self._unwritten, set()
        rows = []
        for host_id in changed:
            state = self.directory.state(host_id)
            rows.append((host_id, state.last_check, state.last_contact))
        if rows:
            async with self.ground.db.transaction() as tx:
                await store.write_checks(tx.conn, rows)

    async def record(self, host_id: int, check: Check) -> HostState:
        """Take over one look at a host. What changed for good (status, reason, node, refusal) is written with its
        journal rows in one transaction; the rest waits for the next flush."""
        async with self.turns.hold(host_id):
            host = self.directory.host(host_id)
            if host is None:
                return HostState()
            scope = self.directory.scope(host_id)
            before = self.directory.state(host_id)
            found = step(host, before, check, self.ground.settings().offline_after, where(scope))
            self._unwritten.add(host_id)
            learned = host
            if check.reason is None and check.node is not None and host.node is None:
                learned = msgspec.structs.replace(learned, node=check.node)
            if found.latch:
                learned = msgspec.structs.replace(learned, refused_revision=host.credential_revision)
            if not found.durable and learned == host:
                self.directory.put_state(host_id, found.state)
                return found.state
            async with self.ground.db.transaction() as tx:
                await store.write_state(tx.conn, learned, found.state)
                if found.entries:
                    await self.ground.journal.append(tx, *found.entries)
                tx.after_commit(lambda: self._taken(host, learned, found.state))
            for entry in found.entries:
                log.info("host %s (%s): %s %s", host.id, host.host_ip, entry.kind, entry.params.get("reason", ""))
            return found.state

    def _taken(self, before: Host, learned: Host, state: HostState) -> None:
        if learned != before and self.directory.host(learned.id) is not None:
            self.directory.put_host(learned)
        self.directory.put_state(learned.id, state)

    async def learn_version(self, host_id: int, version: str) -> None:
        """What runs on a host, where it is news."""
        async with self.turns.hold(host_id):
            host, state = self.directory.host(host_id), self.directory.state(host_id)
            if host is not None and state.version != version:
                state = msgspec.structs.replace(state, version=version)
                async with self.ground.db.transaction() as tx:
                    await store.write_state(tx.conn, host, state)
                self.directory.put_state(host_id, state)

    async def learn_expiry(self, host_id: int, fingerprint: str, not_after: str) -> None:
        """A pinned certificate's end, where it was not known yet."""
        async with self.turns.hold(host_id):
            host, ends = self.directory.host(host_id), moment(not_after)
            if host is None or ends is None:
                return
            pins = tuple(
                msgspec.structs.replace(pin, not_after=ends) if pin.fingerprint == fingerprint else pin
                for pin in host.pins
            )
            if pins != host.pins:
                async with self.ground.db.transaction() as tx:
                    for pin in pins:
                        await store.note_expiry(tx.conn, host_id, pin)
                self.directory.put_host(msgspec.structs.replace(host, pins=pins))
