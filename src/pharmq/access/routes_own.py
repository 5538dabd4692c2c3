"""What people do about themselves. None of it is for API tokens."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import Parameter

from pharmq.access.ground import require_person
from pharmq.access.model import PATH_PATTERN, Actor, Privilege
from pharmq.access.own import Enrolment, OwnSecurity, TokenRow
from pharmq.access.routes import Name, NewPassword, Password
from pharmq.access.service import AccessService
from pharmq.access.sessions import SessionRow
from pharmq.base.errors import NotFound
from pharmq.base.messages import Language
from pharmq.base.secret import Secret
from pharmq.http import MAX_ID, Page

OWN: dict[str, Any] = {"any_user": True}
EVEN_BARE: dict[str, Any] = {"any_user": True, "always": "bare"}
RECENT: dict[str, Any] = {"any_user": True, "recent": True}
TAGS = ["own security"]

DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Path = Annotated[str, msgspec.Meta(max_length=32, pattern=PATH_PATTERN)]
SessionKey = Annotated[str, Parameter(min_length=32, max_length=32, pattern=r"^[0-9a-f]+$")]
Privileges = Annotated[list[Privilege], msgspec.Meta(max_length=100)]


class ProfileIn(msgspec.Struct, forbid_unknown_fields=True):
    display_name: DisplayName
    lang: Language


class NewPasswordIn(msgspec.Struct, forbid_unknown_fields=True):
    old: Password
    new: NewPassword


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(min_length=6, max_length=40)]


class RecoveryCodes(msgspec.Struct):
    """Shown this once."""

    recovery_codes: list[str]


class TokenIn(msgspec.Struct, forbid_unknown_fields=True):
    """``privileges``/``paths`` absent: as much as one holds oneself, at the moment of use."""

    name: Name
    days: Annotated[int, msgspec.Meta(ge=1, le=730)]
    privileges: Privileges | None = None
    paths: Annotated[list[Path], msgspec.Meta(max_length=100)] | None = None


class NewToken(msgspec.Struct):
    """Shown this once."""

    token: str


@get("/api/me", operation_id="getOwnSecurity", summary="One's own security", tags=TAGS, opt=EVEN_BARE)
async def own_security(actor: Actor, access: AccessService) -> OwnSecurity:
    return await access.own.security(actor)


@put("/api/me", status_code=204, operation_id="putProfile", summary="Name and language", tags=TAGS, opt=OWN)
async def put_profile(actor: Actor, data: ProfileIn, access: AccessService) -> None:
    await access.own.change_profile(actor, data.display_name, data.lang)


@post("/api/me/password", status_code=204, operation_id="changePassword", summary="Change it", tags=TAGS, opt=OWN)
async def change_password(actor: Actor, data: NewPasswordIn, access: AccessService) -> None:
    await access.own.change_password(actor, Secret(data.old), Secret(data.new))


@post(
    "/api/me/second-factor",
    status_code=200,
    operation_id="beginSecondFactor",
    summary="A new key for an authenticator app, in force once a code of it was typed",
    tags=TAGS,
    opt=EVEN_BARE | {"recent": True},
)
async def begin_second_factor(actor: Actor, access: AccessService) -> Enrolment:
    return await access.own.begin_second_factor(actor)


@put(
    "/api/me/second-factor",
    operation_id="confirmSecondFactor",
    summary="Put the key in force; gives recovery codes",
    tags=TAGS,
    opt=EVEN_BARE | {"recent": True},
)
async def confirm_second_factor(actor: Actor, data: CodeIn, access: AccessService) -> RecoveryCodes:
    return RecoveryCodes(await access.own.confirm_second_factor(actor, data.code))


@delete("/api/me/second-factor", operation_id="removeSecondFactor", summary="Remove it", tags=TAGS, opt=RECENT)
async def remove_second_factor(actor: Actor, access: AccessService) -> None:
    await access.own.remove_second_factor(actor)


@post(
    "/api/me/recovery-codes",
    status_code=200,
    operation_id="renewRecoveryCodes",
    summary="New recovery codes; the old stop working",
    tags=TAGS,
    opt=RECENT,
)
async def renew_recovery_codes(actor: Actor, access: AccessService) -> RecoveryCodes:
    return RecoveryCodes(await access.own.renew_recovery_codes(actor))


@get("/api/me/sessions", operation_id="listOwnSessions", summary="Where one is signed in", tags=TAGS, opt=OWN)
async def own_sessions(actor: Actor, access: AccessService) -> Page[SessionRow]:
    rows = await access.sessions.of(require_person(actor), actor)
    return Page(rows, len(rows))


@delete("/api/me/sessions/{session_key:str}", operation_id="endOwnSession", summary="End one", tags=TAGS, opt=OWN)
async def end_own_session(actor: Actor, session_key: SessionKey, access: AccessService) -> None:
    await access.sessions.end(actor, require_person(actor), session_key)


@get("/api/me/tokens", operation_id="listOwnTokens", summary="One's API tokens", tags=TAGS, opt=OWN)
async def own_tokens(actor: Actor, access: AccessService) -> Page[TokenRow]:
    rows = await access.own.tokens(require_person(actor))
    return Page(rows, len(rows))


@post("/api/me/tokens", operation_id="addOwnToken", summary="Make an API token", tags=TAGS, opt=RECENT)
async def add_own_token(actor: Actor, data: TokenIn, access: AccessService) -> NewToken:
    made = await access.own.add_token(actor, data.name, timedelta(days=data.days), data.privileges, data.paths)
    return NewToken(made.reveal())


@delete("/api/me/tokens/{token_id:int}", operation_id="removeOwnToken", summary="Remove one", tags=TAGS, opt=OWN)
async def remove_own_token(actor: Actor, token_id: int, access: AccessService) -> None:
    if not 0 < token_id <= MAX_ID:
        raise NotFound("access.token_not_found")
    await access.own.remove_token(actor, require_person(actor), token_id)


ROUTES = [
    own_security,
    put_profile,
    change_password,
    begin_second_factor,
    confirm_second_factor,
    remove_second_factor,
    renew_recovery_codes,
    own_sessions,
    end_own_session,
    own_tokens,
    add_own_token,
    remove_own_token,
]
