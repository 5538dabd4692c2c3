"""Who is asking and what they may do: tickets, tokens, CSRF, ACLs.

Rules after pve-access-control 9.1 (AccessControl.pm, RPCEnvironment.pm) and the recordings of groups
01-login, 04-tokens and 12-provision. Signatures are keyed hashes of the length of the real RSA ones.
"""

import base64
import hashlib
import hmac
import re
from typing import Any
from urllib.parse import unquote

from pharmq_sim.message import ApiError
from pharmq_sim.roles import CAPABILITIES, PRIVILEGES, SPECIAL_ROLES, VERSION_PRIVILEGES
from pharmq_sim.world import Token, User, World

TICKET_SECONDS = 7200
FUTURE_SECONDS = 300
#: paths that /access/permissions always looks at
BASE_PATHS = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")
_TICKET = re.compile(r"PVE:(?P<user>[^:]+):(?P<time>[0-9A-F]{8})::(?P<sig>[A-Za-z0-9+/=]+)")


def signature(world: World, text: str) -> str:
    """Base64 of 256 bytes, like an RSA-2048 signature over ``text``."""
    raw = hashlib.shake_256(f"{world.auth_key}\0{text}".encode()).digest(256)
    return base64.b64encode(raw).decode()


def make_ticket(world: World, userid: str, now: float) -> str:
    body = f"PVE:{userid}:{int(now):08X}"
    return f"{body}::{signature(world, body)}"


def make_csrf(world: World, userid: str, now: float) -> str:
    stamp = f"{int(now):08X}"
    digest = hmac.new(world.auth_key.encode(), f"{stamp}:{userid}".encode(), hashlib.sha256).digest()
    return f"{stamp}:{base64.b64encode(digest).decode().rstrip('=')}"


def _age_ok(stamp: str, now: float) -> bool:
    age = now - int(stamp, 16)
    return -FUTURE_SECONDS <= age <= TICKET_SECONDS


def ticket_user(world: World, ticket: str, now: float) -> str | None:
    """The user of a valid ticket, or None (expired, forged, from the future, user gone or disabled)."""
    found = _TICKET.fullmatch(ticket)
    if found is None or not _age_ok(found["time"], now):
        return None
    body = f"PVE:{found['user']}:{found['time']}"
    if not hmac.compare_digest(found["sig"], signature(world, body)):
        return None
    return found["user"] if active(world.users.get(found["user"]), now) else None


def csrf_ok(world: World, userid: str, token: str, now: float) -> bool:
    stamp, _, _ = token.partition(":")
    if not re.fullmatch(r"[0-9A-F]{8}", stamp) or not _age_ok(stamp, now):
        return False
    return hmac.compare_digest(token, make_csrf(world, userid, int(stamp, 16)))


def active(user: User | None, now: float) -> bool:
    return user is not None and user.enable and (not user.expire or user.expire > now)


def token_identity(world: World, text: str, now: float) -> str | None:
    """``user@realm!name=value`` -> authid, or None."""
    full, _, value = text.partition("=")
    userid, _, name = full.partition("!")
    user = world.users.get(userid)
    if user is None or not active(user, now):
        return None
    token = user.tokens.get(name)
    if token is None or (token.expire and token.expire <= now):
        return None
    return full if hmac.compare_digest(token.value, value) else None


def identify(world: World, headers: dict[str, str], method: str, now: float) -> str:
    """The authid behind a request; raises the bare 401 that stands only in the status line.

    The cookie wins over the Authorization header; both are accepted raw and percent-encoded.
    """
    ticket = cookie_ticket(headers.get("cookie", ""))
    authorization = headers.get("authorization", "")
    if ticket is None and authorization.startswith("PVEAuthCookie="):
        ticket = unquote(authorization.removeprefix("PVEAuthCookie="))
    if ticket is None:
        if authorization.startswith(("PVEAPIToken=", "PVEAPIToken ")):
            authid = token_identity(world, unquote(authorization[len("PVEAPIToken=") :]), now)
            if authid is None:
                raise ApiError(401, "Authentication failed!", bare=True)
            return authid
        raise ApiError(401, "No ticket", bare=True)
    userid = ticket_user(world, ticket, now)
    if userid is None:
        raise ApiError(401, "Authentication failed!", bare=True)
    if method != "GET" and not csrf_ok(world, userid, headers.get("csrfpreventiontoken", ""), now):
        raise ApiError(401, "Permission denied - invalid csrf token", bare=True)
    return userid


def cookie_ticket(cookie: str) -> str | None:
    found = re.search(r"(?:^|\s)PVEAuthCookie=([^;]*)", cookie)
    return unquote(found[1]) if found else None


def check_password(world: World, userid: str, password: str, now: float) -> bool:
    """A password, or a valid ticket of the same user in its place (that is how tickets are renewed)."""
    user = world.users.get(userid)
    if user is None or not active(user, now):
        return False
    if ticket_user(world, password, now) == userid:
        return True
    return bool(user.password) and hmac.compare_digest(user.password.encode(), password.encode())


# --- privileges ---------------------------------------------------------------------------------------------


def known_privileges(world: World) -> frozenset[str]:
    major = world.version.partition(".")[0]
    added, removed = VERSION_PRIVILEGES.get(major, (frozenset(), frozenset()))
    return (PRIVILEGES | added) - removed


def role_privileges(world: World, roleid: str) -> frozenset[str]:
    if roleid == "Administrator":
        return known_privileges(world)
    if roleid in SPECIAL_ROLES:
        return SPECIAL_ROLES[roleid] & known_privileges(world)
    return frozenset(world.roles.get(roleid, ()))


def _granted(world: World, ugid: str, path: str) -> frozenset[str]:
    """Privileges of one user or token by the ACL alone: a deeper entry replaces a shallower one."""
    parts = [p for p in path.split("/") if p]
    steps = ["/"] + ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]
    roles: list[str] = []
    for step in steps:
        here = [g.roleid for g in world.grants if g.ugid == ugid and g.path == step and (g.propagate or step == path)]
        if here:
            roles = here
    if "NoAccess" in roles:
        return frozenset()
    return frozenset().union(*(role_privileges(world, role) for role in roles))


def privileges(world: World, authid: str, path: str) -> frozenset[str]:
    """What ``authid`` may do at ``path``; root@pam may do everything, a separated token the intersection."""
    if world.powerless:
        return frozenset()
    userid, separator, name = authid.partition("!")
    own = known_privileges(world) if userid == "root@pam" else _granted(world, userid, path)
    if not separator:
        return own
    user = world.users.get(userid)
    token: Token | None = user.tokens.get(name) if user else None
    if token is None:
        return frozenset()
    return own & _granted(world, authid, path) if token.privsep else own


def require(world: World, authid: str, path: str, wanted: list[str], *, any_of: bool = False) -> None:
    """Raise the 403 that names path and privilege."""
    have = privileges(world, authid, path)
    if any_of:
        if not have & set(wanted):
            raise ApiError(403, f"Permission check failed ({path}, {'|'.join(wanted)})")
        return
    for privilege in wanted:
        if privilege not in have:
            raise ApiError(403, f"Permission check failed ({path}, {privilege})")


def check_rule(world: World, authid: str, rule: list[Any], params: dict[str, str]) -> None:
    """Evaluate one permission rule of the schema against the request's parameters."""
    kind = rule[0]
    if kind == "and":
        for part in rule[1:]:
            check_rule(world, authid, part, params)
    elif kind == "or":
        _check_any(world, authid, rule[1:], params)
    elif kind == "perm":
        path = re.sub(r"\{(\w+)\}", lambda m: params.get(m[1], ""), rule[1])
        require(world, authid, path, rule[2], any_of="any" in rule)
    elif kind == "perm-modify":
        require(world, authid, params.get("path", "/"), ["Permissions.Modify"])
    elif kind == "userid-param":
        userid = params.get("userid", "")
        if rule[1] == "self":
            # a separated or limited token is not its user: managing tokens needs a ticket [O 12-provision]
            if authid != userid:
                raise ApiError(403, "Permission check failed")
        else:
            realm = userid.partition("@")[2]
            require(world, authid, f"/access/realm/{realm}", [rule[1]])
    elif kind == "userid-group" and not privileges(world, authid, "/access/groups") & set(rule[1]):
        raise ApiError(403, "Permission check failed")


def _check_any(world: World, authid: str, rules: list[list[Any]], params: dict[str, str]) -> None:
    for part in rules:
        try:
            check_rule(world, authid, part, params)
        except ApiError:
            continue
        return
    raise ApiError(403, "Permission check failed")


def capabilities(world: World, userid: str) -> dict[str, dict[str, int]]:
    """``cap`` of a login answer."""
    result: dict[str, dict[str, int]] = {}
    for section, (path, wanted) in CAPABILITIES.items():
        have = privileges(world, userid, path) & wanted
        result[section] = dict.fromkeys(sorted(have), 1)
    return result


def permission_tree(world: World, authid: str, path: str | None) -> dict[str, dict[str, int]]:
    """Answer of GET /access/permissions: only paths where something is allowed."""
    paths = [path] if path else sorted({*BASE_PATHS, *(g.path for g in world.grants)})
    tree = {p: dict.fromkeys(sorted(privileges(world, authid, p)), 1) for p in paths}
    return {p: found for p, found in tree.items() if found or path}
