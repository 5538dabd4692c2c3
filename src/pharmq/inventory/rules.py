"""Small pure readings of what a host says: run states, tags, names, addresses, identity."""

import ipaddress
import re
from collections.abc import Iterable

from pharmq.inventory.model import Console, VmKind, VmStatus
from pharmq.pve import GuestConfig, Interface
from pharmq.settings import KIND_RULES, KindRule

# QMP run states (qapi/run-state.json), the words of LXC, and Proxmox's own. What is not listed is unknown to us.
_PAUSED = """paused suspended prelaunch inmigrate postmigrate finish-migrate save-vm restore-vm io-error
internal-error guest-panicked watchdog debug colo freezing frozen"""
_RUN_STATES: dict[str, VmStatus] = {
    "running": "running",
    "stopped": "stopped",
    "shutdown": "stopped",  # the guest has powered off, its QEMU is about to go
    **dict.fromkeys(_PAUSED.split(), "suspended"),
}


def status_of(run_state: str) -> VmStatus:
    """Our four words for any run state a host may report."""
    return _RUN_STATES.get(run_state.strip().lower(), "unknown")


# Characters that no database text, CSV or terminal should meet: C0 (NUL breaks PostgreSQL), DEL, lone surrogates.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(text: str | None, limit: int) -> str:
    """A host's text cut to what a column holds, without control characters."""
    return _UNPRINTABLE.sub("", text or "").strip()[:limit]


def bounded(value: float | None, limit: int = 2**31 - 1) -> int | None:
    """A host's number as a column can hold it; nonsense (negative, infinite) is no value."""
    if value is None or not 0 <= value <= limit:
        return None
    return int(value)


def split_tags(text: str | None) -> tuple[str, ...]:
    """PVE joins tags by ``;``, and accepts ``,`` and blanks when they are set."""
    found = (clean(tag, 64) for tag in re.split(r"[;,\s]+", text or ""))
    return tuple(dict.fromkeys(tag for tag in found if tag))[:64]


_TAGS: dict[str, VmKind] = {
    "kiosk": "kiosk",
    "키오스크": "kiosk",
    "pos": "pos",
    "포스": "pos",
    "server": "server",
    "서버": "server",
    "backup": "backup",
    "백업": "backup",
}


def _pattern(word: str) -> str:
    """``*`` is anything; a Latin end that meets none must not run on: "pos" is no part of "compose"."""
    parts = re.split(r"\*+", word.strip())
    before = "(?<![a-z])" if re.match(r"[a-z]", parts[0], re.IGNORECASE) else ""
    after = "(?![a-z])" if re.search(r"[a-z]$", parts[-1], re.IGNORECASE) else ""
    return before + ".*".join(re.escape(part) for part in parts if part) + after


class Kinds:
    """How a guest's kind follows from its tags (whole, any case), or from its name by the first rule that fits."""

    def __init__(self, rules: Iterable[KindRule] = KIND_RULES) -> None:
        self._names = [
            (rule.kind, re.compile("|".join(map(_pattern, rule.words)), re.IGNORECASE | re.DOTALL)) for rule in rules
        ]
        self._known: dict[str, VmKind | None] = {}

    def by_tags(self, tags: Iterable[str]) -> VmKind | None:
        for tag in tags:
            if (kind := _TAGS.get(tag.lower())) is not None:
                return kind
        return None

    def by_name(self, name: str) -> VmKind | None:
        # Fleets repeat a few names thousands of times.
        if name not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[name] = next((kind for kind, pattern in self._names if pattern.search(name)), None)
        return self._known[name]


def identity_of(config: GuestConfig) -> str | None:
    """What distinguishes this guest from a later one with its VMID: SMBIOS UUID and creation time."""
    if config.smbios_uuid is None and config.ctime is None:
        return None
    return f"{clean(config.smbios_uuid, 64).lower()}/{'' if config.ctime is None else config.ctime}"


def same_guest(before: str | None, after: str | None) -> bool:
    """Creation times decide where both are known (a UUID may be edited by hand), else the UUIDs; doubt means same."""
    if before is None or after is None:
        return True
    uuid, _, ctime = before.partition("/")
    other_uuid, _, other_ctime = after.partition("/")
    if ctime and other_ctime:
        return ctime == other_ctime
    return not (uuid and other_uuid) or uuid == other_uuid


def console_of(config: GuestConfig) -> Console:
    """``none``: the guest has no display we could show (``vga: none``, or a graphics card passed through to it)."""
    if (config.vga or "").split(",")[0].removeprefix("type=") == "none":
        return "none"
    passed = (value for key, value in config.raw.items() if key.startswith("hostpci"))
    return "none" if any("x-vga=1" in value or "x-vga=on" in value for value in passed) else "vnc"


_INNER_BRIDGES = ("docker", "br-", "veth", "virbr", "cni", "flannel", "tailscale", "wg", "tun", "lo")


def choose_address(interfaces: Iterable[Interface]) -> str | None:
    """The address an operator would type: IPv4 before IPv6, a network card before inner bridges and tunnels."""
    best: tuple[int, int] | None = None
    chosen = None
    for order, interface in enumerate(interfaces):
        for address in interface.addresses:
            try:
                ip = ipaddress.ip_address(address.ip.partition("%")[0])
            except ValueError:
                continue
            if ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
                continue
            rank = (2 * interface.name.lower().startswith(_INNER_BRIDGES) + (ip.version == 6), order)
            if best is None or rank < best:
                best, chosen = rank, str(ip)
    return chosen
