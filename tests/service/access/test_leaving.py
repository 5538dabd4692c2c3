"""퇴사 처리 and 기기 분실: afterwards nothing of the person's opens any more, and what they know is named."""

from datetime import UTC, datetime, timedelta

import pytest
from people_rig import PASSWORD, Browser, add, come_in, register, rows

from pharmq.access import SYSTEM
from pharmq.access.leaving import known_secrets
from pharmq.base.errors import Invalid, PharmqError
from pharmq.base.secret import Secret
from pharmq.db import Tx
from pharmq.journal import Row, Where, Who

ADMIN = ("/", "administrator")
WEEK = timedelta(days=7)


async def test_who_has_left_comes_in_by_nothing_they_had(access, client, db, journal) -> None:
    await add(access, "boss", ADMIN)
    kim, lee = await add(access, "kim", ("/group/1", "operator"), ("/", "auditor")), await add(access, "lee")
    actor = await come_in(access, "kim")
    token = (await access.own.add_token(actor, "script", WEEK)).reveal()
    _, codes = await register(access, actor)
    handed: list[tuple[int, int | None]] = []

    async def schedules(tx: Tx, old: int, new: int | None) -> int:
        handed.append((old, new))
        return 3

    access.hand_over("schedules", schedules)
    boss = Browser(client)
    await boss.sign_in("boss")
    answer = await boss.call("POST", f"/api/users/{kim}/offboard", {"heir_id": lee, "reason": "퇴사"})
    found = answer.json()
    assert (found["sessions"], found["tokens"], found["second_factor"], found["grants"]) == (1, 1, True, 2)
    assert found["handed_over"] == {"schedules": 3}
    assert handed == [(kim, lee)]
    assert await access.fresh(actor) is None
    assert await access.by_token(token, None) is None
    assert await access.stored("user", kim) is None
    with pytest.raises(PharmqError) as caught:
        await come_in(access, "kim", code=codes[0])
    assert caught.value.code == "session.refused"
    row = await access.people.get(SYSTEM, kim)
    assert (row.disabled, row.grants, row.second_factor, row.tokens) == (True, [], False, 0)
    (told,) = await rows(db, journal, "access.offboarded")
    assert (told.params["user_id"], told.params["reason"], len(told.params["grants"])) == (kim, "퇴사", 2)
    # Enabled again by mistake: still nothing to come in with, and nothing held.
    await access.people.change(SYSTEM, kim, "kim", "ko", disabled=False)
    with pytest.raises(PharmqError):
        await come_in(access, "kim")


@pytest.mark.parametrize("heir", ["self", "disabled", "nobody"])
async def test_an_heir_must_be_able_to_take_over(access, heir: str) -> None:
    kim, lee = await add(access, "kim"), await add(access, "lee")
    await access.people.change(SYSTEM, lee, "lee", "ko", disabled=True)
    with pytest.raises(Invalid):
        await access.leaving.offboard(SYSTEM, kim, {"self": kim, "disabled": lee, "nobody": 999}[heir], "")
    assert not (await access.people.get(SYSTEM, kim)).disabled


async def test_a_lost_device_opens_nothing_and_its_owner_comes_back_by_the_link(access) -> None:
    kim = await add(access, "kim", ("/group/1", "operator"))
    actor = await come_in(access, "kim")
    token = (await access.own.add_token(actor, "phone", WEEK)).reveal()
    await register(access, actor)
    ended: list[str] = []
    access.on_revoked(ended.append)
    farewell, invitation = await access.leaving.lost_device(SYSTEM, kim, "지하철")
    assert (farewell.sessions, farewell.tokens, farewell.second_factor) == (1, 1, True)
    assert actor.session in ended
    assert len(ended) == 2
    assert await access.by_token(token, None) is None
    with pytest.raises(PharmqError):
        await come_in(access, "kim")  # the password that the device remembered
    back = await access.accept(invitation.token.reveal(), Secret(PASSWORD), None, None)
    assert back.signed_in.actor.grants


def at(minute: int) -> datetime:
    return datetime(2026, 11, 23, 10, minute, tzinfo=UTC)


def credential(seq: int, user: int, number: int, *fields: str) -> Row:
    params = {"credential_id": number, "name": f"set {number}", "fields": list(fields)}
    return row(seq, "credential.changed", user, params)


def host(seq: int, kind: str, user: int, number: int, *fields: str) -> Row:
    return row(seq, kind, user, {"host": f"10.0.0.{number}", "fields": list(fields)}, Where(("/",), 4, number))


def row(seq: int, kind: str, user: int, params: dict[str, object], where: Where = Where()) -> Row:  # noqa: B008
    return Row(
        seq=seq,
        version=1,
        at=at(seq),
        kind=kind,
        phase="event",
        act_id=None,
        who=Who("user", user, "x"),
        where=where,
        params=params,
        outcome=None,
        upid=None,
    )


def test_a_person_knows_what_they_typed_until_somebody_else_types_another() -> None:
    history = [
        credential(1, 7, 1, "created"),
        credential(2, 7, 2, "created"),
        credential(3, 8, 2, "name", "secret"),
        credential(4, 8, 1, "name"),
        credential(5, 8, 3, "created"),
        host(6, "host.added", 7, 21),
        host(7, "host.added", 7, 22),
        host(8, "host.changed", 8, 21, "maintenance"),
        host(9, "host.changed", 8, 22, "credential_id", "credential"),
        host(10, "host.added", 8, 23),
        credential(11, 7, 4, "created"),
        credential(12, 8, 4, "removed"),
        credential(13, 7, 3, "secret"),
        host(14, "host.added", 7, 24),
        # They asked for a service account: its secret is nobody's, and theirs is out of use.
        row(15, "host.changed", 7, {"fields": ["credential"], "account": "pharmq@pve"}, Where(("/",), 4, 24)),
    ]
    known = {(one.kind, one.id): one.changed_since for one in known_secrets(history, 7)}
    assert known == {
        ("credential", 1): False,
        ("credential", 2): True,
        ("credential", 3): False,
        ("credential", 4): True,
        ("host", 21): False,
        ("host", 22): True,
        ("host", 24): True,
    }
    (first, *_) = known_secrets(history, 7)
    assert (first.id, first.at) == (24, at(14))
    assert known_secrets(history, 99) == []


def typed(seq: int, user: int, number: int, *, kind: str = "provision", typed: bool = True) -> Row:
    params = {"user": "pharmq@pve", "step": "role", "host": f"10.0.0.{number}", "typed": typed}
    return row(seq, f"credential.{kind}", user, params, Where(("/",), 4, number))


def test_a_password_typed_for_a_service_account_is_known_whatever_comes_later() -> None:
    history = [
        typed(1, 7, 21),
        typed(2, 7, 22, typed=False),
        typed(3, 8, 23),
        typed(4, 7, 24),
        typed(5, 7, 21, kind="remove"),
        # None of these says that the host has another password now.
        typed(6, 8, 21),
        row(7, "host.changed", 7, {"fields": ["credential"], "account": "pharmq@pve"}, Where(("/",), 4, 24)),
        host(8, "host.changed", 8, 24, "credential"),
        host(9, "host.removed", 8, 24),
    ]
    found = [(one.kind, one.id, one.name, one.pharmacy_id, one.at) for one in known_secrets(history, 7)]
    assert found == [
        ("root_password", 21, "10.0.0.21", 4, at(5)),
        ("root_password", 24, "10.0.0.24", 4, at(4)),
    ]
    assert not any(one.changed_since for one in known_secrets(history, 7))
