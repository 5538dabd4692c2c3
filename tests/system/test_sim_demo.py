"""The demo as a person starts it: one line, real processes, and nothing left when it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

READY = re.compile(r"^PharmQ is ready: http://127\.0\.0\.1:(\d+)  login admin / (\S+)  token (\S+)$", re.MULTILINE)
ENDS_WITHIN = 5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(tmp_path: Path, port: int, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pharmq_sim", "demo", "--port", str(port), "--data-dir", str(tmp_path), *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "COLUMNS": "200"}
    )


def wait_ready(demo: "subprocess.Popen[str]") -> tuple[str, str, str]:
    assert demo.stdout is not None
    seen = ""
    for line in demo.stdout:
        seen += line
        if found := READY.search(seen):
            return found[1], found[2], found[3]
    raise AssertionError(seen)


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def end(demo: "subprocess.Popen[str]", how: signal.Signals) -> None:
    """End the demo and see that its children end too."""
    left = children(demo.pid)
    assert left
    demo.send_signal(how)
    demo.wait(ENDS_WITHIN)
    deadline = time.monotonic() + ENDS_WITHIN
    while not all(gone(pid) for pid in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(gone(pid) for pid in left)


def test_it_comes_up_comes_back_and_leaves_nothing(tmp_path: Path) -> None:
    port = free_port()
    lines = []
    for how, wanted in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)):
        demo = start(tmp_path, port, "--hosts", "2", "--faults", "none")
        try:
            lines.append(wait_ready(demo))
            end(demo, how)
        finally:
            demo.kill()
        assert demo.wait() == wanted
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    assert lines == [lines[0]] * 3


def test_a_port_in_use_is_said_before_anything_else_answers_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo = start(tmp_path, taken.getsockname()[1], "--hosts", "1", "--faults", "none")
        out, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "Choose another one with --port" in out
