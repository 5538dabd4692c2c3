"""The chain holds on both databases, and whatever is done to the journal behind its back is found and named.

``PHARMQ_TAMPER_CASES=10000 pytest tests/store/test_audit_proof.py -k random`` runs the long version;
``PHARMQ_TAMPER_FIRST=2500`` begins there, so that it can be cut into parts.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access import SYSTEM, Actor, Grant, Privilege
from pharmq.audit import store
from pharmq.audit.keys import SigningKeys
from pharmq.audit.proof import ProofService, Report
from pharmq.audit.tables import journal_checkpoints, journal_keys
from pharmq.base.clock import ManualClock
from pharmq.db import Database
from pharmq.journal import Entry, Journal, Where, Who
from pharmq.journal.chain import START, row_hash
from pharmq.journal.tables import journal as table
from pharmq.journal.tables import journal_head, journal_personal
from pharmq.vault import MasterKey, Vault

ROWS = 60
CASES = int(os.environ.get("PHARMQ_TAMPER_CASES", "300"))
FIRST = int(os.environ.get("PHARMQ_TAMPER_FIRST", "0"))
ADMIN = Actor("user", 1, "admin", (Grant("/", frozenset(Privilege)),))


@pytest.fixture
async def vault(db: Database, clock: ManualClock) -> Vault:
    made = Vault(db, MasterKey.from_text(MasterKey.new_text()), clock)
    await made.load()
    return made


@pytest.fixture
async def proof(db: Database, vault: Vault, clock: ManualClock, tmp_path: Path) -> ProofService:
    """Sixty rows of all shapes, checkpoints at 20 and 40, the last 20 only under the head's signature."""
    keys = await SigningKeys.load(db, vault, clock)
    journal = Journal(clock, keys)
    made = ProofService(db, journal, keys, clock, tmp_path / "witness")
    for number in range(1, ROWS + 1):
        who = Who("user", number % 5, f"사람 {number % 5}", f"192.0.2.{number % 7}") if number % 3 else Who("system")
        entry = Entry(
            kind=("vm.status", "power.start", "session.opened")[number % 3],
            phase=("event", "request", "outcome")[number % 3],
            act_id=f"{number:026}" if number % 2 else None,
            who=who,
            where=Where(("/", f"/host/{number % 4}"), number % 4 or None, number % 4, number),
            params={"number": number, "name": "POS\x00-1", "load": number / 7, "list": [None, True, "가"]},
            private={"name": "김약사"} if number % 11 == 0 else {},
            outcome="ok" if number % 3 == 2 else None,
            upid="UPID:x" if number % 3 == 2 else None,
        )
        async with db.transaction() as tx:
            await journal.append(tx, entry)
        await clock.advance(1)
        if number in (20, 40):
            await made.checkpoint()
    return made


async def check(proof: ProofService) -> Report:
    return await proof.check()


def named(report: Report, seq: int) -> bool:
    return any(found.first <= seq <= found.last for found in report.findings)


async def test_an_untouched_journal_is_whole(proof: ProofService, db: Database) -> None:
    report = await check(proof)
    assert report.findings == ()
    assert (report.whole, report.rows, report.head_seq, report.checkpoints) == (True, ROWS, ROWS, 2)
    async with db.read() as conn:
        rows = await proof.journal.read(conn, 0)
    assert (rows[0].who.name, rows[0].who.source) == ("사람 1", "192.0.2.1")
    assert rows[10].params["name"] == "김약사", "private parameters are among the others"
    assert rows[9].params == {"number": 10, "name": "POS\x00-1", "load": 10 / 7, "list": [None, True, "가"]}


async def test_one_append_of_many_rows_and_a_rolled_back_one_keep_the_chain(proof: ProofService, db: Database) -> None:
    async with db.transaction() as tx:
        await proof.journal.append(tx, *(Entry(kind="many", who=Who("user", 9, "new")) for _ in range(5)))
    with pytest.raises(LookupError):
        async with db.transaction() as tx:
            await proof.journal.append(tx, Entry(kind="lost", who=Who("user", 9, "newer")))
            raise LookupError
    async with db.transaction() as tx:
        await proof.journal.append(tx, Entry(kind="kept", who=Who("user", 9, "newer")))
    assert (await check(proof)).findings == ()


def other(value: Any, draw: random.Random) -> Any:
    """Something else of the same type."""
    if isinstance(value, bytes):
        at = draw.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << draw.randrange(8))]) + value[at + 1 :]
    if isinstance(value, int):
        return value + draw.choice([-1, 1, 1000])
    if isinstance(value, str):
        return value[:-1] + ("x" if value[-1:] != "x" else "y")
    if isinstance(value, dict):
        return {**value, "number": value["number"] + 1}
    if isinstance(value, (list, tuple)):
        return [*value, "/vm/9"]
    if value is None:
        return 7
    return value.replace(microsecond=(value.microsecond + 1) % 1_000_000)


TEXTS = {"act_id", "person", "private", "outcome", "upid"}


async def change_a_cell(conn: AsyncConnection, draw: random.Random) -> set[int]:
    seq = draw.randint(1, ROWS)
    name = draw.choice([column.name for column in table.c if column.name != "seq"])
    value = await conn.scalar(select(table.c[name]).where(table.c.seq == seq))
    fresh = other(value, draw)
    if value is None and name in TEXTS:
        fresh = "7"
    if name == "version":
        fresh = draw.choice([0, 2, 99])
    await conn.execute(update(table).where(table.c.seq == seq).values({name: fresh}))
    return {seq}


async def delete_rows(conn: AsyncConnection, draw: random.Random) -> set[int]:
    first = draw.randint(1, ROWS)
    last = min(ROWS, first + draw.choice([0, 0, 1, 5, 30]))
    await conn.execute(delete(table).where(table.c.seq.between(first, last)))
    return set(range(first, last + 1))


async def delete_and_renumber(conn: AsyncConnection, draw: random.Random) -> set[int]:
    """The rows behind move up, as if nothing had been there."""
    seq = draw.randint(1, ROWS)
    await conn.execute(delete(table).where(table.c.seq == seq))
    for number in range(seq + 1, ROWS + 1):
        await conn.execute(update(table).where(table.c.seq == number).values(seq=number - 1))
    await conn.execute(update(journal_head).values(seq=ROWS - 1))
    return set()


async def swap(conn: AsyncConnection, draw: random.Random) -> set[int]:
    one, two = draw.sample(range(1, ROWS + 1), 2)
    for before, after in ((one, -1), (two, one), (-1, two)):
        await conn.execute(update(table).where(table.c.seq == before).values(seq=after))
    return {one, two}


async def truncate(conn: AsyncConnection, draw: random.Random) -> set[int]:
    """The end is cut off and the head put back to fit."""
    keep = draw.randint(0, ROWS - 1)
    await conn.execute(delete(table).where(table.c.seq > keep))
    last = await conn.scalar(select(table.c.hash).where(table.c.seq == keep)) or START
    await conn.execute(update(journal_head).values(seq=keep, hash=last))
    if draw.random() < 0.5:
        await conn.execute(delete(journal_checkpoints).where(journal_checkpoints.c.seq > keep))
        previous = max((seq for seq in (20, 40) if seq <= keep), default=0)
        await conn.execute(update(journal_head).values(checkpoint=previous))
    return set()


async def rewrite(conn: AsyncConnection, draw: random.Random) -> set[int]:
    """A change with every hash behind it and the head made anew: only signatures tell."""
    seq = draw.randint(1, ROWS)
    await conn.execute(update(table).where(table.c.seq == seq).values(kind="vm.edited"))
    last = await store.hash_at(conn, seq - 1) if seq > 1 else START
    for stored in await store.rows(conn, seq - 1, ROWS, ROWS):
        last = row_hash(last, stored.cells)
        await conn.execute(update(table).where(table.c.seq == stored.cells.seq).values(hash=last))
    await conn.execute(update(journal_head).values(hash=last))
    return {seq}


async def add_rows(conn: AsyncConnection, draw: random.Random) -> set[int]:
    row = (await conn.execute(select(table).where(table.c.seq == draw.randint(1, ROWS)))).one()._asdict()
    await conn.execute(insert(table).values(row | {"seq": ROWS + 1}))
    return {ROWS + 1}


async def change_a_person(conn: AsyncConnection, draw: random.Random) -> set[int]:
    refs = list(await conn.scalars(select(journal_personal.c.ref).order_by(journal_personal.c.ref)))
    ref = draw.choice(refs)
    row = (await conn.execute(select(journal_personal).where(journal_personal.c.ref == ref))).one()._asdict()
    way = draw.choice(["name", "source", "about", "details", "salt", "gone", "erased"])
    if way == "gone":
        await conn.execute(delete(journal_personal).where(journal_personal.c.ref == ref))
    elif way == "erased":
        values = {"name": None, "source": None, "details": None, "salt": None, "erased_seq": draw.randint(1, ROWS)}
        await conn.execute(update(journal_personal).where(journal_personal.c.ref == ref).values(values))
    else:
        fresh = other(row[way], draw) if row[way] is not None else (7 if way == "about" else "x")
        await conn.execute(update(journal_personal).where(journal_personal.c.ref == ref).values({way: fresh}))
    return set()


async def change_a_checkpoint(conn: AsyncConnection, draw: random.Random) -> set[int]:
    seq = draw.choice([20, 40])
    place = journal_checkpoints.c.seq == seq
    name = draw.choice(["hash", "previous", "at", "signature", "key_id", "seq", "gone"])
    if name == "gone":
        await conn.execute(delete(journal_checkpoints).where(place))
    else:
        value = await conn.scalar(select(journal_checkpoints.c[name]).where(place))
        await conn.execute(update(journal_checkpoints).where(place).values({name: other(value, draw)}))
    return set()


async def cut_a_segment(conn: AsyncConnection, draw: random.Random) -> set[int]:
    """Rows deleted and the checkpoint marked as cut, without our signature."""
    first, last = draw.choice([(1, 20), (21, 40)])
    await conn.execute(delete(table).where(table.c.seq.between(first, last)))
    row = (await conn.execute(select(journal_checkpoints).where(journal_checkpoints.c.seq == last))).one()
    values = {"cut_at": row.at, "cut_signature": row.signature}
    await conn.execute(update(journal_checkpoints).where(journal_checkpoints.c.seq == last).values(values))
    return set(range(first, last + 1))


async def forge_the_key(conn: AsyncConnection, draw: random.Random) -> set[int]:
    await conn.execute(update(journal_head).values(signature=draw.randbytes(64)))
    return set()


async def change_the_head(conn: AsyncConnection, draw: random.Random) -> set[int]:
    name = draw.choice(["seq", "hash", "checkpoint", "signature", "key_id"])
    value = await conn.scalar(select(journal_head.c[name]))
    await conn.execute(update(journal_head).values({name: other(value, draw)}))
    return set()


ACTS: list[Callable[[AsyncConnection, random.Random], Awaitable[set[int]]]] = [
    change_a_cell, change_a_cell, change_a_cell, delete_rows, delete_rows, swap, swap, delete_and_renumber, truncate,
    rewrite, add_rows, change_a_person, change_a_checkpoint, cut_a_segment, forge_the_key, change_the_head,
]  # fmt: skip


class Back(Exception):
    """Rolls the tampering back, so that the next case begins with a whole journal."""


async def test_every_random_change_is_found_and_the_rows_are_named(
    proof: ProofService, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each case tampers inside a transaction that is rolled back, and the check reads through the same connection."""
    cases = CASES if db.is_sqlite else min(CASES, 60)
    for number in range(FIRST, FIRST + cases):
        draw = random.Random(number)
        act = ACTS[number % len(ACTS)]
        with pytest.raises(Back):
            async with db.transaction() as tx:
                touched = await act(tx.conn, draw)
                with monkeypatch.context() as patch:
                    patch.setattr(db, "read", lambda conn=tx.conn: _Same(conn))
                    report = await proof.check()
                assert not report.whole, (number, act.__name__)
                for seq in touched:
                    assert named(report, seq), (number, act.__name__, seq, report.findings)
                raise Back
    assert (await proof.check()).whole


class _Same:
    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn

    async def __aenter__(self) -> AsyncConnection:
        return self.conn

    async def __aexit__(self, *_: object) -> None:
        return None


async def test_a_moved_row_is_named_with_its_place(proof: ProofService, db: Database) -> None:
    async with db.transaction() as tx:
        for before, after in ((7, -1), (31, 7), (-1, 31)):
            await tx.conn.execute(update(table).where(table.c.seq == before).values(seq=after))
    moved = {(f.first, f.detail) for f in (await check(proof)).findings if f.code == "audit.found_moved"}
    assert moved == {(7, "31"), (31, "7")}


async def test_a_database_put_back_to_an_earlier_state_no_longer_reaches_its_witness(
    proof: ProofService, db: Database
) -> None:
    """Rows, checkpoint, head and signature all fit together: only what was seen outside tells."""
    async with db.read() as conn:
        head = (await conn.execute(select(journal_head))).one()._asdict()
    async with db.transaction() as tx:
        await proof.journal.append(tx, Entry(kind="power.stop", who=Who("user", 1, "somebody")))
    await proof.checkpoint()
    assert (await check(proof)).whole
    async with db.transaction() as tx:
        await tx.conn.execute(delete(table).where(table.c.seq > ROWS))
        await tx.conn.execute(delete(journal_checkpoints).where(journal_checkpoints.c.seq > ROWS))
        await tx.conn.execute(update(journal_head).values(head))
    assert [(f.code, f.first, f.last) for f in (await check(proof)).findings] == [
        ("audit.found_rolled_back", ROWS + 1, ROWS + 1)
    ]
    await proof.accept_restore(SYSTEM, "restored from Tuesday's backup")
    assert (await check(proof)).whole


async def test_a_key_that_somebody_else_made_is_not_believed(
    proof: ProofService, db: Database, vault: Vault, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        await tx.conn.execute(delete(journal_keys))
    keys = await SigningKeys.load(db, vault, clock)
    proof.keys = proof.journal.signer = keys
    codes = {found.code for found in (await proof.check()).findings}
    assert "audit.found_checkpoint_changed" in codes


async def test_a_check_is_recorded_and_needs_the_privilege(proof: ProofService, db: Database) -> None:
    report = await proof.check_and_record(ADMIN)
    assert report.whole
    async with db.read() as conn:
        (row,) = await proof.journal.read(conn, ROWS)
    assert (row.kind, row.outcome, row.params["findings"]) == ("audit.verified", "ok", 0)


async def test_checkpoints_come_with_time(proof: ProofService, clock: ManualClock, db: Database) -> None:
    await proof.start()
    try:
        for _ in range(3000):
            await clock.advance(10)
            # The database answers in real time, whatever the clock says.
            await asyncio.sleep(0.01)
            async with db.read() as conn:
                points = await store.checkpoints(conn)
            if len(points) == 3:
                break
        assert [point.seq for point in points] == [20, 40, ROWS]
    finally:
        await proof.aclose()
