"""SQL of users, roles and grants. What people come in with (sessions, tokens, links) is in ``store_entry``."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access.model import ADMINISTRATOR, ROLES, Grant, Privilege
from pharmq.access.tables import api_tokens, grants, role_privileges, roles, sessions, users

CUSTOM = "custom-"
_KNOWN = frozenset(Privilege)


class User(msgspec.Struct, frozen=True):
    id: int
    name: str
    display_name: str
    lang: str
    password_hash: str
    disabled: bool
    created_at: datetime | None = None
    signed_in_at: datetime | None = None
    second_factor: bytes | None = None
    second_factor_next: bytes | None = None
    second_factor_at: datetime | None = None


class HeldGrant(msgspec.Struct, frozen=True):
    id: int
    user_id: int
    path: str
    role: str


class CustomRole(msgspec.Struct, frozen=True):
    id: int
    name: str
    privileges: frozenset[Privilege]

    @property
    def key(self) -> str:
        return f"{CUSTOM}{self.id}"


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        lang=row.lang,
        password_hash=row.password_hash,
        disabled=row.disabled_at is not None,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
        second_factor=row.second_factor,
        second_factor_next=row.second_factor_next,
        second_factor_at=row.second_factor_at,
    )


# --- users


async def count_users(conn: AsyncConnection) -> int:
    return int(await conn.scalar(select(func.count()).select_from(users)) or 0)


async def user_by_name(conn: AsyncConnection, name: str) -> User | None:
    row = (await conn.execute(select(users).where(users.c.name == name))).first()
    return _user(row) if row else None


async def user_by_id(conn: AsyncConnection, user_id: int) -> User | None:
    row = (await conn.execute(select(users).where(users.c.id == user_id))).first()
    return _user(row) if row else None


async def all_users(conn: AsyncConnection) -> list[User]:
    return [_user(row) for row in await conn.execute(select(users).order_by(users.c.name))]


async def add_user(
    conn: AsyncConnection, name: str, display_name: str, password_hash: str, lang: str, now: datetime
) -> int:
    made = await conn.execute(
        insert(users)
        .values(name=name, display_name=display_name, password_hash=password_hash, lang=lang, created_at=now)
        .returning(users.c.id)
    )
    return int(made.scalar_one())


async def change_user(conn: AsyncConnection, user_id: int, **values: object) -> None:
    """Columns of ``users`` by name."""
    await conn.execute(update(users).where(users.c.id == user_id).values(**values))


async def delete_user(conn: AsyncConnection, user_id: int) -> None:
    """Sessions, tokens, grants and links go with the row."""
    await conn.execute(delete(users).where(users.c.id == user_id))


async def set_password(conn: AsyncConnection, user_id: int, password_hash: str) -> None:
    await change_user(conn, user_id, password_hash=password_hash)


async def take_step(conn: AsyncConnection, user_id: int, step: int) -> bool:
    """Use a one-time code's time step up; False when it, or a later one, was taken before."""
    taken = await conn.execute(
        update(users)
        .where(users.c.id == user_id, func.coalesce(users.c.second_factor_step, 0) < step)
        .values(second_factor_step=step)
    )
    return bool(taken.rowcount == 1)


# --- roles


async def custom_roles(conn: AsyncConnection) -> dict[str, CustomRole]:
    """By the key that grants name them with."""
    held: dict[int, set[Privilege]] = {}
    for row in await conn.execute(select(role_privileges)):
        # A name of a later version means nothing here, so it allows nothing.
        if row.privilege in _KNOWN:
            held.setdefault(row.role_id, set()).add(Privilege(row.privilege))
    found = [
        CustomRole(row.id, row.name, frozenset(held.get(row.id, ())))
        for row in await conn.execute(select(roles).order_by(roles.c.name))
    ]
    return {role.key: role for role in found}


async def add_role(conn: AsyncConnection, name: str, privileges: Iterable[Privilege], now: datetime) -> int:
    made = await conn.execute(insert(roles).values(name=name, created_at=now).returning(roles.c.id))
    number = int(made.scalar_one())
    await set_privileges(conn, number, privileges)
    return number


async def rename_role(conn: AsyncConnection, role_id: int, name: str) -> None:
    await conn.execute(update(roles).where(roles.c.id == role_id).values(name=name))


async def set_privileges(conn: AsyncConnection, role_id: int, privileges: Iterable[Privilege]) -> None:
    await conn.execute(delete(role_privileges).where(role_privileges.c.role_id == role_id))
    rows = [{"role_id": role_id, "privilege": privilege.value} for privilege in sorted(set(privileges))]
    if rows:
        await conn.execute(insert(role_privileges), rows)


async def delete_role(conn: AsyncConnection, role_id: int) -> None:
    await conn.execute(delete(roles).where(roles.c.id == role_id))


# --- grants


async def add_grant(conn: AsyncConnection, user_id: int, path: str, role: str) -> int:
    made = await conn.execute(insert(grants).values(user_id=user_id, path=path, role=role).returning(grants.c.id))
    return int(made.scalar_one())


async def delete_grant(conn: AsyncConnection, user_id: int, grant_id: int) -> HeldGrant | None:
    found = await conn.execute(
        delete(grants).where(grants.c.id == grant_id, grants.c.user_id == user_id).returning(*grants.c)
    )
    row = found.first()
    return HeldGrant(row.id, row.user_id, row.path, row.role) if row else None


async def delete_grants_of(conn: AsyncConnection, user_id: int) -> list[HeldGrant]:
    found = await conn.execute(delete(grants).where(grants.c.user_id == user_id).returning(*grants.c))
    return [HeldGrant(row.id, row.user_id, row.path, row.role) for row in found]


async def held_grants(conn: AsyncConnection, user_id: int | None = None) -> list[HeldGrant]:
    query = select(grants).order_by(grants.c.path, grants.c.role)
    if user_id is not None:
        query = query.where(grants.c.user_id == user_id)
    return [HeldGrant(row.id, row.user_id, row.path, row.role) for row in await conn.execute(query)]


async def grants_of(conn: AsyncConnection, user_id: int) -> tuple[Grant, ...]:
    """What a user holds; a grant that names a role no longer there holds nothing."""
    held = await held_grants(conn, user_id)
    custom = await custom_roles(conn) if any(grant.role not in ROLES for grant in held) else {}
    return tuple(
        Grant(grant.path, privileges) for grant in held if (privileges := privileges_of(grant.role, custom)) is not None
    )


def privileges_of(role: str, custom: dict[str, CustomRole]) -> frozenset[Privilege] | None:
    if role in ROLES:
        return ROLES[role]
    return custom[role].privileges if role in custom else None


async def holders(conn: AsyncConnection, role: str) -> int:
    """How many people hold a role somewhere."""
    query = select(func.count(func.distinct(grants.c.user_id))).where(grants.c.role == role)
    return int(await conn.scalar(query) or 0)


async def count_administrators(conn: AsyncConnection) -> int:
    """Those who can still sign in and manage access."""
    query = (
        select(func.count(func.distinct(users.c.id)))
        .join(grants, grants.c.user_id == users.c.id)
        .where(grants.c.path == "/", grants.c.role == ADMINISTRATOR)
        .where(users.c.disabled_at.is_(None), users.c.password_hash != "")
    )
    return int(await conn.scalar(query) or 0)


async def counts(conn: AsyncConnection, now: datetime) -> tuple[dict[int, int], dict[int, int]]:
    """Sessions and API tokens that hold, by user."""
    live_sessions = select(sessions.c.user_id, func.count()).where(sessions.c.expires_at > now)
    tokens = select(api_tokens.c.user_id, func.count()).where(
        (api_tokens.c.expires_at.is_(None)) | (api_tokens.c.expires_at > now)
    )
    return (
        {row[0]: row[1] for row in await conn.execute(live_sessions.group_by(sessions.c.user_id))},
        {row[0]: row[1] for row in await conn.execute(tokens.group_by(api_tokens.c.user_id))},
    )


async def names_of(conn: AsyncConnection, ids: Collection[int]) -> dict[int, str]:
    rows = await conn.execute(select(users.c.id, users.c.name).where(users.c.id.in_(list(ids))))
    return {row.id: row.name for row in rows}
