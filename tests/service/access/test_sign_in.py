from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import get, post
from litestar.testing import AsyncTestClient

from pharmq.access import SYSTEM, Actor, Privilege
from pharmq.access.gate import COOKIE
from pharmq.access.routes import ROUTES
from pharmq.access.service import AccessService
from pharmq.base.config import Config
from pharmq.base.errors import Conflict
from pharmq.base.secret import Secret
from pharmq.web.app import create_app

ORIGIN = "http://testserver.local"
PASSWORD = "correct horse battery"


@get("/api/seen", opt={"privilege": Privilege.SEE})
async def seen(actor: Actor) -> dict[str, str]:
    return {"name": actor.name, "kind": actor.kind}


@post("/api/act", opt={"privilege": Privilege.POWER})
async def act(actor: Actor) -> None:
    return None


@get("/api/unmarked")
async def unmarked() -> None:
    return None


@pytest.fixture
async def client(access: AccessService, tmp_path: Path) -> AsyncIterator[AsyncTestClient[Any]]:
    config = Config(data_dir=tmp_path, database_url="", public_url=ORIGIN)
    app = create_app(config, access, {}, [*ROUTES, seen, act, unmarked])
    async with AsyncTestClient(app, base_url=ORIGIN) as made:
        yield made


async def kim(access: AccessService, *, administrator: bool = True) -> None:
    await access.create_user(SYSTEM, "kim", Secret(PASSWORD), administrator=administrator, lang="ko")


async def sign_in(client: AsyncTestClient[Any], password: str = PASSWORD) -> Any:
    return await client.post("/api/session", json={"username": "kim", "password": password})


async def test_signing_in_gives_a_cookie_that_scripts_cannot_read_and_a_csrf_token(access, client) -> None:
    await kim(access)
    answer = await sign_in(client)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert answer.json()["user"]["name"] == "kim"
    assert set(answer.json()["privileges"]) == {p.value for p in Privilege}
    assert (await client.get("/api/seen")).json() == {"name": "kim", "kind": "user"}
    assert (await client.get("/api/session")).json()["csrf"] == answer.json()["csrf"]


async def test_a_write_needs_the_csrf_token_and_our_origin(access, client) -> None:
    await kim(access)
    csrf = (await sign_in(client)).json()["csrf"]
    assert (await client.post("/api/act")).json()["code"] == "session.csrf"
    assert (await client.post("/api/act", headers={"X-CSRF-Token": "x" + csrf[1:]})).json()["code"] == "session.csrf"
    foreign = {"X-CSRF-Token": csrf, "Origin": "https://evil.example"}
    assert (await client.post("/api/act", headers=foreign)).json()["code"] == "session.origin"
    assert (await client.post("/api/act", headers={"X-CSRF-Token": csrf, "Origin": ORIGIN})).status_code == 201


async def test_nobody_gets_in_without_signing_in_and_an_unmarked_route_is_closed_to_all(access, client) -> None:
    answer = await client.get("/api/seen")
    assert (answer.status_code, answer.json()["code"]) == (401, "session.required")
    assert answer.headers["content-type"] == "application/problem+json"
    await kim(access)
    await sign_in(client)
    assert (await client.get("/api/unmarked")).status_code == 403


async def test_a_user_without_grants_is_refused(access, client) -> None:
    await kim(access, administrator=False)
    await sign_in(client)
    assert (await client.get("/api/seen")).json()["code"] == "access.forbidden"


async def test_wrong_passwords_are_refused_journaled_and_slowed_down(access, client, db, journal) -> None:
    await kim(access)
    for _ in range(5):
        assert (await sign_in(client, "wrong password")).json()["code"] == "session.refused"
    slowed = await sign_in(client)
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) >= 1
    async with db.read() as conn:
        kinds = [row.kind for row in await journal.read(conn, 0)]
    assert kinds.count("session.refused") == 5


async def test_an_unknown_name_reads_like_a_wrong_password(access, client) -> None:
    answer = await client.post("/api/session", json={"username": "nobody", "password": "x"})
    assert answer.json()["code"] == "session.refused"


async def test_signing_out_ends_the_session_at_once_and_tells_listeners(access, client) -> None:
    await kim(access)
    ended: list[str] = []
    access.on_revoked(ended.append)
    csrf = (await sign_in(client)).json()["csrf"]
    cookie = client.cookies[COOKIE]
    assert (await client.delete("/api/session", headers={"X-CSRF-Token": csrf})).status_code == 204
    assert len(ended) == 1
    client.cookies.set(COOKIE, cookie)
    assert (await client.get("/api/seen")).status_code == 401


async def test_sessions_end_by_age_and_by_idleness(access, clock) -> None:
    await kim(access)
    made = await access.sign_in("kim", Secret(PASSWORD), None, None)
    cookie = made.cookie.reveal()
    for _ in range(11):
        await clock.advance(3600)
        assert await access.by_cookie(cookie, None)
    await clock.advance(3601)
    assert await access.by_cookie(cookie, None) is None
    idle = (await access.sign_in("kim", Secret(PASSWORD), None, None)).cookie.reveal()
    await clock.advance(4 * 3600 + 120)
    assert await access.by_cookie(idle, None) is None


async def test_an_api_token_needs_no_csrf_and_expires(access, client, clock) -> None:
    await kim(access)
    token = await access.create_token(SYSTEM, "kim", "script", timedelta(days=1))
    headers = {"Authorization": f"Bearer {token.reveal()}"}
    assert (await client.get("/api/seen", headers=headers)).json() == {"name": "kim", "kind": "token"}
    assert (await client.post("/api/act", headers=headers)).status_code == 201
    await clock.advance(86401)
    assert (await client.get("/api/seen", headers=headers)).status_code == 401


async def test_no_token_or_password_is_kept_readable(access, db) -> None:
    await kim(access)
    token = (await access.create_token(SYSTEM, "kim", "script", None)).reveal()
    cookie = (await access.sign_in("kim", Secret(PASSWORD), None, None)).cookie.reveal()
    path = Path(db.url.removeprefix("sqlite+aiosqlite:///"))
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    for secret in (token, cookie, PASSWORD):
        assert secret.encode() not in stored


async def test_the_first_administrator_comes_through_a_link_that_works_once(access, client) -> None:
    assert (await client.get("/api/setup")).json() == {"needed": True}
    old = (await access.new_setup_link()).reveal()
    link = (await access.new_setup_link()).reveal()
    body = {"username": "kim", "password": PASSWORD}
    assert (await client.post("/api/setup", json={"token": old, **body})).json()["code"] == "setup.link_invalid"
    short = await client.post("/api/setup", json={"token": link, "username": "kim", "password": "short"})
    assert (short.status_code, "password" in short.json()["errors"]) == (400, True)
    assert (await client.post("/api/setup", json={"token": link, **body})).status_code == 200
    assert (await client.get("/api/setup")).json() == {"needed": False}
    assert (await client.post("/api/setup", json={"token": link, **body})).json()["code"] == "setup.done"


async def test_a_password_reset_ends_sessions_and_names_are_unique(access) -> None:
    await kim(access)
    cookie = (await access.sign_in("kim", Secret(PASSWORD), None, None)).cookie.reveal()
    await access.reset_password(SYSTEM, "kim", Secret("another long password"))
    assert await access.by_cookie(cookie, None) is None
    with pytest.raises(Conflict):
        await kim(access)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b'{"username": 5, "password": "x"}', "username"),
        (b'{"username": "a\\u0000b", "password": "x"}', "username"),
        (b'{"username": "kim"}', "password"),
        (b'{"username": "kim", "password": "x", "more": 1}', "more"),
        (b"[]", "body"),
    ],
)
async def test_bad_input_names_the_field_in_the_callers_language(client, body: bytes, field: str) -> None:
    headers = {"Content-Type": "application/json", "Accept-Language": "en"}
    answer = await client.post("/api/session", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["title"] == "Check what you entered."
    assert field in answer.json()["errors"], answer.json()


async def test_answers_carry_the_headers_that_protect_a_browser(access, client) -> None:
    headers = (await client.get("/api/setup")).headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    await kim(access)
    await sign_in(client)
    assert (await client.get("/api/openapi.json")).json()["info"]["title"] == "PharmQ"
    assert (await client.get("/api/nowhere")).json()["code"] == "request.not_found"
