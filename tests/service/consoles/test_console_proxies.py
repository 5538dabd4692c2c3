"""A quiet console behind real reverse proxies with their usual time-outs of 60 s, in real time."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from consoles_rig import ADMIN, Rig

from pharmq.base.clock import SystemClock
from pharmq.db import Database
from pharmq.journal import Journal
from system_rig import free_port

QUIET_SECONDS = 66
NGINX = """
daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
  uwsgi_temp_path {dir}; scgi_temp_path {dir};
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  proxy_http_version 1.1; proxy_set_header Host $host;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
  server {{ listen 127.0.0.1:{usual}; proxy_read_timeout 60s; proxy_send_timeout 60s;
    location / {{ proxy_pass http://127.0.0.1:{ours}; }} }}
  server {{ listen 127.0.0.1:{strict}; proxy_read_timeout 5s;
    location / {{ proxy_pass http://127.0.0.1:{ours}; }} }} }}
"""
CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{usual} {{
  reverse_proxy 127.0.0.1:{ours} {{
    transport http {{
      read_timeout 60s
      write_timeout 60s
    }}
  }}
}}
"""


def program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.fail(f"{name} is missing: apt-get install {name}")
    return found


@asynccontextmanager
async def running(folder: Path, port: int, *command: str) -> AsyncIterator[None]:
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=quiet, stderr=quiet)
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_a_quiet_console_outlives_the_time_outs_of_nginx_and_caddy(
    db: Database, journal: Journal, tmp_path: Path
) -> None:
    nginx, caddy = program("nginx"), program("caddy")
    usual, strict, caddys = free_port(), free_port(), free_port()
    async with Rig(db, journal, SystemClock()) as rig:
        (tmp_path / "nginx.conf").write_text(NGINX.format(dir=tmp_path, usual=usual, strict=strict, ours=rig.port))
        (tmp_path / "Caddyfile").write_text(CADDY.format(usual=caddys, ours=rig.port))
        async with (
            running(tmp_path, usual, nginx, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)),
            running(tmp_path, caddys, caddy, "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"),
        ):
            viewers = []
            for port, vmid in ((usual, 100), (caddys, 101), (strict, 200)):
                ticket = await rig.service.connect(ADMIN, 1, vmid)
                viewers.append(await (await rig.socket(ticket.session_id, via=port)).greet())
            await asyncio.sleep(10)
            assert viewers[2].ws.closed, "nginx cuts what is silent for longer than its time-out"
            await asyncio.sleep(QUIET_SECONDS - 10)
            ends = [(row.vmid, row.cause) for row in await rig.stored()]
            for viewer in viewers[:2]:
                assert not viewer.ws.closed, ends
                pixels = await viewer.picture()
                if pixels == 4:  # the keep-alive's single pixel came first
                    pixels = await viewer.update()
                assert pixels == viewer.width * viewer.height * 4
