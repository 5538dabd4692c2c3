"""Tickets, tokens and privileges by Proxmox's rules."""

import pytest
from sim_rig import Client

from pharmq.base.clock import ManualClock
from pharmq_sim import access
from pharmq_sim.host import SimHost
from pharmq_sim.testing import PASSWORD, small_world
from pharmq_sim.world import Grant, Token, User

NOW = 1_795_397_040.0


@pytest.mark.parametrize(("age", "good"), [(0, True), (7180, True), (7210, False), (-200, True), (-400, False)])
def test_a_ticket_lives_two_hours_and_may_come_a_little_from_the_future(age: float, good: bool) -> None:
    world = small_world()
    ticket = access.make_ticket(world, "root@pam", NOW - age)
    assert (access.ticket_user(world, ticket, NOW) == "root@pam") is good
    csrf = access.make_csrf(world, "root@pam", NOW - age)
    assert access.csrf_ok(world, "root@pam", csrf, NOW) is good


def test_a_ticket_dies_with_its_user_but_survives_a_new_password() -> None:
    world = small_world()
    ticket = access.make_ticket(world, "root@pam", NOW)
    world.users["root@pam"].password = "another"
    assert access.ticket_user(world, ticket, NOW) == "root@pam"
    world.users["root@pam"].enable = False
    assert access.ticket_user(world, ticket, NOW) is None


def test_csrf_belongs_to_the_user_not_to_the_login() -> None:
    world = small_world()
    assert access.csrf_ok(world, "root@pam", access.make_csrf(world, "root@pam", NOW - 5), NOW)
    assert not access.csrf_ok(world, "root@pam", access.make_csrf(world, "t1@pve", NOW), NOW)


def test_a_valid_ticket_serves_as_a_password_once_more() -> None:
    world = small_world()
    assert access.check_password(world, "root@pam", access.make_ticket(world, "root@pam", NOW - 100), NOW)
    assert not access.check_password(world, "root@pam", access.make_ticket(world, "root@pam", NOW - 7300), NOW)


def test_deeper_grants_replace_shallower_ones_and_separation_takes_the_intersection() -> None:
    world = small_world()
    world.users["op@pve"] = User("op@pve", tokens={"all": Token("all", "v", privsep=False), "sep": Token("sep", "v")})
    world.grants = [Grant("/", "user", "op@pve", "PVEVMAdmin"), Grant("/vms/100", "user", "op@pve", "PVEAuditor")]
    assert "VM.PowerMgmt" in access.privileges(world, "op@pve", "/vms/101")
    assert "VM.PowerMgmt" not in access.privileges(world, "op@pve", "/vms/100")
    assert "VM.PowerMgmt" in access.privileges(world, "op@pve!all", "/vms/101")
    assert access.privileges(world, "op@pve!sep", "/vms/101") == frozenset()
    world.grants.append(Grant("/vms", "token", "op@pve!sep", "PVEVMUser"))
    have = access.privileges(world, "op@pve!sep", "/vms/101")
    assert "VM.PowerMgmt" in have
    assert "VM.Allocate" not in have


def test_a_grant_that_does_not_propagate_stays_where_it_is() -> None:
    world = small_world()
    world.users["op@pve"] = User("op@pve")
    world.grants = [Grant("/vms", "user", "op@pve", "PVEVMUser", propagate=False)]
    assert access.privileges(world, "op@pve", "/vms")
    assert not access.privileges(world, "op@pve", "/vms/100")


async def test_renewal_by_ticket_and_the_separate_realm(client: Client) -> None:
    assert (await client.login(password=client.ticket)).status == 200
    got = await client.call("POST", "/access/ticket", {"username": "root", "realm": "pam", "password": PASSWORD})
    assert got.data["username"] == "root@pam"


async def test_a_second_factor_answers_200_with_a_useless_ticket(client: Client, host: SimHost) -> None:
    host.world.users["tfa@pve"] = User("tfa@pve", "secret-1", tfa=True)
    got = await client.login("tfa@pve", "secret-1")
    assert got.status == 200
    assert got.data["NeedTFA"] == 1
    assert got.data["ticket"].startswith("PVE:!tfa!")
    assert "cap" not in got.data
    assert (await client.call("GET", "/version")).status == 401


async def test_tokens_live_and_die(client: Client, host: SimHost, clock: ManualClock) -> None:
    base = "/access/users/root@pam/token"
    got = await client.call("POST", f"{base}/t0", {"privsep": "0", "comment": "relay"})
    assert got.data["full-tokenid"] == "root@pam!t0"
    assert got.data["info"] == {"privsep": "0", "comment": "relay"}
    again = await client.call("POST", f"{base}/t0", {"privsep": "0"})
    assert again.status == 400
    assert b'"tokenid":"Token already exists."' in again.body
    bad = await client.call("POST", f"{base}/1bad")
    assert bad.status == 400
    by_token = Client(host, clock)
    by_token.use_token(f"root@pam!t0={got.data['value']}")
    assert (await by_token.call("GET", "/version")).status == 200
    fresh = await client.call("PUT", f"{base}/t0", {"regenerate": "1"})
    assert (await by_token.call("GET", "/version")).status == 401
    by_token.use_token(f"root@pam!t0={fresh.data['value']}")
    # no CSRF token needed, and the UPID carries the token's name
    upid = await by_token.start("/nodes/pve/qemu/102/status/start")
    assert upid.endswith(":root@pam!t0:")
    row = await client.get(f"/nodes/pve/tasks/{upid}/status")
    assert (row["user"], row["tokenid"]) == ("root@pam", "t0")
    refused = await by_token.call("PUT", "/access/password", {"userid": "root@pam", "password": "abcdefgh1"})
    assert refused.status == 403
    assert refused.reason.startswith("Permission check failed (URI '/access/password' not available with API token")


async def test_a_separated_token_without_grants_sees_an_empty_host(
    client: Client, host: SimHost, clock: ManualClock
) -> None:
    made = await client.call("POST", "/access/users/root@pam/token/t1", {})
    token = Client(host, clock)
    token.use_token(f"root@pam!t1={made.data['value']}")
    rows = await token.get("/cluster/resources")
    assert rows == [
        {"type": "node", "node": "pve", "id": "node/pve", "level": "", "cgroup-mode": 2, "status": "online"}
    ]
    got = await token.call("GET", "/nodes/pve/qemu/100/config")
    assert got.reason == "Permission check failed (/vms/100, VM.Audit)"
    await client.call("PUT", "/access/acl", {"path": "/vms/100", "roles": "PVEVMUser", "tokens": "root@pam!t1"})
    rows = await token.get("/cluster/resources")
    assert [r["id"] for r in rows if r["type"] == "qemu"] == ["qemu/100"]
    got = await token.call("POST", "/nodes/pve/qemu/101/status/start")
    assert got.reason == "Permission check failed (/vms/101, VM.PowerMgmt)"


async def test_a_service_account_manages_its_own_tokens_but_a_token_does_not(
    client: Client, host: SimHost, clock: ManualClock
) -> None:
    await client.call("POST", "/access/roles", {"roleid": "PharmQ", "privs": "VM.Audit,VM.PowerMgmt,Sys.Audit"})
    await client.call("POST", "/access/users", {"userid": "pharmq@pve", "password": "Rnd-0123456789"})
    await client.call("PUT", "/access/acl", {"path": "/", "users": "pharmq@pve", "roles": "PharmQ"})
    own = Client(host, clock)
    assert (await own.login("pharmq@pve", "Rnd-0123456789")).status == 200
    made = await own.call("POST", "/access/users/pharmq@pve/token/mgr-a", {"privsep": "0"})
    assert made.status == 200
    denied = await own.call("PUT", "/access/acl", {"path": "/", "tokens": "pharmq@pve!mgr-a", "roles": "PharmQ"})
    assert denied.reason == "Permission check failed (/, Permissions.Modify)"
    token = Client(host, clock)
    token.use_token(f"pharmq@pve!mgr-a={made.data['value']}")
    assert set(await token.get("/access/permissions?path=/vms/100")) == {"/vms/100"}
    got = await token.call("POST", "/access/users/pharmq@pve/token/mgr2", {"privsep": "1"})
    assert (got.status, got.reason) == (403, "Permission check failed")
    change = {"userid": "pharmq@pve", "password": "Rnd-abcdefghij"}
    got = await own.call("PUT", "/access/password", change)
    assert b'"confirmation-password":"password is required to modify user"' in got.body
    got = await own.call("PUT", "/access/password", {**change, "confirmation-password": "Rnd-0123456789"})
    assert got.status == 200
    assert (await own.login("pharmq@pve", "Rnd-0123456789")).status == 401


async def test_an_unknown_privilege_refuses_the_whole_role(client: Client) -> None:
    got = await client.call("POST", "/access/roles", {"roleid": "R", "privs": "VM.Audit,VM.Monitor"})
    assert got.status == 400
    assert b"invalid format - invalid privilege 'VM.Monitor'" in got.body
    assert [r["roleid"] for r in await client.get("/access/roles") if not r["special"]] == []
