"""SQL of what people come in with: sessions, API tokens, invitations, set-up links, recovery codes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pharmq.access.tables import api_tokens, invitations, recovery_codes, sessions, setup_links, users
from pharmq.journal.tables import journal, journal_personal

KEY = 32
"""Characters of the hash by which a session is named in lists."""


class Session(msgspec.Struct, frozen=True):
    token_hash: str
    user_id: int
    created_at: datetime
    last_seen: datetime
    expires_at: datetime
    confirmed_at: datetime | None = None
    locked_at: datetime | None = None
    source: str | None = None
    user_agent: str | None = None


class Token(msgspec.Struct, frozen=True):
    id: int
    user_id: int
    name: str
    token_hash: str
    created_at: datetime
    last_used: datetime | None
    expires_at: datetime | None
    privileges: list[str] | None
    paths: list[str] | None


# --- sessions


def _session(row: Row[Any]) -> Session:
    return Session(
        token_hash=row.token_hash,
        user_id=row.user_id,
        created_at=row.created_at,
        last_seen=row.last_seen,
        expires_at=row.expires_at,
        confirmed_at=row.confirmed_at,
        locked_at=row.locked_at,
        source=row.source,
        user_agent=row.user_agent,
    )


async def add_session(conn: AsyncConnection, session: Session) -> None:
    await conn.execute(insert(sessions).values(**msgspec.structs.asdict(session)))


async def session_by_hash(conn: AsyncConnection, token_hash: str) -> Session | None:
    row = (await conn.execute(select(sessions).where(sessions.c.token_hash == token_hash))).first()
    return None if row is None else _session(row)


async def sessions_of(conn: AsyncConnection, user_id: int) -> list[Session]:
    query = select(sessions).where(sessions.c.user_id == user_id).order_by(sessions.c.last_seen.desc())
    return [_session(row) for row in await conn.execute(query)]


async def change_session(conn: AsyncConnection, token_hash: str, **values: object) -> None:
    await conn.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(**values))


async def delete_session(conn: AsyncConnection, token_hash: str) -> None:
    await conn.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


async def delete_session_by_key(conn: AsyncConnection, user_id: int, key: str) -> str | None:
    """The hash of the session that ended."""
    found = await conn.execute(
        delete(sessions)
        .where(sessions.c.user_id == user_id, func.substr(sessions.c.token_hash, 1, KEY) == key)
        .returning(sessions.c.token_hash)
    )
    row = found.first()
    return None if row is None else str(row.token_hash)


async def delete_sessions_of(conn: AsyncConnection, user_id: int, *, but: str | None = None) -> list[str]:
    query = delete(sessions).where(sessions.c.user_id == user_id).returning(sessions.c.token_hash)
    if but is not None:
        query = query.where(sessions.c.token_hash != but)
    return [row.token_hash for row in await conn.execute(query)]


async def came_in(conn: AsyncConnection, since: datetime, most: int) -> list[tuple[str, str]]:
    """(account, address) of the newest ``most`` sign-ins, the oldest first: of who may still come in, as the journal
    has them, so what was erased there is gone here too."""
    newest = select(journal).where(journal.c.kind == "session.opened").order_by(journal.c.seq.desc()).limit(most)
    opened = newest.subquery()
    query = (
        select(users.c.name, journal_personal.c.source)
        .join_from(opened, users, users.c.id == opened.c.actor_id)
        .join(journal_personal, journal_personal.c.ref == opened.c.person)
        .where(opened.c.at >= since, users.c.disabled_at.is_(None), journal_personal.c.source.is_not(None))
        .order_by(opened.c.seq)
    )
    return [(row.name, row.source) for row in await conn.execute(query)]


async def delete_old(conn: AsyncConnection, now: datetime) -> None:
    for table in (sessions, setup_links, invitations):
        await conn.execute(delete(table).where(table.c.expires_at <= now))


# --- API tokens


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        token_hash=row.token_hash,
        created_at=row.created_at,
        last_used=row.last_used,
        expires_at=row.expires_at,
        privileges=row.privileges,
        paths=row.paths,
    )


async def add_token(
    conn: AsyncConnection,
    user_id: int,
    name: str,
    token_hash: str,
    now: datetime,
    expires_at: datetime | None,
    privileges: list[str] | None = None,
    paths: list[str] | None = None,
) -> int:
    made = await conn.execute(
        insert(api_tokens)
        .values(
            user_id=user_id,
            name=name,
            token_hash=token_hash,
            created_at=now,
            expires_at=expires_at,
            privileges=privileges,
            paths=paths,
        )
        .returning(api_tokens.c.id)
    )
    return int(made.scalar_one())


async def token_by_hash(conn: AsyncConnection, token_hash: str) -> Token | None:
    row = (await conn.execute(select(api_tokens).where(api_tokens.c.token_hash == token_hash))).first()
    return None if row is None else _token(row)


async def token_by_id(conn: AsyncConnection, token_id: int) -> Token | None:
    row = (await conn.execute(select(api_tokens).where(api_tokens.c.id == token_id))).first()
    return None if row is None else _token(row)


async def tokens_of(conn: AsyncConnection, user_id: int) -> list[Token]:
    query = select(api_tokens).where(api_tokens.c.user_id == user_id).order_by(api_tokens.c.id.desc())
    return [_token(row) for row in await conn.execute(query)]


async def touch_token(conn: AsyncConnection, token_id: int, now: datetime) -> None:
    await conn.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used=now))


async def delete_token(conn: AsyncConnection, user_id: int, token_id: int) -> Token | None:
    found = await conn.execute(
        delete(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.user_id == user_id).returning(*api_tokens.c)
    )
    row = found.first()
    return None if row is None else _token(row)


async def delete_tokens_of(conn: AsyncConnection, user_id: int) -> list[Token]:
    found = await conn.execute(delete(api_tokens).where(api_tokens.c.user_id == user_id).returning(*api_tokens.c))
    return [_token(row) for row in found]


# --- links


async def replace_setup_link(conn: AsyncConnection, token_hash: str, now: datetime, expires_at: datetime) -> None:
    await conn.execute(delete(setup_links))
    await conn.execute(insert(setup_links).values(token_hash=token_hash, created_at=now, expires_at=expires_at))


async def take_setup_link(conn: AsyncConnection, token_hash: str, now: datetime) -> bool:
    """Use the link up; False when it is unknown or too old."""
    taken = await conn.execute(
        delete(setup_links).where(setup_links.c.token_hash == token_hash, setup_links.c.expires_at > now)
    )
    return taken.rowcount == 1


async def replace_invitation(
    conn: AsyncConnection, user_id: int, token_hash: str, now: datetime, expires_at: datetime
) -> None:
    """An earlier link of the same person stops working."""
    await delete_invitations_of(conn, user_id)
    await conn.execute(
        insert(invitations).values(token_hash=token_hash, user_id=user_id, created_at=now, expires_at=expires_at)
    )


async def delete_invitations_of(conn: AsyncConnection, user_id: int) -> None:
    await conn.execute(delete(invitations).where(invitations.c.user_id == user_id))


async def invited(conn: AsyncConnection, token_hash: str, now: datetime) -> int | None:
    """Whom an invitation is for."""
    query = select(invitations.c.user_id).where(invitations.c.token_hash == token_hash, invitations.c.expires_at > now)
    found = await conn.scalar(query)
    return None if found is None else int(found)


async def take_invitation(conn: AsyncConnection, token_hash: str, now: datetime) -> int | None:
    """Use it up; whom it was for, None when it is unknown or too old."""
    found = await conn.execute(
        delete(invitations)
        .where(invitations.c.token_hash == token_hash, invitations.c.expires_at > now)
        .returning(invitations.c.user_id)
    )
    row = found.first()
    return None if row is None else int(row.user_id)


# --- recovery codes


async def replace_recovery_codes(conn: AsyncConnection, user_id: int, hashes: Iterable[str]) -> None:
    await conn.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    rows = [{"user_id": user_id, "code_hash": code_hash} for code_hash in hashes]
    if rows:
        await conn.execute(insert(recovery_codes), rows)


async def take_recovery_code(conn: AsyncConnection, user_id: int, code_hash: str) -> bool:
    taken = await conn.execute(
        delete(recovery_codes).where(recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash)
    )
    return bool(taken.rowcount == 1)


async def count_recovery_codes(conn: AsyncConnection, user_id: int) -> int:
    query = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == user_id)
    return int(await conn.scalar(query) or 0)
