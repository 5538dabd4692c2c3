"""Read once, kept in memory, changed in a transaction with its journal row, listeners told after the commit."""

import ipaddress
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import delete, insert, select

from pharmq.base.clock import Clock
from pharmq.base.errors import FieldError, Invalid
from pharmq.db import Database
from pharmq.journal import Entry, Journal, Who
from pharmq.settings.model import KindRule, RuntimeSettings
from pharmq.settings.tables import settings


class SettingsService:
    """``current`` is always complete: what is not in the table has its default."""

    def __init__(self, db: Database, journal: Journal, clock: Clock) -> None:
        self.db = db
        self.journal = journal
        self.clock = clock
        self.current = RuntimeSettings()
        self._listeners: list[Callable[[RuntimeSettings], None]] = []

    def listen(self, fn: Callable[[RuntimeSettings], None]) -> None:
        self._listeners.append(fn)

    async def load(self) -> None:
        async with self.db.read() as conn:
            found = {row.key: row.value for row in await conn.execute(select(settings.c.key, settings.c.value))}
        known = {name: found[name] for name in RuntimeSettings.__struct_fields__ if name in found}
        self.current = msgspec.convert(known, RuntimeSettings)

    async def change(self, who: Who, wanted: RuntimeSettings) -> RuntimeSettings:
        """Replace all settings; what equals its default leaves the table."""
        if wanted.session_idle_hours > wanted.session_hours:
            raise Invalid(
                "request.invalid",
                fields={"session_idle_hours": [FieldError("settings.idle_exceeds_session")]},
            )
        _check_networks(wanted.inside_networks)
        _check_kinds(wanted.kind_rules)
        before, default = msgspec.structs.asdict(self.current), msgspec.structs.asdict(RuntimeSettings())
        after = msgspec.structs.asdict(wanted)
        changed = {key: {"from": before[key], "to": value} for key, value in after.items() if before[key] != value}
        if not changed:
            return self.current
        now = self.clock.now()
        async with self.db.transaction(durable=True) as tx:
            await tx.conn.execute(delete(settings).where(settings.c.key.in_(list(changed))))
            rows = [
                {"key": key, "value": after[key], "updated_at": now, "updated_by": who.id}
                for key in changed
                if after[key] != default[key]
            ]
            if rows:
                await tx.conn.execute(insert(settings), rows)
            await self.journal.append(tx, Entry(kind="settings.changed", who=who, params=changed))
        self.current = wanted
        for fn in self._listeners:
            fn(wanted)
        return wanted


def _check_networks(networks: Sequence[str]) -> None:
    for text in networks:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            wrong = FieldError("settings.network_malformed", {"text": text})
            raise Invalid("request.invalid", fields={"inside_networks": [wrong]}) from None


STARS = 4
"""In one word; each makes finding it dearer."""


def _check_kinds(rules: Sequence[KindRule]) -> None:
    for rule in rules:
        for word in rule.words:
            if not word.strip("*").strip() or word.count("*") > STARS or not word.isprintable():
                wrong = FieldError("settings.kind_word_malformed", {"text": word})
                raise Invalid("request.invalid", fields={"kind_rules": [wrong]})
