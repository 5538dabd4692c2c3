"""CPU per poll of proxmoxer with its usual backend (requests), in a process of its own: ``theirs.py PORT GUESTS
POLLS``. The library, its session and its token are made once; the certificate is not checked (``verify_ssl=False``,
as everybody uses it with self-signed hosts), so it does less than we do."""

import json
import resource
import sys
import warnings

from proxmoxer import ProxmoxAPI

SECRET = "00000000-0000-4000-8000-000000000000"
warnings.simplefilter("ignore")


def cpu_us() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e6


def main() -> None:
    port, guests, polls = (int(word) for word in sys.argv[1:4])
    api = ProxmoxAPI("127.0.0.1", port=port, user="root@pam", token_name="bench", token_value=SECRET, verify_ssl=False)
    for _ in range(3):
        seen = api.cluster.resources.get()
    if sum(row["type"] == "qemu" for row in seen) != guests:
        sys.exit(f"{len(seen)} rows")
    before = cpu_us()
    for _ in range(polls):
        api.cluster.resources.get()
    print(json.dumps({"cpu_us": (cpu_us() - before) / polls}))


main()
