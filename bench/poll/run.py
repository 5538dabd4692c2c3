"""CPU per poll of one host: our client, a bare C/OpenSSL loop, proxmoxer, against the same TLS server in one run.

    script/bench poll [--rounds 7] [--polls 400]

Needs nginx, gcc, libssl-dev. Everybody connects afresh for each poll, as one must every 10 s: pveproxy closes an idle
connection after 5 s. Only the CPU of the asking process counts (getrusage, imports and warm-up left out).
"""

import argparse
import json
import ssl
import subprocess
import sys
from pathlib import Path

from kit import find, folder, heading, median, nginx_tls, spread

from pharmq.pve.wire import fingerprint

HERE = Path(__file__).parent
PATH = "/api2/json/cluster/resources"
REACH_BARE, REACH_PROXMOXER = 2.5, 15.0


def body(guests: int) -> str:
    """An answer of GET /cluster/resources as PVE 9.2 gives it: so many guests, the node, two storages, the zone."""
    rows: list[dict[str, object]] = [
        {
            "tags": "pos" if vmid % 2 else "kiosk;front", "vmid": vmid, "template": 0, "netout": 8217364511 + vmid,
            "memhost": 2218344448, "status": "running" if vmid % 6 else "stopped", "netin": 91827364501, "type": "qemu",
            "maxmem": 8589934592, "disk": 0, "maxdisk": 128849018880, "cpu": 0.244542860541257 / (1 + vmid % 9),
            "uptime": 115700 + vmid, "diskread": 918273645, "maxcpu": 4, "diskwrite": 827364509, "mem": 4294967296,
            "id": f"qemu/{vmid}", "name": f"POS-{vmid}", "node": "pve",
        }
        for vmid in range(100, 100 + guests)
    ]  # fmt: skip
    rows.append({"node": "pve", "cgroup-mode": 2, "uptime": 2708113, "cpu": 0.081321982974462, "level": "",
                 "maxdisk": 100861726720, "id": "node/pve", "mem": 13367149568, "maxcpu": 8, "type": "node",
                 "maxmem": 33554432000, "disk": 16308224000, "status": "online"})  # fmt: skip
    for storage in ("local", "local-lvm"):
        rows.append({"maxdisk": 412884901888, "content": "rootdir,images", "storage": storage, "status": "available",
                     "plugintype": "dir", "id": f"storage/pve/{storage}", "type": "storage", "node": "pve",
                     "shared": 0, "disk": 164429824000})  # fmt: skip
    rows.append({"network": "localnetwork", "network-type": "zone", "node": "pve", "type": "network",
                 "id": "network/pve/zone/localnetwork", "status": "ok"})  # fmt: skip
    return json.dumps({"data": rows}, separators=(",", ":"))


def measure(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        sys.exit(f"{command[:2]} failed: {done.stderr[-2000:]}")
    cpu: float = json.loads(done.stdout)["cpu_us"]
    return cpu


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--polls", type=int, default=400)
    options = parser.parse_args()
    gcc = find("gcc", "gcc libssl-dev")
    heading("CPU per host poll, connecting afresh")
    print(f"{'guests':>6} {'us: bare C':>12} {'pharmq':>10} {'proxmoxer':>10}   {'pharmq/bare':>20}   proxmoxer/pharmq")
    missed = False
    with folder() as directory:
        bare = str(directory / "bare")
        subprocess.run([gcc, "-O2", "-o", bare, str(HERE / "bare.c"), "-lssl", "-lcrypto"], check=True)
        place = directory / PATH.lstrip("/")
        place.parent.mkdir(parents=True)
        with nginx_tls(directory) as port:
            pin = fingerprint(ssl.PEM_cert_to_DER_cert((directory / "leaf.pem").read_text()))
            for guests in (5, 204):
                place.write_text(body(guests))
                few = max(20, options.polls // 8)
                commands = {
                    "bare": [bare, str(port), PATH, str(options.polls)],
                    "ours": [sys.executable, str(HERE / "ours.py"), str(port), str(guests), str(options.polls), pin],
                    "theirs": [sys.executable, str(HERE / "theirs.py"), str(port), str(guests), str(few)],
                }
                found: dict[str, list[float]] = {name: [] for name in commands}
                for _ in range(options.rounds):
                    for name, command in commands.items():
                        found[name].append(measure(command))
                # a ratio per round, of runs that stood beside each other: what disturbs the machine disturbs both
                ours = [a / b for a, b in zip(found["ours"], found["bare"], strict=True)]
                theirs = [a / b for a, b in zip(found["theirs"], found["ours"], strict=True)]
                middle = {name: median(values) for name, values in found.items()}
                missed |= median(ours) > REACH_BARE or median(theirs) < REACH_PROXMOXER
                print(
                    f"{guests:6} {middle['bare']:12.0f} {middle['ours']:10.0f} {middle['theirs']:10.0f}   "
                    f"{median(ours):8.2f}x ({spread(ours)}) {median(theirs):10.1f}x ({spread(theirs)})",
                    flush=True,
                )
    print(f"reach: <= {REACH_BARE}x bare, proxmoxer >= {REACH_PROXMOXER:g}x ours: {'missed' if missed else 'kept'}")


if __name__ == "__main__":
    main()
