"""Users, grants, roles; offboarding and lost devices. For those who may edit access everywhere."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put

from pharmq.access.leaving import Farewell, KnownSecret
from pharmq.access.model import Actor, Privilege
from pharmq.access.own import TokenRow
from pharmq.access.people import Invitation, RoleRow, UserRow, WantedGrant
from pharmq.access.routes import Name
from pharmq.access.routes_own import DisplayName, Path, Privileges, SessionKey
from pharmq.access.service import AccessService
from pharmq.access.sessions import SessionRow
from pharmq.base.config import Config
from pharmq.base.messages import Language
from pharmq.http import MAX_ID, Limit, Offset, Page

SEE: dict[str, Any] = {"privilege": Privilege.ACCESS_EDIT}
EDIT: dict[str, Any] = SEE | {"recent": True}
TAGS = ["access"]

Role = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9-]*\Z")]
Id = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Reason = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*\Z")]


class GrantIn(msgspec.Struct, forbid_unknown_fields=True):
    """``path``: ``/``, ``/group/3``, ``/pharmacy/7``, ``/host/9``, ``/vm/12``; ``role``: a role's key."""

    path: Path
    role: Role


class UserIn(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    display_name: DisplayName
    lang: Language = "ko"
    grants: Annotated[list[GrantIn], msgspec.Meta(max_length=100)] = []


class UserPut(msgspec.Struct, forbid_unknown_fields=True):
    display_name: DisplayName
    lang: Language
    disabled: bool


class RoleIn(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    privileges: Privileges


class LeaveIn(msgspec.Struct, forbid_unknown_fields=True):
    """``heir_id``: who takes over what the person owned; without one it stops."""

    heir_id: Id | None = None
    reason: Reason = ""


class LostIn(msgspec.Struct, forbid_unknown_fields=True):
    reason: Reason = ""


class InvitationOut(msgspec.Struct):
    """To be handed over in person; shown this once."""

    url: str
    expires_at: datetime


class InvitedUser(msgspec.Struct):
    user: UserRow
    invitation: InvitationOut


class LostDevice(msgspec.Struct):
    farewell: Farewell
    invitation: InvitationOut


def _link(found: Invitation, config: Config) -> InvitationOut:
    # Behind the "#": it never travels in a request line, so no log and no Referer has it.
    return InvitationOut(f"{config.origin}/invite#{found.token.reveal()}", found.expires_at)


@get("/api/users", operation_id="listUsers", summary="People and what they hold", tags=TAGS, opt=SEE)
async def list_users(actor: Actor, access: AccessService, limit: Limit = 100, offset: Offset = 0) -> Page[UserRow]:
    rows = await access.people.all(actor)
    return Page(rows[offset : offset + limit], len(rows))


@post("/api/users", operation_id="inviteUser", summary="Add a user, with an invitation link", tags=TAGS, opt=EDIT)
async def invite_user(actor: Actor, data: UserIn, access: AccessService, config: Config) -> InvitedUser:
    grants = [WantedGrant(grant.path, grant.role) for grant in data.grants]
    user_id, made = await access.people.invite(actor, data.name, data.display_name, data.lang, grants)
    return InvitedUser(await access.people.get(actor, user_id), _link(made, config))


@get("/api/users/{user_id:int}", operation_id="getUser", summary="One user", tags=TAGS, opt=SEE)
async def get_user(actor: Actor, user_id: int, access: AccessService) -> UserRow:
    return await access.people.get(actor, user_id)


@put("/api/users/{user_id:int}", operation_id="putUser", summary="Change, disable, enable", tags=TAGS, opt=EDIT)
async def put_user(actor: Actor, user_id: int, data: UserPut, access: AccessService) -> UserRow:
    return await access.people.change(actor, user_id, data.display_name, data.lang, disabled=data.disabled)


@delete("/api/users/{user_id:int}", operation_id="removeUser", summary="Remove a user", tags=TAGS, opt=EDIT)
async def remove_user(actor: Actor, user_id: int, access: AccessService) -> None:
    await access.people.remove(actor, user_id)


@post(
    "/api/users/{user_id:int}/invitation",
    operation_id="inviteAgain",
    summary="A new invitation link; password and sessions end",
    tags=TAGS,
    opt=EDIT,
)
async def invite_again(actor: Actor, user_id: int, access: AccessService, config: Config) -> InvitationOut:
    return _link(await access.people.invite_again(actor, user_id), config)


@delete(
    "/api/users/{user_id:int}/second-factor",
    operation_id="clearSecondFactor",
    summary="Clear somebody's second factor",
    tags=TAGS,
    opt=EDIT,
)
async def clear_second_factor(actor: Actor, user_id: int, access: AccessService) -> None:
    await access.people.clear_second_factor(actor, user_id)


@post("/api/users/{user_id:int}/grants", operation_id="addGrant", summary="Grant a role", tags=TAGS, opt=EDIT)
async def add_grant(actor: Actor, user_id: int, data: GrantIn, access: AccessService) -> UserRow:
    await access.people.grant(actor, user_id, WantedGrant(data.path, data.role))
    return await access.people.get(actor, user_id)


@delete(
    "/api/users/{user_id:int}/grants/{grant_id:int}",
    operation_id="removeGrant",
    summary="Take a role back",
    tags=TAGS,
    opt=EDIT,
)
async def remove_grant(actor: Actor, user_id: int, grant_id: int, access: AccessService) -> None:
    await access.people.revoke(actor, user_id, grant_id)


@get("/api/users/{user_id:int}/sessions", operation_id="listSessions", summary="Sessions", tags=TAGS, opt=SEE)
async def list_sessions(actor: Actor, user_id: int, access: AccessService) -> Page[SessionRow]:
    await access.people.get(actor, user_id)
    rows = await access.sessions.of(user_id, actor)
    return Page(rows, len(rows))


@delete(
    "/api/users/{user_id:int}/sessions/{session_key:str}",
    operation_id="endSession",
    summary="End somebody's session",
    tags=TAGS,
    opt=SEE,
)
async def end_session(actor: Actor, user_id: int, session_key: SessionKey, access: AccessService) -> None:
    await access.people.get(actor, user_id)
    await access.sessions.end(actor, user_id, session_key)


@get("/api/users/{user_id:int}/tokens", operation_id="listTokens", summary="API tokens", tags=TAGS, opt=SEE)
async def list_tokens(actor: Actor, user_id: int, access: AccessService) -> Page[TokenRow]:
    await access.people.get(actor, user_id)
    rows = await access.own.tokens(user_id)
    return Page(rows, len(rows))


@delete(
    "/api/users/{user_id:int}/tokens/{token_id:int}",
    operation_id="removeToken",
    summary="Remove somebody's API token",
    tags=TAGS,
    opt=SEE,
)
async def remove_token(actor: Actor, user_id: int, token_id: int, access: AccessService) -> None:
    await access.people.get(actor, user_id)
    await access.own.remove_token(actor, user_id, token_id if token_id <= MAX_ID else 0)


@get(
    "/api/users/{user_id:int}/secrets",
    operation_id="listKnownSecrets",
    summary="Credentials a person has typed in, hosts they added",
    tags=TAGS,
    opt=SEE,
)
async def known_secrets(actor: Actor, user_id: int, access: AccessService) -> Page[KnownSecret]:
    rows = await access.leaving.known_to(actor, user_id)
    return Page(rows, len(rows))


@post(
    "/api/users/{user_id:int}/offboard",
    status_code=200,
    operation_id="offboard",
    summary="Somebody has left: end and take back everything",
    tags=TAGS,
    opt=EDIT,
)
async def offboard(actor: Actor, user_id: int, data: LeaveIn, access: AccessService) -> Farewell:
    return await access.leaving.offboard(actor, user_id, data.heir_id, data.reason)


@post(
    "/api/users/{user_id:int}/lost-device",
    status_code=200,
    operation_id="lostDevice",
    summary="Somebody lost a device: end everything, invite the person anew",
    tags=TAGS,
    opt=EDIT,
)
async def lost_device(actor: Actor, user_id: int, data: LostIn, access: AccessService, config: Config) -> LostDevice:
    farewell, invitation = await access.leaving.lost_device(actor, user_id, data.reason)
    return LostDevice(farewell, _link(invitation, config))


@get("/api/roles", operation_id="listRoles", summary="Roles and their privileges", tags=TAGS, opt=SEE)
async def list_roles(actor: Actor, access: AccessService) -> Page[RoleRow]:
    rows = await access.people.roles(actor)
    return Page(rows, len(rows))


@post("/api/roles", operation_id="addRole", summary="Make a role", tags=TAGS, opt=EDIT)
async def add_role(actor: Actor, data: RoleIn, access: AccessService) -> RoleRow:
    return await access.people.add_role(actor, data.name, data.privileges)


@put("/api/roles/{role_id:int}", operation_id="putRole", summary="Change a role", tags=TAGS, opt=EDIT)
async def put_role(actor: Actor, role_id: int, data: RoleIn, access: AccessService) -> RoleRow:
    return await access.people.change_role(actor, role_id, data.name, data.privileges)


@delete("/api/roles/{role_id:int}", operation_id="removeRole", summary="Remove a role", tags=TAGS, opt=EDIT)
async def remove_role(actor: Actor, role_id: int, access: AccessService) -> None:
    await access.people.remove_role(actor, role_id)


ROUTES = [
    list_users,
    invite_user,
    get_user,
    put_user,
    remove_user,
    invite_again,
    clear_second_factor,
    add_grant,
    remove_grant,
    list_sessions,
    end_session,
    list_tokens,
    remove_token,
    known_secrets,
    offboard,
    lost_device,
    list_roles,
    add_role,
    put_role,
    remove_role,
]
