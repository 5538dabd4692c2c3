"""CPU of the console relay beside nginx, in one run, interleaved, as ratios.

    .venv/bin/python bench/relay/run.py [--rounds 3] [--megabytes 200] [--sessions 100]

Needs nginx and openssl (apt-get install nginx). Both take TLS WebSockets from the same host and give plain ones to the
same browser. Single figures depend on the machine; the ratios hold to about 15 %.
"""

import argparse
import asyncio
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from parts import Sink, certificate, cpu_seconds, rss_kib

HERE = Path(__file__).parent
NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
  uwsgi_temp_path {dir}; scgi_temp_path {dir};
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass https://127.0.0.1:{host}; proxy_http_version 1.1; proxy_ssl_verify off;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_buffer_size 64k; proxy_buffers 4 64k; proxy_busy_buffers_size 128k; proxy_read_timeout 600s; }} }} }}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")


async def bulk(port: int, pid: int, megabytes: int, frame: int) -> float:
    """CPU milliseconds of the relay per MB."""
    sink = Sink(port, "/")
    await sink.open()
    count = megabytes * 1_000_000 // frame
    before = cpu_seconds(pid)
    await sink.take(f"BULK {count} {frame}".encode(), count * frame)
    used = cpu_seconds(pid) - before
    sink.close()
    return used * 1000 / (count * frame / 1e6)


async def interactive(port: int, pid: int, sessions: int) -> float:
    """CPU microseconds per update: each session gets 20 updates a second of 2 KB, for 5 s."""
    sinks = [Sink(port, "/") for _ in range(sessions)]
    for sink in sinks:
        await sink.open()
    updates = 100
    before = cpu_seconds(pid)
    await asyncio.gather(*[sink.take(f"PACE {updates} 2000 50".encode(), updates * 2000) for sink in sinks])
    used = cpu_seconds(pid) - before
    for sink in sinks:
        sink.close()
    return used * 1e6 / (updates * sessions)


async def idle(port: int, pid: int, sessions: int) -> float:
    """KiB of memory per session that is open and silent."""
    before = rss_kib(pid)
    sinks = [Sink(port, "/") for _ in range(sessions)]
    for sink in sinks:
        await sink.open()
    await asyncio.sleep(0.5)
    used = rss_kib(pid) - before
    for sink in sinks:
        sink.close()
    await asyncio.sleep(0.5)
    return used / sessions


async def measure(options: argparse.Namespace, relays: dict[str, tuple[int, int]]) -> None:
    kinds = {
        "bulk 128 KiB, CPU ms/MB": lambda port, pid: bulk(port, pid, options.megabytes, 131072),
        "bulk 64 KiB, CPU ms/MB": lambda port, pid: bulk(port, pid, options.megabytes, 65536),
        "bulk 8 KiB, CPU ms/MB": lambda port, pid: bulk(port, pid, options.megabytes, 8192),
        f"interactive x{options.sessions}, CPU us/update": lambda port, pid: interactive(port, pid, options.sessions),
        f"idle x{options.sessions}, KiB/session": lambda port, pid: idle(port, pid, options.sessions),
    }
    print(f"{'':36}" + "".join(f"{name:>12}" for name in relays) + f"{'ratio':>10}")
    for title, kind in kinds.items():
        found: dict[str, list[float]] = {name: [] for name in relays}
        rounds = 1 if title.startswith("idle") else options.rounds
        for _ in range(rounds):
            for name, (port, pid) in relays.items():
                found[name].append(await kind(port, pid))
        middle = {name: statistics.median(values) for name, values in found.items()}
        ratio = middle["pharmq"] / middle["nginx"]
        print(f"{title:36}" + "".join(f"{value:12.2f}" for value in middle.values()) + f"{ratio:9.2f}x", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--ws", default="websockets-sansio")
    options = parser.parse_args()
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(nginx).exists():
        sys.exit("nginx is missing: apt-get install nginx")
    directory = Path(tempfile.mkdtemp(prefix="pharmq-bench-"))
    directory.chmod(0o755)
    certificate(directory)
    host, ours, theirs = free_port(), free_port(), free_port()
    (directory / "nginx.conf").write_text(NGINX.format(dir=directory, port=theirs, host=host))
    commands = {
        "host": [sys.executable, str(HERE / "parts.py"), str(host), str(directory)],
        "pharmq": [sys.executable, str(HERE / "middle.py"), str(ours), str(host), str(directory), options.ws],
        "nginx": [nginx, "-c", str(directory / "nginx.conf"), "-p", str(directory)],
    }
    running = {name: subprocess.Popen(command) for name, command in commands.items()}
    try:
        for port in (host, ours, theirs):
            wait_for(port)
        relays = {"pharmq": (ours, running["pharmq"].pid), "nginx": (theirs, running["nginx"].pid)}
        asyncio.run(measure(options, relays))
    finally:
        for process in running.values():
            process.terminate()
            process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
