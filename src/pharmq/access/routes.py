"""Signing in and out, the locked screen, invitations, and the first administrator."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie

from pharmq.access.callers import SignedIn
from pharmq.access.gate import COOKIE
from pharmq.access.model import Actor, Privilege
from pharmq.access.service import AccessService
from pharmq.access.sessions import NewSession
from pharmq.base.config import Config
from pharmq.base.secret import Secret

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
NewPassword = Annotated[str, msgspec.Meta(min_length=10, max_length=1024)]
EVEN_LOCKED: dict[str, Any] = {"any_user": True, "always": "locked"}


LinkToken = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """``code``: of the authenticator app, or a recovery code; asked for by ``session.code_required``."""

    username: Name
    password: Password
    code: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class PasswordIn(msgspec.Struct, forbid_unknown_fields=True):
    password: Password


class Invited(msgspec.Struct, forbid_unknown_fields=True):
    token: LinkToken


class Accept(msgspec.Struct, forbid_unknown_fields=True):
    token: LinkToken
    password: NewPassword


class InvitedOut(msgspec.Struct):
    name: str
    display_name: str


class SetUp(msgspec.Struct, forbid_unknown_fields=True):
    token: LinkToken
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
    """``privileges``: held anywhere; none while ``locked`` or while a second factor must be registered first
    (``second_factor_needed``). ``lock_minutes``: how long the screen may lie unused; 0: for ever."""

    user: UserOut
    csrf: str
    privileges: list[str]
    expires_at: datetime | None
    locked: bool
    second_factor: bool
    second_factor_needed: bool
    lock_minutes: int


@post("/api/session", status_code=200, operation_id="signIn", summary="Sign in", tags=["session"], opt={"public": True})
async def sign_in(
    request: Request[Any, Any, Any], data: SignIn, access: AccessService, config: Config
) -> Response[SessionOut]:
    made = await access.sign_in(data.username, Secret(data.password), *_from(request), data.code)
    return _with_cookie(made, access, config)


@get("/api/session", operation_id="getSession", summary="Who am I", tags=["session"], opt=EVEN_LOCKED)
async def current_session(signed_in: SignedIn, access: AccessService) -> SessionOut:
    return _session(signed_in, access)


@post(
    "/api/session/confirm",
    status_code=204,
    operation_id="confirmSession",
    summary="Show the password again: unlocks, and allows sensitive changes for some minutes",
    tags=["session"],
    opt=EVEN_LOCKED,
)
async def confirm_session(actor: Actor, data: PasswordIn, access: AccessService) -> None:
    await access.sessions.confirm(actor, Secret(data.password))


@post(
    "/api/session/lock",
    status_code=204,
    operation_id="lockSession",
    summary="Lock the screen",
    tags=["session"],
    opt=EVEN_LOCKED,
)
async def lock_session(actor: Actor, access: AccessService) -> None:
    await access.sessions.lock(actor)


@delete("/api/session", operation_id="signOut", summary="Sign out", tags=["session"], opt=EVEN_LOCKED)
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
    made = await access.set_up(data.token, data.username, Secret(data.password), *_from(request))
    return _with_cookie(made, access, config)


@post(
    "/api/invitation",
    status_code=200,
    operation_id="getInvitation",
    summary="Whom an invitation link is for",
    tags=["session"],
    opt={"public": True},
)
async def invitation(data: Invited, access: AccessService) -> InvitedOut:
    user = await access.invited(data.token)
    return InvitedOut(user.name, user.display_name)


@post(
    "/api/invitation/accept",
    status_code=200,
    operation_id="acceptInvitation",
    summary="Choose a password by an invitation link and sign in",
    tags=["session"],
    opt={"public": True},
)
async def accept_invitation(
    request: Request[Any, Any, Any], data: Accept, access: AccessService, config: Config
) -> Response[SessionOut]:
    made = await access.accept(data.token, Secret(data.password), *_from(request))
    return _with_cookie(made, access, config)


def _from(request: Request[Any, Any, Any]) -> tuple[str | None, str | None]:
    """Address and browser."""
    return request.client.host if request.client else None, request.headers.get("user-agent")


def _with_cookie(made: NewSession, access: AccessService, config: Config) -> Response[SessionOut]:
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
    return Response(content=_session(made.signed_in, access), status_code=200, cookies=[cookie])


def _session(found: SignedIn, access: AccessService) -> SessionOut:
    actor = found.actor
    held = {privilege for grant in actor.grants for privilege in grant.privileges}
    privileges = [privilege.value for privilege in Privilege if privilege in held]
    return SessionOut(
        user=UserOut(actor.id or 0, actor.name, found.display_name, actor.lang),
        csrf=found.csrf,
        privileges=privileges,
        expires_at=found.expires_at,
        locked=found.locked,
        second_factor=found.second_factor,
        second_factor_needed=found.bare,
        lock_minutes=access.ground.settings.current.lock_minutes,
    )


ROUTES = [
    sign_in,
    current_session,
    confirm_session,
    lock_session,
    sign_out,
    setup_state,
    set_up,
    invitation,
    accept_invitation,
]
