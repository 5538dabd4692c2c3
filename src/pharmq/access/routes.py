"""Signing in and out, and the first administrator."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie

from pharmq.access.gate import COOKIE
from pharmq.access.model import Actor, Privilege
from pharmq.access.service import AccessService, NewSession, SignedIn
from pharmq.base.config import Config
from pharmq.base.secret import Secret

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
NewPassword = Annotated[str, msgspec.Meta(min_length=10, max_length=1024)]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    username: Name
    password: Password


class SetUp(msgspec.Struct, forbid_unknown_fields=True):
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    username: Name
    password: NewPassword


class SetupState(msgspec.Struct):
    needed: bool


class UserOut(msgspec.Struct):
    id: int
    name: str
    display_name: str
    lang: str


class SessionOut(msgspec.Struct):
    user: UserOut
    csrf: str
    privileges: list[str]
    expires_at: datetime | None


@post("/api/session", status_code=200, operation_id="signIn", summary="Sign in", tags=["session"], opt={"public": True})
async def sign_in(
    request: Request[Any, Any, Any], data: SignIn, access: AccessService, config: Config
) -> Response[SessionOut]:
    source = request.client.host if request.client else None
    made = await access.sign_in(data.username, Secret(data.password), source, request.headers.get("user-agent"))
    return _with_cookie(made, config)


@get("/api/session", operation_id="getSession", summary="Who am I", tags=["session"], opt={"any_user": True})
async def current_session(signed_in: SignedIn) -> SessionOut:
    return _session(signed_in)


@delete("/api/session", operation_id="signOut", summary="Sign out", tags=["session"], opt={"any_user": True})
async def sign_out(actor: Actor, access: AccessService) -> Response[None]:
    await access.sign_out(actor)
    response: Response[None] = Response(content=None, status_code=204)
    response.delete_cookie(COOKIE)
    return response


@get(
    "/api/setup", operation_id="getSetup", summary="Is an administrator missing", tags=["session"], opt={"public": True}
)
async def setup_state(access: AccessService) -> SetupState:
    return SetupState(await access.needs_setup())


@post(
    "/api/setup",
    status_code=200,
    operation_id="setUp",
    summary="Create the administrator",
    tags=["session"],
    opt={"public": True},
)
async def set_up(
    request: Request[Any, Any, Any], data: SetUp, access: AccessService, config: Config
) -> Response[SessionOut]:
    source = request.client.host if request.client else None
    made = await access.set_up(
        data.token, data.username, Secret(data.password), source, request.headers.get("user-agent")
    )
    return _with_cookie(made, config)


def _with_cookie(made: NewSession, config: Config) -> Response[SessionOut]:
    # Strict would drop the cookie when somebody follows a link to a pharmacy from a chat; Lax plus the CSRF
    # token and the origin check protects writes.
    cookie = Cookie(
        key=COOKIE,
        value=made.cookie.reveal(),
        httponly=True,
        secure=config.secure,
        samesite="lax",
        path="/",
        expires=None,
    )
    return Response(content=_session(made.signed_in), status_code=200, cookies=[cookie])


def _session(found: SignedIn) -> SessionOut:
    actor = found.actor
    held = {privilege for grant in actor.grants for privilege in grant.privileges}
    privileges = [privilege.value for privilege in Privilege if privilege in held]
    return SessionOut(
        user=UserOut(actor.id or 0, actor.name, found.display_name, actor.lang),
        csrf=found.csrf,
        privileges=privileges,
        expires_at=found.expires_at,
    )


ROUTES = [sign_in, current_session, sign_out, setup_state, set_up]
