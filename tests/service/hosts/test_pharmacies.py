"""Pharmacies and groups over a database."""

import msgspec
import pytest

from hosts_rig import ADMIN, NOBODY, Rig, grant
from pharmq.access import Privilege
from pharmq.base.errors import Conflict, Forbidden, Invalid, NotFound
from pharmq.hosts.forms import GroupForm, PharmacyForm
from pharmq.hosts.model import Hours

FORM = PharmacyForm(
    code=" P-001 ",
    name="강남온누리약국",
    phone="02-000-0417",
    hours=Hours(mon=(("09:00", "19:00"),)),
    closing_days=("2026-12-25",),
)


async def test_a_pharmacys_life(rig: Rig) -> None:
    seoul = await rig.hosts.pharmacies.add_group(ADMIN, GroupForm(name="서울", kind="region"))
    made = await rig.hosts.pharmacies.add(ADMIN, msgspec.structs.replace(FORM, group_ids=(seoul.id,)))
    assert (made.code, made.state, made.verdict.code, made.groups) == ("P-001", "empty", "verdict.no_host", (seoul,))
    assert made.opening.state == "open"  # a Monday, 10:24 in Seoul
    renamed = await rig.hosts.pharmacies.change(ADMIN, made.id, msgspec.structs.replace(FORM, name="강남약국"))
    assert (renamed.name, renamed.groups) == ("강남약국", ())
    await rig.restart()
    assert rig.hosts.pharmacies.get(ADMIN, made.id) == renamed
    await rig.hosts.pharmacies.remove(ADMIN, made.id)
    with pytest.raises(NotFound):
        rig.hosts.pharmacies.get(ADMIN, made.id)
    assert [row.kind for row in await rig.history()] == [
        "group.added", "pharmacy.added", "pharmacy.changed", "pharmacy.removed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"code": "  "}, "code"),
        ({"name": " "}, "name"),
        ({"hours": Hours(tue=(("9", "x"),))}, "hours"),
        ({"closing_days": ("2026-02-30",)}, "closing_days"),
        ({"group_ids": (99,)}, "group_ids"),
        ({"code": "P-002"}, "code"),
    ],
)
async def test_each_wrong_field_is_named(rig: Rig, more: dict[str, object], field: str) -> None:
    await rig.pharmacy("P-002")
    with pytest.raises(Invalid) as caught:
        await rig.hosts.pharmacies.add(ADMIN, msgspec.structs.replace(FORM, **more))
    assert list(caught.value.fields) == [field]


async def test_groups_are_unique_by_kind_and_leave_their_pharmacies(rig: Rig) -> None:
    services = rig.hosts.pharmacies
    chain = await services.add_group(ADMIN, GroupForm(name="온누리", kind="chain"))
    with pytest.raises(Conflict):
        await services.add_group(ADMIN, GroupForm(name=" 온누리 ", kind="chain"))
    other = await services.add_group(ADMIN, GroupForm(name="온누리", kind="other"))
    with pytest.raises(Conflict):
        await services.change_group(ADMIN, other.id, GroupForm(name="온누리", kind="chain"))
    made = await services.add(ADMIN, msgspec.structs.replace(FORM, group_ids=(chain.id, other.id)))
    assert services.list(ADMIN, group_id=chain.id)[1] == 1
    await services.remove_group(ADMIN, chain.id)
    assert services.get(ADMIN, made.id).groups == (other,)
    await rig.restart()
    assert rig.hosts.pharmacies.get(ADMIN, made.id).groups == (other,)
    assert list(rig.hosts.pharmacies.groups(ADMIN)) == [other]


async def test_grants_on_a_group_reach_its_pharmacies_and_no_others(rig: Rig) -> None:
    services = rig.hosts.pharmacies
    seoul = await services.add_group(ADMIN, GroupForm(name="서울", kind="region"))
    busan = await services.add_group(ADMIN, GroupForm(name="부산", kind="region"))
    inside = await services.add(ADMIN, msgspec.structs.replace(FORM, group_ids=(seoul.id,)))
    outside = await services.add(ADMIN, msgspec.structs.replace(FORM, code="P-9", group_ids=(busan.id,)))
    viewer = grant(f"/group/{seoul.id}", Privilege.SEE)
    assert [row.id for row in services.list(viewer)[0]] == [inside.id]
    assert list(services.groups(viewer)) == [seoul]
    assert services.list(NOBODY)[1] == 0
    with pytest.raises(NotFound):
        services.get(viewer, outside.id)
    with pytest.raises(Forbidden):
        await services.change(viewer, inside.id, FORM)
    editor = grant(f"/group/{seoul.id}", Privilege.SEE, Privilege.PHARMACY_EDIT)
    form = msgspec.structs.replace(FORM, group_ids=(busan.id,))
    with pytest.raises(Forbidden):
        await services.change(editor, inside.id, form)
    with pytest.raises(Forbidden):
        await services.add_group(editor, GroupForm(name="x"))


async def test_what_the_contract_says_of_screens_stays_until_it_is_changed(rig: Rig) -> None:
    services = rig.hosts.pharmacies
    made = await services.add(ADMIN, FORM)
    assert (made.screens_allowed, made.screen_reason) == (True, False)
    forbidden = msgspec.structs.replace(FORM, screens_allowed=False, screen_reason=True)
    assert not (await services.change(ADMIN, made.id, forbidden)).screens_allowed
    kept = await services.change(ADMIN, made.id, FORM)  # a form that does not know of it
    await rig.restart()
    assert (kept.screens_allowed, kept.screen_reason) == (False, True)
    assert not services.get(ADMIN, made.id).screens_allowed
    told = [row.params for row in await rig.history() if row.kind == "pharmacy.changed"]
    assert told[0]["screens_allowed"] is False
    assert told[0]["screen_reason"] is True
