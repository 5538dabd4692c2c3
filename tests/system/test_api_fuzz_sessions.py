"""Schemathesis with sessions of people who may little: neither a 500 nor a name of what they may not see.

A short budget here; ``PHARMQ_FUZZ_SECONDS=900 .venv/bin/pytest tests/system/test_api_fuzz_sessions.py`` looks longer.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from system_rig import READY, demo_command, free_port, operations_tested, running

SECONDS = int(os.environ.get("PHARMQ_FUZZ_SECONDS", "35"))
PASSWORD = "correct horse battery"
# The stream never ends; what ends or locks the caller's own session, or slows it down, is walked elsewhere.
APART = (
    "/api/stream",
    "/api/session",
    "/api/session/lock",
    "/api/session/confirm",
    "/api/setup",
    "/api/me/password",
    "/api/me/sessions/{session_key}",
)
CHECKS = "not_a_server_error,no_foreign_name"


async def call(http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **more: Any) -> Any:
    async with http.request(method, path, json=body, **more) as response:
        text = await response.text()
        assert response.status < 400, text
        return await response.json() if text else None


async def come_in(http: aiohttp.ClientSession, url: str, name: str, grants: list[dict[str, str]]) -> tuple[str, str]:
    """A new user by invitation; cookie and CSRF token of their session."""
    body = {"name": name, "display_name": name, "grants": grants}
    invited = await call(http, "POST", "/api/users", body)
    link = invited["invitation"]["url"].partition("#")[2]
    jar = aiohttp.CookieJar(unsafe=True)  # the demo is at an address, not at a name
    async with aiohttp.ClientSession(url, cookie_jar=jar) as browser:
        session = await call(browser, "POST", "/api/invitation/accept", {"token": link, "password": PASSWORD})
        (cookie,) = [c for c in browser.cookie_jar if c.key == "pharmq_session"]
        return cookie.value, session["csrf"]


async def foreign_words(http: aiohttp.ClientSession, own: set[int]) -> set[str]:
    """Names, codes, numbers and addresses of all other pharmacies and their hosts."""
    found: set[str] = set()
    for pharmacy in (await call(http, "GET", "/api/pharmacies"))["items"]:
        if pharmacy["id"] not in own:
            found |= {pharmacy["name"], pharmacy["code"], pharmacy["phone"], pharmacy["representative"]}
    for host in (await call(http, "GET", "/api/proxmox/hosts"))["items"]:
        if host["pharmacy_id"] not in own:
            found |= {host["host_ip"], host["certificate"]["fingerprint"]}
    own_words = set()
    for pharmacy in (await call(http, "GET", "/api/pharmacies"))["items"]:
        if pharmacy["id"] in own:
            own_words |= {pharmacy["name"], pharmacy["representative"]}
    return {word for word in found - own_words if word and len(word) > 2}


@pytest.mark.parametrize("person", ["operator of one pharmacy", "without grants"])
async def test_neither_a_failure_nor_a_foreign_name(tmp_path: Path, person: str) -> None:
    async with running(demo_command(tmp_path / "demo", free_port(), 3)) as demo:
        url, _, token = (await demo.wait_for(READY, 120)).groups()
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as http:
            own = (await call(http, "GET", "/api/pharmacies"))["items"][0]["id"]
            one = person != "without grants"
            grants = [{"path": f"/pharmacy/{own}", "role": "operator"}] if one else []
            words = await foreign_words(http, {own} if one else set())
            cookie, csrf = await come_in(http, url, "fuzzer", grants)
        assert len(words) > 4
        (tmp_path / "foreign").write_text("\n".join(sorted(words)))
        output, code = await fuzz(url, cookie, csrf, tmp_path)
        assert code == 0, output[-8000:]
        assert operations_tested(output) > 100
    log = (tmp_path / "demo" / "pharmq.log").read_text()
    assert "unexpected failure" not in log, log[-4000:]


async def fuzz(url: str, cookie: str, csrf: str, folder: Path) -> tuple[str, int | None]:
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", str(folder / "openapi.json"), "--url", url,
        "-H", f"Cookie: pharmq_session={cookie}", "-H", f"X-CSRF-Token: {csrf}", "--max-time", str(SECONDS), "-w", "1",
        "--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--continue-on-failure", "--warnings", "off",
    ]  # fmt: skip
    for path in APART:
        command += ["--exclude-path", path]
    async with aiohttp.ClientSession(url, headers={"Cookie": f"pharmq_session={cookie}"}) as http:
        document = await call(http, "GET", "/api/openapi.json")
    # Sent by us on every request; schemathesis must not leave it out or take it for its own to vary.
    document.pop("security", None)
    document["components"].pop("securitySchemes", None)
    (folder / "openapi.json").write_text(json.dumps(document))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env=os.environ
        | {
            "SCHEMATHESIS_HOOKS": "no_foreign_name",
            "PHARMQ_FOREIGN": str(folder / "foreign"),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
        },
    )
    output, _ = await asyncio.wait_for(process.communicate(), SECONDS + 180)
    return output.decode(), process.returncode
