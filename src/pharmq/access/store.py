"""SQL of users, grants, sessions, tokens and set-up links."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access.model import ROLES, Grant
from pharmq.access.tables import api_tokens, grants, sessions, setup_links, users


class User(msgspec.Struct, frozen=True):
    id: int
    name: str
    display_name: str
    lang: str
    password_hash: str
    disabled: bool


class Session(msgspec.Struct, frozen=True):
    token_hash: str
    user_id: int
    created_at: datetime
    last_seen: datetime
    expires_at: datetime


def _user(row: Row[Any]) -> User:
    return User(row.id, row.name, row.display_name, row.lang, row.password_hash, row.disabled_at is not None)


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


async def set_password(conn: AsyncConnection, user_id: int, password_hash: str) -> None:
    await conn.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash, disabled_at=None))


async def add_grant(conn: AsyncConnection, user_id: int, path: str, role: str) -> None:
    await conn.execute(insert(grants).values(user_id=user_id, path=path, role=role))


async def grants_of(conn: AsyncConnection, user_id: int) -> tuple[Grant, ...]:
    rows = await conn.execute(select(grants.c.path, grants.c.role).where(grants.c.user_id == user_id))
    return tuple(Grant(row.path, ROLES[row.role]) for row in rows if row.role in ROLES)


async def add_session(conn: AsyncConnection, session: Session, source: str | None, user_agent: str | None) -> None:
    await conn.execute(
        insert(sessions).values(
            token_hash=session.token_hash,
            user_id=session.user_id,
            source=source,
            user_agent=user_agent,
            created_at=session.created_at,
            last_seen=session.last_seen,
            expires_at=session.expires_at,
        )
    )


async def session_by_hash(conn: AsyncConnection, token_hash: str) -> Session | None:
    row = (await conn.execute(select(sessions).where(sessions.c.token_hash == token_hash))).first()
    if row is None:
        return None
    return Session(row.token_hash, row.user_id, row.created_at, row.last_seen, row.expires_at)


async def touch_session(conn: AsyncConnection, token_hash: str, now: datetime) -> None:
    await conn.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(last_seen=now))


async def delete_session(conn: AsyncConnection, token_hash: str) -> None:
    await conn.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


async def delete_sessions_of(conn: AsyncConnection, user_id: int) -> list[str]:
    found = await conn.execute(delete(sessions).where(sessions.c.user_id == user_id).returning(sessions.c.token_hash))
    return [row.token_hash for row in found]


async def delete_old_sessions(conn: AsyncConnection, now: datetime) -> None:
    await conn.execute(delete(sessions).where(sessions.c.expires_at <= now))
    await conn.execute(delete(setup_links).where(setup_links.c.expires_at <= now))


async def add_token(
    conn: AsyncConnection, user_id: int, name: str, token_hash: str, now: datetime, expires_at: datetime | None
) -> int:
    made = await conn.execute(
        insert(api_tokens)
        .values(user_id=user_id, name=name, token_hash=token_hash, created_at=now, expires_at=expires_at)
        .returning(api_tokens.c.id)
    )
    return int(made.scalar_one())


async def token_by_hash(conn: AsyncConnection, token_hash: str) -> Row[Any] | None:
    return (await conn.execute(select(api_tokens).where(api_tokens.c.token_hash == token_hash))).first()


async def touch_token(conn: AsyncConnection, token_id: int, now: datetime) -> None:
    await conn.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used=now))


async def replace_setup_link(conn: AsyncConnection, token_hash: str, now: datetime, expires_at: datetime) -> None:
    await conn.execute(delete(setup_links))
    await conn.execute(insert(setup_links).values(token_hash=token_hash, created_at=now, expires_at=expires_at))


async def take_setup_link(conn: AsyncConnection, token_hash: str, now: datetime) -> bool:
    """Use the link up; False when it is unknown or too old."""
    taken = await conn.execute(
        delete(setup_links).where(setup_links.c.token_hash == token_hash, setup_links.c.expires_at > now)
    )
    return taken.rowcount == 1
