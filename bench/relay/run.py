"""What the console relay costs beside nginx, in one run, interleaved, as ratios.

    script/bench relay [-- --rounds 3] [--only bulk interactive latency idle stalled]

Both take TLS WebSockets from the same host (``source.c``) and give plain ones to the same browsers (``sink.c``); ours
is the product's own code on uvicorn and uvloop (``middle.py``). Needs nginx, gcc, libssl-dev and openssl. Single
figures depend on the machine; ratios repeat to about 15 %. A ratio is the median over rounds of runs that stood beside
each other.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from kit import find, folder, free_port, heading, median, running, spread, wait_for  # noqa: E402
from relay.parts import Sink, certificate, cpu_seconds, rss_kib  # noqa: E402

# Tuned for this: no logs, no second worker to share with, buffers of four TLS records.
NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; use epoll; multi_accept on; }}
http {{ access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
  uwsgi_temp_path {dir}; scgi_temp_path {dir};
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{ listen 127.0.0.1:{port} backlog=1024;
    location / {{ proxy_pass https://127.0.0.1:{host}; proxy_http_version 1.1; proxy_ssl_verify off;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; tcp_nodelay on;
      proxy_buffer_size 64k; proxy_buffers 4 64k; proxy_busy_buffers_size 128k; proxy_read_timeout 600s; }} }} }}
"""
UPDATE = 2000
"""Bytes of a small picture."""


class Way(NamedTuple):
    """One relay; ``pid`` 0: none, the browsers ask the host itself."""

    name: str
    port: int
    pid: int


class Told(NamedTuple):
    """``cpu``: seconds of the relay; ``seen``: what the sink says."""

    cpu: float
    seen: dict[str, float]


class Load(NamedTuple):
    sessions: int
    count: int
    size: int
    every: int
    answered: bool = False


def watch(sink: Path, way: Way, load: Load) -> Told:
    command = [sink, way.port, load.sessions, load.count, load.size, load.every, int(load.answered)]
    with running([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            sys.exit(f"{way.name}: the sink did not open its sessions")
        time.sleep(0.2)
        before = cpu_seconds(way.pid) if way.pid else 0.0
        process.stdin.write("go\n")
        process.stdin.flush()
        seen = json.loads(process.stdout.readline())
        return Told(cpu_seconds(way.pid) - before if way.pid else 0.0, seen)


def show(title: str, ours: list[float], theirs: list[float], reach: float | None) -> None:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    verdict = "" if reach is None else f"   reach {reach:.2f}x: {'kept' if median(ratios) <= reach else 'missed'}"
    print(
        f"{title:48} {median(ours):9.2f} {median(theirs):9.2f} {median(ratios):7.2f}x ({spread(ratios)}){verdict}",
        flush=True,
    )


class Bench(NamedTuple):
    sink: Path
    ours: Way
    theirs: Way
    direct: Way
    rounds: int

    def beside(self, title: str, load: Load, per: float, reach: float | None) -> None:
        """CPU of both under one load, ``per`` of its units, in turns."""
        found: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(self.rounds):
            for key, way in (("ours", self.ours), ("theirs", self.theirs)):
                told = watch(self.sink, way, load)
                if told.seen["missing"]:
                    sys.exit(f"{way.name}: {told.seen['missing']:.0f} updates never came")
                found[key].append(told.cpu / per)
        show(title, found["ours"], found["theirs"], reach)

    def bulk(self, megabytes: int) -> None:
        for size, reach in ((131072, 1.0), (65536, 1.0), (8192, 1.2)):
            count = megabytes * 1_000_000 // size
            self.beside(
                f"bulk, frames of {size // 1024} KiB, CPU ms/MB", Load(1, count, size, 0), count * size / 1e9, reach
            )

    def interactive(self, most: int) -> None:
        """20 updates a second for each."""
        for sessions in (50, 200, most):
            for answered in (False, True):
                load = Load(sessions, max(20, 5_000 // sessions), UPDATE, 50_000, answered)
                what = "update and request" if answered else "update"
                updates = load.sessions * load.count
                self.beside(f"interactive x{sessions}, CPU us/{what}", load, updates / 1e6, 1.25)

    def latency(self, sessions: int) -> None:
        """At the rate where nginx uses half a core: found by one look at what an update costs it at about that rate."""
        probe = Load(sessions, 60, UPDATE, 25_000)
        cost = watch(self.sink, self.theirs, probe).cpu / (probe.sessions * probe.count)
        every = int(sessions * cost / 0.5 * 1e6)
        load = Load(sessions, int(4e6 / every), UPDATE, every)
        found: dict[str, list[Told]] = {"ours": [], "theirs": [], "direct": []}
        for _ in range(self.rounds):
            for key, way in (("ours", self.ours), ("theirs", self.theirs), ("direct", self.direct)):
                found[key].append(watch(self.sink, way, load))
        print(
            f"{sessions} sessions, an update each every {every / 1000:.1f} ms ({sessions * 1e6 / every:.0f} a second)"
        )
        for key, tolds in found.items():
            cores = median([told.cpu / told.seen["seconds"] for told in tolds])
            p50, p99 = (median([told.seen[name] for told in tolds]) for name in ("p50", "p99"))
            missing = sum(told.seen["missing"] for told in tolds)
            print(f"  {key:8} {cores:5.2f} cores, p50 {p50:7.0f} us, p99 {p99:8.0f} us, missing {missing:.0f}")
        straight = median([told.seen["p50"] for told in found["direct"]])
        added = {key: [told.seen["p50"] - straight for told in found[key]] for key in ("ours", "theirs")}
        show("  added at p50, us", added["ours"], added["theirs"], 1.3)

    async def idle(self, sessions: int) -> None:
        for way in (self.ours, self.theirs):
            sinks = [Sink(way.port) for _ in range(sessions)]
            await sinks[0].open()  # what is made once
            before = rss_kib(way.pid)
            for sink in sinks[1:]:
                await sink.open()
            await asyncio.sleep(1)
            grown = rss_kib(way.pid) - before
            print(
                f"{sessions} idle, {way.name:8} {grown / (sessions - 1):6.1f} KiB each (reach 115), "
                f"{grown / 1024:5.1f} MiB together (reach 60 MB)",
                flush=True,
            )
            for sink in sinks:
                sink.close()
            await asyncio.sleep(1)

    async def stalled(self) -> None:
        """49 with updates, beside a browser that takes nothing of what the host sends without end."""
        load = Load(49, 80, UPDATE, 50_000)
        for way in (self.ours, self.theirs):
            calm = await asyncio.to_thread(watch, self.sink, way, load)
            sink = Sink(way.port)
            await sink.open()
            sink.reader._transport.pause_reading()  # type: ignore[attr-defined]
            before = rss_kib(way.pid)
            sink.order("BULK 1000000 65536")
            await asyncio.sleep(2)
            grown = rss_kib(way.pid) - before
            beside = await asyncio.to_thread(watch, self.sink, way, load)
            print(
                f"one stalled, {way.name:8} {grown:6.0f} KiB more (reach: its buffer + 1 MB); the others: p50 "
                f"{calm.seen['p50']:.0f} -> {beside.seen['p50']:.0f} us, p99 {calm.seen['p99']:.0f} -> "
                f"{beside.seen['p99']:.0f} us, missing {beside.seen['missing']:.0f}",
                flush=True,
            )
            sink.close()
            await asyncio.sleep(0.5)


def compiled(directory: Path, name: str, *libraries: str) -> Path:
    made = directory / name
    gcc = find("gcc", "gcc libssl-dev")
    subprocess.run([gcc, "-O2", "-o", str(made), str(HERE / f"{name}.c"), *libraries], check=True)
    return made


@contextlib.contextmanager
def bench(options: argparse.Namespace) -> Iterator[Bench]:
    nginx = find("nginx", "nginx")
    with folder() as directory:
        cert, key = certificate(directory)
        source, sink = compiled(directory, "source", "-lssl", "-lcrypto"), compiled(directory, "sink")
        host, plain, ours, theirs = free_port(), free_port(), free_port(), free_port()
        (directory / "nginx.conf").write_text(NGINX.format(dir=directory, port=theirs, host=host))
        middle = [sys.executable, str(HERE / "middle.py"), str(ours), str(host), str(directory), options.ws]
        with (
            running([str(source), str(host), str(plain), str(cert), str(key)]),
            running(middle) as us,
            running([nginx, "-c", str(directory / "nginx.conf"), "-p", str(directory)]) as them,
        ):
            for port in (host, plain, ours, theirs):
                wait_for(port)
            ways = Way("pharmq", ours, us.pid), Way("nginx", theirs, them.pid), Way("direct", plain, 0)
            yield Bench(sink, *ways, options.rounds)


KINDS = ("bulk", "interactive", "latency", "idle", "stalled")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--ws", default="websockets-sansio", help="uvicorn's; another shows the plain message loop")
    options = parser.parse_args()
    heading("Relay of consoles")
    print(f"{'':48} {'pharmq':>9} {'nginx':>9} {'ratio':>8}")
    with bench(options) as made:
        if "bulk" in options.only:
            made.bulk(options.megabytes)
        if "interactive" in options.only:
            made.interactive(options.sessions)
        if "latency" in options.only:
            made.latency(options.sessions)
        if "idle" in options.only:
            asyncio.run(made.idle(options.sessions))
        if "stalled" in options.only:
            asyncio.run(made.stalled())


if __name__ == "__main__":
    main()
