from hypothesis import given
from hypothesis import strategies as st

from pharmq.access.model import EVERYTHING, SYSTEM, Actor, Grant, Privilege, allows, scope_of

PATHS = st.sampled_from(
    ["/", "/group/1", "/group/2", "/pharmacy/1", "/pharmacy/2", "/host/1", "/host/2", "/vm/1", "/vm/2"]
)
PRIVILEGES = st.frozensets(st.sampled_from(list(Privilege)))
GRANTS = st.lists(st.builds(Grant, PATHS, PRIVILEGES), max_size=4).map(tuple)
SCOPES = st.builds(
    scope_of,
    groups=st.lists(st.integers(1, 2), max_size=2),
    pharmacy_id=st.integers(1, 2),
    host_id=st.none() | st.integers(1, 2),
    vm_id=st.none() | st.integers(1, 2),
)


def actor(*grants: Grant) -> Actor:
    return Actor("user", 1, "kim", grants)


def test_a_grant_reaches_everything_below_and_nothing_beside() -> None:
    kim = actor(Grant("/pharmacy/1", frozenset({Privilege.POWER})))
    assert allows(kim, Privilege.POWER, scope_of(groups=[9], pharmacy_id=1, host_id=4, vm_id=7))
    assert not allows(kim, Privilege.POWER, scope_of(groups=[9], pharmacy_id=2, host_id=5, vm_id=8))
    assert not allows(kim, Privilege.POWER, EVERYTHING)
    assert not allows(kim, Privilege.SEE, scope_of(pharmacy_id=1))


def test_a_grant_on_a_group_reaches_its_pharmacies() -> None:
    kim = actor(Grant("/group/3", frozenset({Privilege.SEE})))
    assert allows(kim, Privilege.SEE, scope_of(groups=[3, 4], pharmacy_id=1, host_id=2))
    assert not allows(kim, Privilege.SEE, scope_of(groups=[4], pharmacy_id=1))


def test_nobody_may_do_anything_and_the_system_everything() -> None:
    for privilege in Privilege:
        assert not allows(actor(), privilege, scope_of(pharmacy_id=1))
        assert allows(SYSTEM, privilege, scope_of(pharmacy_id=1))


@given(GRANTS, GRANTS, st.sampled_from(list(Privilege)), SCOPES)
def test_more_grants_never_allow_less(some: tuple[Grant, ...], more: tuple[Grant, ...], privilege, scope) -> None:
    assert not allows(actor(*some), privilege, scope) or allows(actor(*some, *more), privilege, scope)
