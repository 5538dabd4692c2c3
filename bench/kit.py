"""What the benches share: processes that end with us, CPU time of others, medians, tables."""

import ctypes
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from relay.parts import certificate, children
from relay.parts import cpu_seconds as cpu_seconds
from relay.parts import rss_kib as rss_kib

ROOT = Path(__file__).parent.parent
PR_SET_PDEATHSIG = 1

# pveproxy's headers. keepalive_timeout 0: each poll of ours comes after pveproxy has closed the idle connection, so
# each one of everybody's connects afresh.
_NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
  uwsgi_temp_path {dir}; scgi_temp_path {dir}; keepalive_timeout 0; server_tokens off;
  server {{ listen 127.0.0.1:{port} ssl backlog=512; ssl_certificate {dir}/leaf.pem; ssl_certificate_key {dir}/leaf.key;
    ssl_protocols TLSv1.2 TLSv1.3; default_type "application/json;charset=UTF-8";
    location / {{ root {dir}; add_header Cache-Control max-age=0; add_header Pragma no-cache; etag off; }} }} }}
"""


def _end(_number: int, _frame: object) -> None:
    sys.exit(143)


# Ended from outside, a bench ends its processes and removes its directories as after any error.
signal.signal(signal.SIGTERM, _end)


def find(program: str, package: str) -> str:
    """Path of a program, or the end with what to install."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/bin")
    if found is None:
        sys.exit(f"{program} is missing: apt-get install {package}")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")


@contextmanager
def folder() -> Iterator[Path]:
    """A directory that nginx's worker may read too, gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="pharmq-bench-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def die_with_parent() -> None:
    """For a child before exec: if we are killed, however that comes, nothing stays behind."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def running(command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A process of ours, ended by its own id when the block ends, or when we die."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "bench"), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(  # type: ignore[call-overload]
        command, text=True, preexec_fn=die_with_parent, env=environment, **options
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def nginx_tls(directory: Path) -> Iterator[int]:
    """nginx with an RSA-2048 certificate, as Proxmox has, serving ``directory``; gives its port."""
    certificate(directory)
    (directory / "leaf.key").chmod(0o644)
    port = free_port()
    (directory / "nginx.conf").write_text(_NGINX.format(dir=directory, port=port))
    nginx = find("nginx", "nginx")
    with running([nginx, "-c", str(directory / "nginx.conf"), "-p", str(directory)]):
        wait_for(port)
        yield port


def pss_mib(pid: int) -> float:
    """Memory of a process and its children, shared pages by share, in MiB."""
    total = 0
    for one in [pid, *children(pid)]:
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p(values: Sequence[float], percent: float) -> float:
    """The value that ``percent`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def spread(values: Sequence[float]) -> str:
    """Lowest to highest round, so that a disturbed run shows."""
    return f"{min(values):.3g}-{max(values):.3g}"


def heading(title: str) -> None:
    """What is measured, and how busy the machine was with other things."""
    load = os.getloadavg()[0]
    print(f"== {title}   [{os.cpu_count()} cores, load {load:.1f}]", flush=True)
