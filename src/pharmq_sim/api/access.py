"""Login, permissions, roles, ACL, passwords [01-login, 05-read/access-*, 12-provision]."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from pharmq_sim import access
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request, parameter_error
from pharmq_sim.roles import SPECIAL_ROLES
from pharmq_sim.schema import is_true
from pharmq_sim.world import Grant

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

REALMS = {"pam": "Linux PAM standard authentication", "pve": "Proxmox VE authentication server"}


@endpoint("GET /access/domains")
async def domains(_host: "SimHost", _request: Request) -> Any:
    return [{"realm": realm, "type": realm, "comment": comment} for realm, comment in REALMS.items()]


@endpoint("GET /access/ticket")
async def ticket_page(_host: "SimHost", _request: Request) -> Any:
    return None


@endpoint("POST /access/ticket")
async def login(host: "SimHost", request: Request) -> Any:
    world, now = host.world, host.epoch()
    userid = request.params["username"]
    if realm := request.params.get("realm"):
        userid = f"{userid}@{realm}"
    password = request.params["password"]
    if "credential_revoked" in host.faults or not access.check_password(world, userid, password, now):
        raise ApiError(401, "authentication failure")
    user = world.users[userid]
    if user.tfa and access.ticket_user(world, password, now) != userid:
        return _second_factor(host, userid, now)
    visible = host.visible_world()
    return {
        "username": userid,
        "ticket": access.make_ticket(world, userid, now),
        "CSRFPreventionToken": access.make_csrf(world, userid, now),
        "cap": access.capabilities(visible, userid),
    }


def _second_factor(host: "SimHost", userid: str, now: float) -> dict[str, Any]:
    """200 all the same, with a ticket that is good for the second step only (read in AccessControl.pm)."""
    challenge = quote(msgspec.json.encode({"totp": True, "recovery": "available"}).decode(), safe="")
    body = f"PVE:!tfa!{challenge}:{int(now):08X}"
    return {
        "username": userid,
        "ticket": f"{body}::{access.signature(host.world, body)}",
        "CSRFPreventionToken": access.make_csrf(host.world, userid, now),
        "NeedTFA": 1,
    }


@endpoint("GET /access/permissions")
async def permissions(host: "SimHost", request: Request) -> Any:
    who = request.params.get("userid", request.authid)
    if who != request.authid:
        access.require(host.visible_world(), request.authid, "/access", ["Sys.Audit"])
    return access.permission_tree(host.visible_world(), who, request.params.get("path"))


@endpoint("PUT /access/password")
async def change_password(host: "SimHost", request: Request) -> Any:
    userid, world = request.params["userid"], host.world
    user = world.users.get(userid)
    if user is None:
        raise ApiError(500, f"no such user ('{userid}')")
    confirmation = request.params.get("confirmation-password")
    if confirmation is None:
        raise parameter_error(**{"confirmation-password": "password is required to modify user"})
    asker = world.users[request.userid]
    if confirmation != asker.password:
        raise ApiError(401, "authentication failure")
    user.password = request.params["password"]
    host.dirty = True
    return None


@endpoint("GET /access/roles")
async def roles(host: "SimHost", _request: Request) -> Any:
    world = host.world
    rows: list[dict[str, Any]] = []
    for roleid in ("Administrator", *SPECIAL_ROLES):
        privileges = ",".join(sorted(access.role_privileges(world, roleid)))
        rows.append({"roleid": roleid, "privs": privileges, "special": 1})
    for roleid, own in world.roles.items():
        rows.append({"roleid": roleid, "privs": ",".join(sorted(own)), "special": 0})
    return rows


def _privileges(host: "SimHost", text: str) -> list[str]:
    wanted = [p for p in text.replace(";", ",").replace(" ", ",").split(",") if p]
    for privilege in wanted:
        if privilege not in access.known_privileges(host.world):
            raise parameter_error(privs=f"invalid format - invalid privilege '{privilege}'\n")
    return wanted


@endpoint("POST /access/roles")
async def create_role(host: "SimHost", request: Request) -> Any:
    roleid = request.params["roleid"]
    wanted = _privileges(host, request.params.get("privs", ""))
    if roleid in host.world.roles or roleid in SPECIAL_ROLES or roleid == "Administrator":
        raise ApiError(500, f"create role failed: role '{roleid}' already exists")
    host.world.roles[roleid] = wanted
    host.dirty = True
    return None


def _role(host: "SimHost", request: Request) -> str:
    roleid = request.params["roleid"]
    if roleid not in host.world.roles:
        if roleid in SPECIAL_ROLES or roleid == "Administrator":
            raise ApiError(500, f"auto-generated role '{roleid}' cannot be modified")
        raise ApiError(500, f"role '{roleid}' does not exist")
    return roleid


@endpoint("GET /access/roles/{roleid}")
async def role(host: "SimHost", request: Request) -> Any:
    roleid = request.params["roleid"]
    if roleid not in SPECIAL_ROLES and roleid != "Administrator":
        _role(host, request)
    return dict.fromkeys(sorted(access.role_privileges(host.world, roleid)), 1)


@endpoint("PUT /access/roles/{roleid}")
async def update_role(host: "SimHost", request: Request) -> Any:
    roleid = _role(host, request)
    wanted = _privileges(host, request.params.get("privs", ""))
    kept = host.world.roles[roleid] if is_true(request.params.get("append")) else []
    host.world.roles[roleid] = sorted({*kept, *wanted})
    host.dirty = True
    return None


@endpoint("DELETE /access/roles/{roleid}")
async def delete_role(host: "SimHost", request: Request) -> Any:
    roleid = _role(host, request)
    del host.world.roles[roleid]
    host.world.grants = [g for g in host.world.grants if g.roleid != roleid]
    host.dirty = True
    return None


@endpoint("GET /access/acl")
async def acl(host: "SimHost", request: Request) -> Any:
    world = host.visible_world()
    audit = access.privileges(world, request.authid, "/access") & {"Sys.Audit"}
    return [
        {"path": g.path, "type": g.type, "ugid": g.ugid, "roleid": g.roleid, "propagate": int(g.propagate)}
        for g in world.grants
        if audit or "Permissions.Modify" in access.privileges(world, request.authid, g.path)
    ]


@endpoint("PUT /access/acl")
async def change_acl(host: "SimHost", request: Request) -> Any:
    params, world = request.params, host.world
    delete = is_true(params.get("delete"))
    propagate = is_true(params.get("propagate", "1"))
    for roleid in _items(params["roles"]):
        if roleid not in world.roles and roleid not in SPECIAL_ROLES and roleid != "Administrator":
            raise ApiError(500, f"update ACL failed: role '{roleid}' does not exist")
        for ugid in _items(params.get("users", "")):
            if ugid not in world.users:
                raise ApiError(500, f"update ACL failed: user '{ugid}' does not exist")
            _grant(host, Grant(params["path"], "user", ugid, roleid, propagate), delete=delete)
        for ugid in _items(params.get("tokens", "")):
            userid, _, name = ugid.partition("!")
            if userid not in world.users or name not in world.users[userid].tokens:
                raise ApiError(500, f"update ACL failed: no such token '{name}' for user '{userid}'")
            _grant(host, Grant(params["path"], "token", ugid, roleid, propagate), delete=delete)
    return None


def _items(text: str) -> list[str]:
    return [item for item in text.replace(";", ",").replace("\0", ",").replace(" ", ",").split(",") if item]


def _grant(host: "SimHost", grant: Grant, *, delete: bool) -> None:
    world = host.world
    same = (grant.path, grant.ugid, grant.roleid)
    world.grants = [g for g in world.grants if (g.path, g.ugid, g.roleid) != same]
    if not delete:
        world.grants.append(grant)
    host.dirty = True
