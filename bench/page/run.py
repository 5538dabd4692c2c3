"""A page of guests, search and the summary at 1,000 and 120,000 guests, through the real application, side by side.

    script/bench page [--rounds 7] [--hosts 24000]

Two processes, one for each fleet, asked in turns; nothing but PharmQ is needed. CPU of the whole process per request.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from inventory.words import WORDS
from kit import folder, heading, median, p, running, spread

HERE = Path(__file__).parent
REACH = 1.5
SEARCH_MS = 100
CASES = {
    "default": ("GET /api/vms", 60),
    "changed": ("... after 50 guests changed", 30),
    "anywhere": ("... at a random offset", 30),
    "type": ("... type=kiosk", 30),
    "status": ("... status=stopped&host_status=online", 30),
    "pharmacy": ("... pharmacy_id=N", 60),
    "q": ("... q=강남온누리 (1 % of them)", 20),
    "summary": ("GET /api/summary", 60),
    "words": ("GET /api/search, ten words", 10),
}


def ask(worker: "subprocess.Popen[str]", name: str, times: int) -> dict[str, list[float]]:
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(f"{name} {times}\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        sys.exit("a worker ended")
    answer: dict[str, list[float]] = json.loads(line)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--hosts", type=int, default=24_000)
    options = parser.parse_args()
    sizes = (200, options.hosts)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with folder() as directory:
        commands = [[sys.executable, str(HERE / "worker.py"), str(n), str(directory / str(n))] for n in sizes]
        with running(commands[0], **pipes) as small, running(commands[1], **pipes) as big:
            for worker in (small, big):
                assert worker.stdout
                if worker.stdout.readline().strip() != "ready":
                    sys.exit("a worker did not start")
            heading("CPU per request by the size of the fleet")
            print(f"{'CPU ms':44} {sizes[0] * 5:>9,} {sizes[1] * 5:>9,}   ratio              p95: CPU    wall")
            peaks = [0.0, 0.0]
            for name, (title, times) in CASES.items():
                found: list[list[float]] = [[], []]
                cpu: list[float] = []
                wall: list[float] = []
                turns: dict[int, list[float]] = {}
                for worker in (small, big):
                    ask(worker, name, 10)
                for _ in range(options.rounds):
                    for place, worker in enumerate((small, big)):
                        answer = ask(worker, name, times)
                        # words differ in cost: their round is their mean, the others' round its middle
                        mean = sum(answer["cpu"]) / times if name == "words" else median(answer["cpu"])
                        found[place].append(mean)
                        peaks[place] = float(answer["peak_mib"])  # type: ignore[arg-type]
                        if place:
                            cpu += answer["cpu"]
                            wall += answer["wall"]
                            for turn, value in enumerate(answer["cpu"]):
                                turns.setdefault(turn, []).append(value)
                ratios = [b / a for a, b in zip(*found, strict=True)]
                print(
                    f"{title:44} {median(found[0]):9.3f} {median(found[1]):9.3f}   {median(ratios):5.2f}x "
                    f"{f'({spread(ratios)})':14} {p(cpu, 95):7.2f} {p(wall, 95):7.2f}",
                    flush=True,
                )
                if name == "default":
                    kept = median(ratios) <= REACH
            slowest = max(turns, key=lambda turn: median(turns[turn]))
            worst = f"the slowest is {WORDS[slowest]}: {median(turns[slowest]):.1f} ms of CPU"
            print(f"search at {sizes[1] * 5:,} (reach: p95 < {SEARCH_MS} ms): p95 {p(cpu, 95):.1f} ms of CPU, ")
            print(f"  {p(wall, 95):.1f} ms on this machine, as busy as it is; {worst}")
            print(f"peak memory {peaks[0]:.0f} and {peaks[1]:.0f} MiB; reach of the default page <= {REACH}x: "
                  f"{'kept' if kept else 'missed'}")  # fmt: skip


if __name__ == "__main__":
    main()
