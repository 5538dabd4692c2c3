"""Users and their API tokens [04-tokens, 12-provision]."""

import uuid
from typing import TYPE_CHECKING, Any

from pharmq_sim import access
from pharmq_sim.dispatch import endpoint
from pharmq_sim.message import ApiError, Request, parameter_error
from pharmq_sim.schema import is_true
from pharmq_sim.world import Token, User

if TYPE_CHECKING:
    from pharmq_sim.host import SimHost

USER = "/access/users/{userid}"
TOKEN = f"{USER}/token/{{tokenid}}"


def _user_row(user: User) -> dict[str, Any]:
    row: dict[str, Any] = {
        "userid": user.userid,
        "enable": int(user.enable),
        "expire": user.expire,
        "realm-type": user.userid.partition("@")[2],
    }
    if user.comment:
        row["comment"] = user.comment
    return row


def _token_row(token: Token) -> dict[str, Any]:
    row: dict[str, Any] = {"privsep": int(token.privsep), "expire": token.expire}
    if token.comment:
        row["comment"] = token.comment
    return row


def _user(host: "SimHost", request: Request) -> User:
    userid = request.params["userid"]
    user = host.world.users.get(userid)
    if user is None:
        raise ApiError(500, f"no such user ('{userid}')")
    return user


@endpoint("GET /access/users")
async def users(host: "SimHost", request: Request) -> Any:
    world = host.visible_world()
    audit = access.privileges(world, request.authid, "/access/groups") & {"User.Modify", "Sys.Audit"}
    full = is_true(request.params.get("full"))
    rows = []
    for user in world.users.values():
        if not audit and user.userid != request.authid:
            continue
        row = _user_row(user)
        if full:
            row["groups"] = ""
            row["tokens"] = [{"tokenid": t.name, **_token_row(t)} for t in user.tokens.values()] or None
        rows.append(row)
    return rows


@endpoint("POST /access/users")
async def create_user(host: "SimHost", request: Request) -> Any:
    userid = request.params["userid"]
    if "@" not in userid:
        raise parameter_error(userid=f"invalid format - value '{userid}' does not look like a valid user name\n")
    if userid in host.world.users:
        raise ApiError(500, f"create user failed: user '{userid}' already exists")
    host.world.users[userid] = User(
        userid,
        password=request.params.get("password", ""),
        enable=is_true(request.params.get("enable", "1")),
        expire=int(request.params.get("expire", 0)),
        comment=request.params.get("comment", ""),
    )
    host.dirty = True
    return None


@endpoint(f"GET {USER}")
async def get_user(host: "SimHost", request: Request) -> Any:
    user = _user(host, request)
    row = _user_row(user)
    del row["userid"], row["realm-type"]
    return {**row, "groups": [], "tokens": {t.name: _token_row(t) for t in user.tokens.values()}}


@endpoint(f"PUT {USER}")
async def update_user(host: "SimHost", request: Request) -> Any:
    user = _user(host, request)
    if "enable" in request.params:
        user.enable = is_true(request.params["enable"])
    if "expire" in request.params:
        user.expire = int(request.params["expire"])
    if "comment" in request.params:
        user.comment = request.params["comment"]
    host.dirty = True
    return None


@endpoint(f"DELETE {USER}")
async def delete_user(host: "SimHost", request: Request) -> Any:
    user, world = _user(host, request), host.world
    del world.users[user.userid]
    world.grants = [g for g in world.grants if g.ugid.partition("!")[0] != user.userid]
    host.dirty = True
    return None


@endpoint(f"GET {USER}/token")
async def tokens(host: "SimHost", request: Request) -> Any:
    return [{"tokenid": t.name, **_token_row(t)} for t in _user(host, request).tokens.values()]


def _token(host: "SimHost", request: Request) -> tuple[User, Token]:
    user, name = _user(host, request), request.params["tokenid"]
    token = user.tokens.get(name)
    if token is None:
        raise ApiError(500, f"no such token '{name}' for user '{user.userid}'")
    return user, token


def _fresh_value(host: "SimHost") -> str:
    return str(uuid.UUID(int=host.random.getrandbits(128), version=4))


@endpoint(f"GET {TOKEN}")
async def get_token(host: "SimHost", request: Request) -> Any:
    return _token_row(_token(host, request)[1])


@endpoint(f"POST {TOKEN}")
async def create_token(host: "SimHost", request: Request) -> Any:
    user, name, params = _user(host, request), request.params["tokenid"], request.params
    if name in user.tokens:
        raise parameter_error(tokenid="Token already exists.")
    token = Token(
        name,
        _fresh_value(host),
        privsep=is_true(params.get("privsep", "1")),
        expire=int(params.get("expire", 0)),
        comment=params.get("comment", ""),
    )
    user.tokens[name] = token
    host.dirty = True
    # what was sent comes back as it was sent: text; the default of privsep is a number [O token-create-*]
    echoed: dict[str, Any] = {k: params[k] for k in ("privsep", "expire", "comment") if k in params}
    echoed.setdefault("privsep", 1)
    return {"full-tokenid": f"{user.userid}!{name}", "value": token.value, "info": echoed}


@endpoint(f"PUT {TOKEN}")
async def update_token(host: "SimHost", request: Request) -> Any:
    user, token = _token(host, request)
    params = request.params
    if "comment" in params:
        token.comment = params["comment"]
    if "expire" in params:
        token.expire = int(params["expire"])
    if "privsep" in params:
        token.privsep = is_true(params["privsep"])
    host.dirty = True
    row: dict[str, Any] = _token_row(token) | {k: params[k] for k in ("expire", "privsep") if k in params}
    if is_true(params.get("regenerate")):
        token.value = _fresh_value(host)
        row |= {"full-tokenid": f"{user.userid}!{token.name}", "value": token.value}
    return row


@endpoint(f"DELETE {TOKEN}")
async def delete_token(host: "SimHost", request: Request) -> Any:
    user, token = _token(host, request)
    del user.tokens[token.name]
    authid = f"{user.userid}!{token.name}"
    host.world.grants = [g for g in host.world.grants if g.ugid != authid]
    host.dirty = True
    return None
