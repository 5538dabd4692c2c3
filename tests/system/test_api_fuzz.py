"""Schemathesis over the whole API of a running server: no 5xx, no answer that its own document does not describe."""

import asyncio
import sys
from pathlib import Path

from system_rig import READY, demo_command, free_port, operations_tested, running

SECONDS = 60
# The stream never ends; signing out and setting up are walked elsewhere.
APART = ("/api/stream", "/api/session", "/api/setup")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


async def test_no_input_breaks_the_api(tmp_path: Path) -> None:
    async with running(demo_command(tmp_path, free_port(), 3)) as demo:
        url, _, token = (await demo.wait_for(READY, 120)).groups()
        command = [
            str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/api/openapi.json",
            "-H", f"Authorization: Bearer {token}", "--max-time", str(SECONDS), "-w", "1",
            "--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--continue-on-failure", "--warnings", "off",
        ]  # fmt: skip
        for path in APART:
            command += ["--exclude-path", path]
        fuzz = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path
        )
        output, _ = await asyncio.wait_for(fuzz.communicate(), SECONDS + 120)
        assert fuzz.returncode == 0, output.decode()[-8000:]
        assert operations_tested(output.decode()) > 100
    log = (tmp_path / "pharmq.log").read_text()
    assert "unexpected failure" not in log, log[-4000:]
