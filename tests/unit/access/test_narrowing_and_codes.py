from datetime import UTC, datetime

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmq.access import second_factor
from pharmq.access.model import ROLES, Actor, Grant, Privilege, allows, narrowed, scope_of
from pharmq.access.policy import is_inside

PATHS = st.sampled_from(["/", "/group/1", "/group/2", "/pharmacy/1", "/pharmacy/2", "/host/1", "/vm/1"])
PRIVILEGES = st.frozensets(st.sampled_from(list(Privilege)))
GRANTS = st.lists(st.builds(Grant, PATHS, PRIVILEGES), max_size=4).map(tuple)
SCOPES = st.builds(
    scope_of,
    groups=st.lists(st.integers(1, 2), max_size=2),
    pharmacy_id=st.integers(1, 2),
    host_id=st.none() | st.integers(1, 2),
    vm_id=st.none() | st.integers(1, 2),
)
NOW = datetime(2026, 11, 23, 10, 0, 15, tzinfo=UTC)


@given(GRANTS, st.none() | PRIVILEGES, st.none() | st.frozensets(PATHS, min_size=1), SCOPES)
def test_a_narrowed_actor_may_what_its_owner_may_and_the_limits_let(grants, privileges, paths, scope) -> None:
    owner = Actor("user", 1, "kim", grants)
    token = Actor("token", 1, "kim", narrowed(grants, privileges, paths))
    for privilege in Privilege:
        inside = paths is None or bool(paths & scope.paths)
        wanted = allows(owner, privilege, scope) and (privileges is None or privilege in privileges) and inside
        assert allows(token, privilege, scope) == wanted


def test_built_in_roles_hold_what_their_names_say() -> None:
    assert ROLES["administrator"] == set(Privilege)
    assert Privilege.POWER in ROLES["operator"]
    for role in ("operator", "viewer", "console-only", "auditor"):
        assert not ROLES[role] & {Privilege.ACCESS_EDIT, Privilege.CREDENTIAL_EDIT, Privilege.SETTINGS_EDIT}
        assert Privilege.SEE in ROLES[role]
    assert not {Privilege.POWER, Privilege.SNAPSHOT} & ROLES["console-only"]
    assert not {Privilege.CONSOLE_VIEW, Privilege.POWER} & ROLES["auditor"]


@pytest.mark.parametrize(
    ("source", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("fe80::1%eth0", False),
        ("", False),
        (None, False),
        ("not an address", False),
    ],
)
def test_where_inside_is(source: str | None, inside: bool) -> None:
    assert is_inside(source, ("10.0.0.0/8", "2001:db8::/32")) is inside
    assert is_inside(source, ())


def test_a_code_fits_its_own_half_minute_and_the_neighbours() -> None:
    key = second_factor.new_key()
    totp = pyotp.TOTP(key.reveal())
    current = int(NOW.timestamp()) // 30
    for away in range(-4, 5):
        found = second_factor.step_of(key, totp.generate_otp(current + away), NOW)
        assert found == (current + away if abs(away) <= 1 else None)
    for nonsense in ("", "12345", "1234567", "abcdef", "１２３４５６"):
        assert second_factor.step_of(key, nonsense, NOW) is None


def test_recovery_codes_are_many_bits_and_read_as_people_type_them() -> None:
    codes = second_factor.new_recovery_codes()
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    for code in codes:
        assert len(second_factor.normal(code)) == 16
        assert second_factor.recovery_hash(code) == second_factor.recovery_hash(f" {code.lower().replace('-', ' ')} ")


def test_the_picture_says_whose_key_it_is() -> None:
    key = second_factor.new_key()
    uri = second_factor.uri_of(key, "김약사")
    assert uri.startswith("otpauth://totp/PharmQ:")
    assert "issuer=PharmQ" in uri
    assert second_factor.picture_of(uri).startswith("<svg")
