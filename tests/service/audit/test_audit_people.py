"""Searching, exporting, reviewing and cutting what people did."""

import asyncio
import csv
import io
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select

from inventory_cast import ADMIN, NOBODY, OF_GANGNAM
from pharmq.access import EVERYTHING, Actor, Grant, Privilege, where
from pharmq.access.tables import users
from pharmq.audit import store
from pharmq.audit.auditing import Auditing
from pharmq.audit.export import EventExportForm, ExportForm, safe
from pharmq.audit.forward import READER, Target, message, target_of
from pharmq.audit.review import PackForm, bounds, is_unusual
from pharmq.audit.wanted import AuditFilter, EventFilter
from pharmq.base.clock import ManualClock
from pharmq.base.errors import Conflict, Forbidden, Invalid
from pharmq.db import Database
from pharmq.journal import Entry, Who
from pharmq.journal.tables import journal as table
from pharmq.journal.tables import journal_head, journal_personal
from pharmq.settings import RuntimeSettings
from pharmq_sim.certs import make_identity

KIM, LEE = Who("user", 7, "김약사", "192.0.2.7"), Who("user", 8, "=cmd()", "192.0.2.8")


async def add(auditing: Auditing, *entries: Entry) -> int:
    async with auditing.proof.db.transaction() as tx:
        return await auditing.proof.journal.append(tx, *entries)


@pytest.fixture
async def acts(auditing: Auditing, clock: ManualClock) -> Auditing:
    here, there = (where(auditing.directory.scope(number)) for number in (1, 2))  # type: ignore[attr-defined]
    await add(
        auditing,
        Entry(kind="power.stop", phase="request", act_id="A" * 26, who=KIM, where=here, params={"reason": "점검"}),
        Entry(kind="power.start", phase="request", act_id="B" * 26, who=LEE, where=there),
        Entry(kind="console.opened", phase="request", act_id="C" * 26, who=KIM, where=here),
        Entry(kind="vm.status", where=here),
    )
    await clock.advance(90)
    system = Who("system", None, "system")
    await add(
        auditing,
        Entry(kind="power.stop", phase="outcome", act_id="A" * 26, who=KIM, where=here, outcome="ok", upid="UPID:1"),
        Entry(kind="power.start", phase="outcome", act_id="B" * 26, who=LEE, where=there, outcome="ok"),
        Entry(kind="power.start", phase="outcome", act_id="B" * 26, who=LEE, where=there, outcome="job.locked"),
        Entry(kind="console.closed", act_id="C" * 26, who=system, where=here, params={"bytes_down": 5}),
        Entry(kind="session.refused", who=Who("user", None, "kim", "203.0.113.9")),
    )
    return auditing


async def test_an_act_is_one_row_with_its_outcome_and_duration(acts: Auditing) -> None:
    rows, total = await acts.search.page(ADMIN, AuditFilter(), None, 100)
    assert [row.kind for row in rows] == ["session.refused", "console.opened", "power.start", "power.stop"]
    assert total == 4
    stop, start, screen = rows[3], rows[2], rows[1]
    assert (screen.params["bytes_down"], screen.duration_ms) == (5, 90_000), "a console's end stands in its row"
    assert (stop.outcome, stop.upid, stop.duration_ms, stop.reason) == ("ok", "UPID:1", 90_000, "점검")
    assert (start.outcome, start.outcomes) == (None, {"ok": 1, "job.locked": 1})
    assert (stop.actor.name, stop.actor.source) == ("김약사", "192.0.2.7")


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (AuditFilter(actor_id=(7,)), ["console.opened", "power.stop"]),
        (AuditFilter(person="김"), ["console.opened", "power.stop"]),
        (AuditFilter(person="203.0.113.9"), ["session.refused"]),
        (AuditFilter(person="%"), []),
        (AuditFilter(kind=("power.*",)), ["power.start", "power.stop"]),
        (AuditFilter(host_id=(2,)), ["power.start"]),
        (AuditFilter(pharmacy_id=(2,), kind=("power.start",)), ["power.start"]),
        (AuditFilter(outcome=("failed",)), ["session.refused", "power.start"]),
        (AuditFilter(outcome=("ok",)), ["power.stop"]),
        (AuditFilter(outcome=("open",)), ["console.opened"]),
        (AuditFilter(outcome=("ok", "open")), ["console.opened", "power.stop"]),
        (AuditFilter(by=("system", "token")), []),
        (AuditFilter(until=datetime(1, 1, 1, tzinfo=UTC)), []),
        (AuditFilter(since=datetime(9999, 12, 31, tzinfo=UTC)), []),
    ],
)
async def test_search(acts: Auditing, wanted: AuditFilter, kinds: list[str]) -> None:
    assert [row.kind for row in (await acts.search.page(ADMIN, wanted, None, 100))[0]] == kinds


async def test_only_where_one_may_read_the_audit(acts: Auditing) -> None:
    assert (await acts.search.page(NOBODY, AuditFilter(), None, 100))[0] == []
    assert (await acts.search.page(OF_GANGNAM, AuditFilter(), None, 100))[0] == []
    auditor = Actor("user", 5, "auditor", (Grant("/host/1", frozenset({Privilege.AUDIT_READ})),))
    rows, _ = await acts.search.page(auditor, AuditFilter(), None, 100)
    assert {row.host_id for row in rows} == {1}


async def test_an_act_on_many_is_found_by_each_of_its_places(acts: Auditing) -> None:
    here = where(acts.directory.scope(1))  # type: ignore[attr-defined]
    await add(
        acts,
        Entry(kind="power.reboot", phase="request", act_id="D" * 26, who=LEE, where=where(EVERYTHING)),
        Entry(kind="power.reboot", phase="outcome", act_id="D" * 26, who=LEE, where=here, outcome="succeeded"),
    )
    for number, kinds in ((1, ["power.reboot"]), (2, [])):
        wanted = AuditFilter(host_id=(number,), kind=("power.reboot",))
        assert [row.kind for row in (await acts.search.page(ADMIN, wanted, None, 10))[0]] == kinds


async def test_an_act_on_many_is_one_act_of_what_one_may_see(acts: Auditing, clock: ManualClock) -> None:
    here, there = (where(acts.directory.scope(number)) for number in (1, 2))  # type: ignore[attr-defined]
    act: dict[str, Any] = {"kind": "power.reboot", "act_id": "D" * 26, "who": LEE}
    said = {"job_id": 9, "force": False}
    begun = clock.now()
    await add(acts, Entry(**act, phase="request", params=said | {"total": 4, "skipped": 1}))
    await clock.advance(10)
    await add(
        acts,
        *(Entry(**act, phase="outcome", where=here, outcome="succeeded", params=said) for _ in range(2)),
    )
    await clock.advance(10)
    lost = said | {"vm_name": "POS-2", "reason": "job.host_gone"}
    await add(acts, Entry(**act, phase="outcome", where=there, outcome="failed", params=lost))
    finished = Entry(kind="job.finished", act_id="D" * 26, who=LEE, params=said | {"total": 4, "failed": 1})
    await add(acts, finished)

    async def seen(path: str, **more: Any) -> list[Any]:
        auditor = Actor("user", 5, "auditor", (Grant(path, frozenset({Privilege.AUDIT_READ})),))
        wanted = AuditFilter(kind=("power.reboot", "job.finished"), **more)
        return (await acts.search.page(auditor, wanted, None, 10))[0]

    (whole,) = await seen("/")
    assert (whole.outcomes, whole.params["total"]) == ({"succeeded": 2, "failed": 1}, 4)
    (mine,) = await seen("/pharmacy/1")
    assert (mine.outcomes, mine.params) == ({"succeeded": 2}, said | {"total": 2})
    assert (mine.at, mine.finished_at, mine.duration_ms) == (begun, begun + timedelta(seconds=10), 10_000)
    assert (mine.pharmacy_id, mine.host_id, mine.actor.name) == (1, 1, "=cmd()")
    (theirs,) = await seen("/host/2")
    assert (theirs.outcome, theirs.pharmacy_id, theirs.params["total"]) == ("failed", 2, 1)
    assert (theirs.params["vm_name"], theirs.params["because"]) == ("POS-2", "job.host_gone")
    assert await seen("/host/3") == []
    # No filter tells what the rest was, or hides what one sees because of it.
    for path, more, count in (
        ("/host/1", {"outcome": ("failed",)}, 0),
        ("/host/1", {"outcome": ("open",)}, 0),
        ("/host/1", {"outcome": ("ok",)}, 1),
        ("/host/2", {"outcome": ("ok",)}, 0),
        ("/host/2", {"outcome": ("failed", "open")}, 1),
        ("/host/1", {"host_id": (2,)}, 0),
        ("/host/1", {"pharmacy_id": (2,)}, 0),
        ("/host/1", {"host_id": (1, 2)}, 1),
        ("/host/1", {"pharmacy_id": (1,), "host_id": (2,)}, 0),
    ):
        assert len(await seen(path, **more)) == count, (path, more)


async def test_what_the_system_did_by_itself_or_by_its_command_line_is_an_act(acts: Auditing) -> None:
    """`pharmq user reset`, rotations by policy, jobs of schedules: nobody's name is on them, still they count."""
    await add(acts, Entry(kind="access.password_reset"), Entry(kind="vm.status"), Entry(kind="host.offline"))
    rows, _ = await acts.search.page(ADMIN, AuditFilter(by=("system",)), None, 100)
    assert [(row.kind, row.actor.kind) for row in rows] == [("access.password_reset", "system")]
    assert (await acts.search.page(ADMIN, AuditFilter(), None, 100))[0][0].kind == "access.password_reset"
    report = await acts.review.report(ADMIN, "2026-11")
    assert {one.user_id: one.acts for one in report.people}[None] == 1, "the review is about people"


async def exported(auditing: Auditing, form: ExportForm, actor: Actor = ADMIN) -> bytes:
    return b"".join([piece async for piece in await auditing.export.begin(actor, form)])


async def test_the_csv_opens_in_excel_and_no_cell_is_a_formula(acts: Auditing) -> None:
    body = await exported(acts, ExportForm(format="csv", reason="월간 점검"))
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert rows[0][:3] == ["번호", "시각(한국)", "사용자"]
    assert {row[4] for row in rows[1:]} >= {"전원", "화면", "로그인"}, "kinds in words"
    assert len(rows) == 6, "the export's own request is in it"
    assert {row[2] for row in rows[1:]} >= {"김약사", "'=cmd()"}
    assert rows[-1][1] == "2026-11-23 10:24:00"
    for text in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1"):
        assert safe(text) == "'" + text


async def test_an_export_is_recorded_with_its_reason_and_its_size(acts: Auditing) -> None:
    with pytest.raises(Invalid):
        await exported(acts, ExportForm(format="jsonl", reason="  "))
    body = await exported(acts, ExportForm(format="jsonl", reason="수사 협조", filter=AuditFilter(person="김")))
    assert [msgspec.json.decode(line)["kind"] for line in body.splitlines()] == ["console.opened", "power.stop"]
    (row,) = (await acts.search.page(ADMIN, AuditFilter(kind=("export.*",)), None, 10))[0]
    assert (row.reason, row.outcome, row.params["person"]) == ("수사 협조", "ok", "김")
    async with acts.proof.db.read() as conn:
        chained = [str(params) for params in await conn.scalars(select(table.c.params))]
    assert not any("김" in text for text in chained), "a name that was searched for can be erased"


async def test_an_export_that_breaks_off_says_so(acts: Auditing) -> None:
    pieces = await acts.export.begin(ADMIN, ExportForm(format="csv", reason="점검"))
    await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]
    (row,) = (await acts.search.page(ADMIN, AuditFilter(kind=("export.*",)), None, 10))[0]
    assert row.outcome == "export.interrupted"


async def test_an_export_needs_both_privileges(acts: Auditing) -> None:
    for privilege in (Privilege.EXPORT, Privilege.AUDIT_READ):
        actor = Actor("user", 1, "x", (Grant("/", frozenset({privilege})),))
        with pytest.raises(Forbidden):
            await exported(acts, ExportForm(format="csv", reason="점검"), actor)


async def events_of(auditing: Auditing, actor: Actor, form: EventExportForm) -> list[dict[str, Any]]:
    pieces = await auditing.export.begin_events(actor, form)
    return [msgspec.json.decode(line) for line in b"".join([piece async for piece in pieces]).splitlines()]


async def test_events_go_out_as_far_as_one_may_see_and_export(acts: Auditing) -> None:
    form = EventExportForm(format="jsonl", reason="월간 보고")
    of_one = Actor("user", 5, "x", (Grant("/host/1", frozenset({Privilege.SEE, Privilege.EXPORT})),))
    assert {row["host_id"] for row in await events_of(acts, of_one, form)} == {1}
    mixed = (Grant("/host/1", frozenset({Privilege.SEE})), Grant("/host/2", frozenset({Privilege.EXPORT})))
    assert await events_of(acts, Actor("user", 5, "x", mixed), form) == []
    with pytest.raises(Forbidden):
        await events_of(acts, OF_GANGNAM, form)
    with pytest.raises(Invalid):
        await events_of(acts, ADMIN, EventExportForm(format="jsonl", reason=" "))
    until = msgspec.structs.replace(form, filter=EventFilter(until=datetime(2026, 11, 23, tzinfo=UTC)))
    assert await events_of(acts, ADMIN, until) == []
    (row, *_) = (await acts.search.page(ADMIN, AuditFilter(kind=("export.events",)), None, 10))[0]
    assert (row.reason, row.outcome) == ("월간 보고", "ok")
    csv_form = EventExportForm(format="csv", reason="월간 보고", filter=EventFilter(kind=("power.*",)))
    body = b"".join([piece async for piece in await acts.export.begin_events(ADMIN, csv_form)])
    assert body.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert (len(table), table[0][5]) == (6, "단계")
    assert all(len(line) == len(table[0]) for line in table)


async def test_who_may_only_see_does_not_find_people_by_their_address(acts: Auditing) -> None:
    wanted = EventFilter(person="192.0.2.7")
    seer = Actor("user", 5, "x", (Grant("/", frozenset({Privilege.SEE})),))
    assert (await acts.search.events.page(seer, wanted, None, 10))[1] == 0
    assert (await acts.search.events.page(ADMIN, wanted, None, 10))[1] == 3
    assert (await acts.search.events.page(seer, EventFilter(person="김약"), None, 10))[1] == 3


async def test_the_head_and_what_is_kept_are_told(acts: Auditing) -> None:
    head = await acts.proof.signed_head(ADMIN)
    assert (head.seq, head.signed, len(head.hash), len(head.signature or "")) == (9, True, 64, 128)
    await acts.proof.checkpoint()
    kept = await acts.retention.state(ADMIN)
    assert (kept.oldest_seq, kept.newest_seq, kept.segments, kept.cut_segments) == (1, 9, 1, 0)
    async with acts.proof.db.transaction() as tx:
        await tx.conn.execute(journal_head.update().values(hash=b"x" * 32))
    assert not (await acts.proof.signed_head(ADMIN)).signed
    for ask in (acts.proof.signed_head, acts.retention.state):
        with pytest.raises(Forbidden):
            await ask(OF_GANGNAM)


# --- review and breach pack


def test_unusual_hours_and_months_are_korean() -> None:
    assert not is_unusual(datetime(2026, 11, 23, 0, 0, tzinfo=UTC))
    assert is_unusual(datetime(2026, 11, 23, 14, 0, tzinfo=UTC)), "23:00 in Korea"
    assert is_unusual(datetime(2026, 11, 22, 3, 0, tzinfo=UTC)), "Sunday"
    since, until = bounds("2026-12")
    assert (since, until) == (datetime(2026, 11, 30, 15, tzinfo=UTC), datetime(2026, 12, 31, 15, tzinfo=UTC))
    with pytest.raises(Invalid):
        bounds("2026-13")


async def test_a_month_is_reviewed_and_signed_once(acts: Auditing, clock: ManualClock) -> None:
    values: dict[str, Any] = {"display_name": "x", "password_hash": "", "lang": "ko"}
    long_ago = clock.now() - timedelta(days=200)
    async with acts.proof.db.transaction() as tx:
        for number, name in ((7, "kim"), (9, "asleep")):
            row = {"id": number, "name": name, "created_at": long_ago, **values}
            await tx.conn.execute(insert(users).values(**row, signed_in_at=clock.now() if number == 7 else None))
    for _ in range(5):
        await exported(acts, ExportForm(format="jsonl", reason="점검"))
    with pytest.raises(Conflict):
        await acts.review.sign(ADMIN, "2026-11", "")
    await clock.advance(10 * 86400)
    report = await acts.review.report(ADMIN, "2026-11")
    by_id = {one.user_id: one for one in report.people}
    assert (by_id[7].consoles, by_id[7].acts, by_id[None].refused) == (1, 2, 1)
    assert by_id[ADMIN.id].remarks == ("audit.remark_many_exports",)
    assert [one.name for one in report.dormant] == ["asleep"]
    signed = await acts.review.sign(ADMIN, "2026-11", "이상 없음")
    assert (signed.signed_by, signed.note) == (ADMIN.id, "이상 없음")
    with pytest.raises(Conflict):
        await acts.review.sign(ADMIN, "2026-11", "")
    months = await acts.review.months(ADMIN)
    seen = [(one.month, one.ended, one.signed_at is not None) for one in months]
    assert seen == [("2026-12", False, False), ("2026-11", True, True)], "none before the journal"


async def test_a_breach_pack_names_screens_and_exports(acts: Auditing, clock: ManualClock) -> None:
    form = PackForm(user_id=7, since=clock.now() - timedelta(days=1), until=clock.now(), reason="유출 의심")
    pack = await acts.review.pack(ADMIN, form)
    (screen,) = pack.screens
    assert (screen.pharmacy_name, screen.duration_s, screen.details["bytes_down"]) == ("강남온누리약국", 90.0, 5)
    assert (pack.addresses, pack.acts) == (["192.0.2.7"], 2)
    assert (await acts.search.page(ADMIN, AuditFilter(kind=("export.breach_pack",)), None, 5))[0][
        0
    ].reason == "유출 의심"
    with pytest.raises(Invalid):
        await acts.review.pack(ADMIN, msgspec.structs.replace(form, until=form.since))


async def test_a_screen_opened_before_the_period_and_open_in_it_was_seen_too(
    acts: Auditing, clock: ManualClock
) -> None:
    here = where(acts.directory.scope(1))  # type: ignore[attr-defined]
    for act in ("E" * 26, "F" * 26):
        await add(acts, Entry(kind="console.opened", phase="request", act_id=act, who=KIM, where=here))
        await add(acts, Entry(kind="console.opened", phase="outcome", act_id=act, who=KIM, where=here, outcome="ok"))
    await clock.advance(3600)
    since = clock.now()
    await clock.advance(60)
    await add(acts, Entry(kind="console.closed", act_id="E" * 26, who=KIM, where=here, outcome="console.browser_lost"))
    form = PackForm(user_id=7, since=since, until=clock.now() + timedelta(days=1), reason="유출 의심")
    screens = {screen.act_id: screen.closed_at is not None for screen in (await acts.review.pack(ADMIN, form)).screens}
    assert screens == {"E" * 26: True, "F" * 26: False}, "and the one that was closed before is not among them"


# --- retention and erasure


async def test_whole_verified_segments_are_cut_and_the_chain_still_holds(acts: Auditing, clock: ManualClock) -> None:
    await acts.proof.checkpoint()
    await clock.advance(86400)
    await add(acts, Entry(kind="access.grant_added", who=KIM))
    await acts.proof.checkpoint()
    await clock.advance(1100 * 86400)
    await add(acts, Entry(kind="vm.status"))
    await acts.proof.checkpoint()
    assert await acts.retention.cut() == 9, "grants are kept longer"
    report = await acts.proof.check()
    assert (report.findings, report.cut_segments, report.rows) == ((), 1, 3)
    async with acts.proof.db.read() as conn:
        (cut,) = (await conn.execute(select(table).where(table.c.kind == "audit.cut"))).all()
        assert await conn.scalar(select(journal_personal.c.ref).where(journal_personal.c.name == "=cmd()")) is None
    assert (cut.params["first"], cut.params["last"], cut.params["rows"]) == (1, 9, 9)
    await clock.advance(1000 * 86400)
    assert await acts.retention.cut() == 1
    assert (await acts.proof.check()).whole
    assert await acts.retention.cut() == 0


async def test_a_segment_that_does_not_hold_is_not_cut(acts: Auditing, clock: ManualClock) -> None:
    await acts.proof.checkpoint()
    async with acts.proof.db.transaction() as tx:
        await tx.conn.execute(table.update().where(table.c.seq == 3).values(kind="x"))
    await clock.advance(3000 * 86400)
    assert await acts.retention.cut() == 0
    async with acts.proof.db.read() as conn:
        assert len(await store.rows(conn, 0, 9, 100)) == 9


async def test_retention_cannot_be_set_below_what_the_law_asks() -> None:
    for field, days in (("keep_access_days", 729), ("keep_grants_days", 1094)):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({field: days}, RuntimeSettings)


async def test_a_person_is_erased_and_the_chain_still_holds(acts: Auditing) -> None:
    values = {"name": "kim", "display_name": "x", "password_hash": "", "lang": "ko"}
    now = acts.proof.clock.now()
    async with acts.proof.db.transaction() as tx:
        await tx.conn.execute(insert(users).values(id=7, created_at=now, **values))
    with pytest.raises(Conflict):
        await acts.retention.erase(ADMIN, 7, "요청")
    async with acts.proof.db.transaction() as tx:
        await tx.conn.execute(users.update().values(disabled_at=now))
    assert await acts.retention.erase(ADMIN, 7, "요청") == 1
    rows, _ = await acts.search.page(ADMIN, AuditFilter(actor_id=(7,)), None, 100)
    assert {(row.actor.id, row.actor.name, row.actor.source) for row in rows} == {(7, None, None)}
    assert (await acts.proof.check()).findings == ()
    await add(acts, Entry(kind="power.stop", who=KIM))
    assert (await acts.search.page(ADMIN, AuditFilter(person="김"), None, 100))[1] == 1, "a new act has its name"


# --- forwarding


class LogServer:
    """Takes octet-counted messages; ``drop`` cuts the connection."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def start(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while True:
                size = int(await reader.readuntil(b" "))
                self.messages.append(await reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    async def drop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def seqs(self) -> list[int]:
        return [int(text.split(b'seq="')[1].split(b'"')[0]) for text in self.messages]


async def until(true: Any, clock: ManualClock) -> None:
    for _ in range(6000):
        if true():
            return
        await clock.advance(1)
        await asyncio.sleep(0.005)
    raise AssertionError("it never became true")


async def test_nothing_is_lost_when_the_log_server_goes_away(acts: Auditing, clock: ManualClock, settings: Any) -> None:
    server = LogServer()
    await server.start()
    settings.current = RuntimeSettings(syslog_url=f"tcp://127.0.0.1:{server.port}")
    await acts.forwarder.start()
    await until(lambda: server.seqs() == list(range(1, 10)), clock)
    port = server.port
    await server.drop()
    await add(acts, Entry(kind="power.stop", who=KIM))
    await until(lambda: acts.forwarder.error is not None, clock)
    again = LogServer()
    await again.start(port=port)
    await until(lambda: 10 in again.seqs(), clock)
    assert set(server.seqs()) | set(again.seqs()) == set(range(1, 11))
    await clock.advance(60)
    await add(acts, Entry(kind="last"))
    for _ in range(6000):
        await clock.advance(2)
        await asyncio.sleep(0.005)
        state = await acts.forwarder.state()
        if state.sent == 11:
            break
    assert (state.sent, state.error) == (11, None)
    await again.drop()


async def test_over_tls(acts: Auditing, clock: ManualClock, settings: Any, tmp_path: Path) -> None:
    make_identity(tmp_path, "leaf", "log", "127.0.0.1", "ec")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
    server = LogServer()
    await server.start(context)
    acts.forwarder.tls = ssl.create_default_context(cafile=str(tmp_path / "leaf-ca.pem"))
    settings.current = RuntimeSettings(syslog_url=f"tls://127.0.0.1:{server.port}")
    await acts.forwarder.start()
    await until(lambda: len(server.messages) == 9, clock)
    await server.drop()


async def test_a_message_is_rfc_5424(acts: Auditing) -> None:
    async with acts.proof.db.read() as conn:
        row = (await acts.proof.journal.read(conn, 0, 1))[0]
    text = message(msgspec.structs.replace(row, who=Who("user", 7, 'a"b]c\\d\ne', None)), b"\x01" * 32, "host").decode()
    assert text.startswith('<110>1 2026-11-23T01:24:00.000000Z host pharmq - power.stop [pharmq@32473 seq="1" hash=')
    assert 'actor="a\\"b\\]c\\\\d e"' in text
    assert '] \ufeff{"kind":"power.stop"' in text


def test_addresses_of_log_servers() -> None:
    assert target_of("") is None
    assert target_of("tls://log.example.kr") == Target("tls", "log.example.kr", 6514)
    assert target_of("udp://[2001:db8::1]:5514") == Target("udp", "2001:db8::1", 5514)
    for bad in ("http://x", "tcp://", "tcp://a:99999", "tcp://u@h", "tcp://h/path"):
        with pytest.raises(Invalid):
            target_of(bad)


async def test_udp(acts: Auditing, clock: ManualClock, settings: Any, db: Database) -> None:
    got: list[bytes] = []

    class Taker(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _addr: Any) -> None:
            got.append(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Taker, local_addr=("127.0.0.1", 0))
    settings.current = RuntimeSettings(syslog_url=f"udp://127.0.0.1:{transport.get_extra_info('sockname')[1]}")
    await acts.forwarder.start()
    await until(lambda: len(got) == 9, clock)
    transport.close()
    async with db.read() as conn:
        assert await acts.proof.journal.cursor(conn, READER) <= 9
