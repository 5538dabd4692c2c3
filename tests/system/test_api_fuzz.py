"""Schemathesis over the whole API of a running server, as three kinds of people: no 5xx, no answer that the server's
own document does not describe, and no name of what the caller may not see.

What it sends is bounded in number and always the same. ``PHARMQ_FUZZ_EXAMPLES=100 PHARMQ_FUZZ_SEED=7`` sends that many
random ones to every operation, with the document's own corner cases for everybody.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from system_rig import READY, demo_command, free_port, operations_tested, running

LONG = "PHARMQ_FUZZ_EXAMPLES" in os.environ
EXAMPLES = os.environ.get("PHARMQ_FUZZ_EXAMPLES", "3")
SEED = os.environ.get("PHARMQ_FUZZ_SEED", "1")
#: against hangs alone: what is sent does not depend on it
PATIENCE_S = 3600 if LONG else 600
PASSWORD = "correct horse battery"
# The stream never ends; signing out and setting up are walked elsewhere.
APART = ("/api/stream", "/api/session", "/api/setup")
# So is what ends or locks the caller's own session, or slows it down (a token has none).
OF_A_SESSION = (
    "/api/session/lock",
    "/api/session/confirm",
    "/api/me/password",
    "/api/me/sessions/{session_key}",
)
DESCRIBED = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
NOTHING_FOREIGN = "not_a_server_error,no_foreign_name"
#: ``coverage``: every operation's corner cases, thousands in all
CORNERS = "examples,coverage,fuzzing"
AT_RANDOM = CORNERS if LONG else "examples,fuzzing"


async def test_no_input_breaks_the_api_or_gets_a_foreign_name(tmp_path: Path) -> None:
    async with running(demo_command(tmp_path / "demo", free_port(), 3)) as demo:
        url, _, token = (await demo.wait_for(READY, 240)).groups()
        bearer = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(url, headers=bearer) as http:
            own = int((await call(http, "GET", "/api/pharmacies"))["items"][0]["id"])
            operator = [{"path": f"/pharmacy/{own}", "role": "operator"}]
            people = {"nobody": (await come_in(http, url, "nobody", []), set[int]())}
            people["operator of one"] = await come_in(http, url, "operator", operator), {own}
            words = {name: await foreign_words(http, seen) for name, (_, seen) in people.items()}
        for name, (headers, _) in people.items():
            folder = tmp_path / name
            folder.mkdir()
            assert len(words[name]) > 4
            (folder / "foreign").write_text("\n".join(sorted(words[name])))
            await fuzz(name, url, headers, folder, AT_RANDOM, NOTHING_FOREIGN)
        await fuzz("administrator", url, bearer, tmp_path, CORNERS, DESCRIBED)
    log = (tmp_path / "demo" / "pharmq.log").read_text()
    assert "unexpected failure" not in log, log[-4000:]


async def call(http: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
    async with http.request(method, path, json=body) as response:
        text = await response.text()
        assert response.status < 400, text
        return json.loads(text) if text else None


async def come_in(http: aiohttp.ClientSession, url: str, name: str, grants: Sequence[dict[str, str]]) -> dict[str, str]:
    """A new user by invitation; the headers that their browser sends."""
    invited = await call(http, "POST", "/api/users", {"name": name, "display_name": name, "grants": grants})
    link = invited["invitation"]["url"].partition("#")[2]
    jar = aiohttp.CookieJar(unsafe=True)  # the demo is at an address, not at a name
    async with aiohttp.ClientSession(url, cookie_jar=jar) as browser:
        session = await call(browser, "POST", "/api/invitation/accept", {"token": link, "password": PASSWORD})
        (cookie,) = [c for c in browser.cookie_jar if c.key == "pharmq_session"]
        return {"Cookie": f"pharmq_session={cookie.value}", "X-CSRF-Token": session["csrf"]}


async def foreign_words(http: aiohttp.ClientSession, own: set[int]) -> set[str]:
    """Names, codes, numbers and addresses of all other pharmacies and their hosts."""
    found, own_words = set[str](), set[str]()
    for pharmacy in (await call(http, "GET", "/api/pharmacies"))["items"]:
        if pharmacy["id"] in own:
            own_words |= {pharmacy["name"], pharmacy["representative"]}
        else:
            found |= {pharmacy["name"], pharmacy["code"], pharmacy["phone"], pharmacy["representative"]}
    for host in (await call(http, "GET", "/api/proxmox/hosts"))["items"]:
        if host["pharmacy_id"] not in own:
            found |= {host["host_ip"], host["certificate"]["fingerprint"]}
    return {word for word in found - own_words if word and len(word) > 2}


async def fuzz(who: str, url: str, headers: dict[str, str], folder: Path, phases: str, checks: str) -> None:
    """Fails with what schemathesis says when it found something or left an operation out."""
    async with aiohttp.ClientSession(url, headers=headers) as http:
        document = await call(http, "GET", "/api/openapi.json")
    # Sent by us on every request; schemathesis must not leave it out or take it for its own to vary.
    document.pop("security", None)
    document["components"].pop("securitySchemes", None)
    (folder / "openapi.json").write_text(json.dumps(document))
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", str(folder / "openapi.json"), "--url", url,
        "--seed", SEED, "-n", EXAMPLES, "-w", "1", "--phases", phases, "--checks", checks,
        "--continue-on-failure", "--warnings", "off", "--request-timeout", "60",
    ]  # fmt: skip
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    for path in APART + (OF_A_SESSION if "Cookie" in headers else ()):
        command += ["--exclude-path", path]
    hooks = {
        "SCHEMATHESIS_HOOKS": "no_foreign_name",
        "PHARMQ_FOREIGN": str(folder / "foreign"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env=os.environ | (hooks if "no_foreign_name" in checks else {}),
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, f"{who}:\n{output.decode()[-8000:]}"
    assert operations_tested(output.decode()) > 100
