"""Faults by name, set on any host at any time.

A fault is only a name with parameters here; the place that plays it asks ``host.faults.get(name)``. Those that
change the world at the moment they are set (``vm_migrated`` ...) have a hook in ``pharmq_sim.mischief``.
"""

import asyncio
from collections.abc import Callable
from typing import Any

#: name -> what it does and its parameters (units in the parameter's name) with defaults
CATALOGUE: dict[str, str] = {
    "latency": "Every answer comes ms=400 later.",
    "jitter": "Every answer comes 0..ms=800 later, at random.",
    "stall": "Loss-like: with probability p=0.3 an answer waits s=3 before it is sent.",
    "hang": "Connections are accepted and never answered, not even the TLS hello.",
    "refused": "The listener is closed and connections are cut: connection refused.",
    "reset": "Each request is answered by a TCP reset.",
    "half_open": "Connections of the moment it is set stay open and silent; new ones work.",
    "blackhole": "VPN gone: SYNs are dropped and established connections fall silent.",
    "http_401": "Every request is 401 Authentication failed! after 3 s.",
    "http_403": "Every request behind authentication is 403.",
    "http_5xx": "Every request is status=500 reason='internal error' with a JSON body.",
    "595": "pvedaemon is down: protected paths answer 595 Connection refused at once.",
    "596_executed": "Writes are executed, their answer is 596 after 30 s.",
    "pmxcfs_down": "Every request is 500 Unable to load access control list, empty body.",
    "pvedaemon_hung": "Protected paths answer 596 after 30 s; what they ask runs when the fault ends.",
    "agent_starvation": "No guest agent answers any more: each question blocks one of 3 workers for 3 s.",
    "config_lock": "Every configuration lock (or only vmid=N) is held for s=30.",
    "changed_certificate": "Another certificate than before.",
    "clock_skew": "The host's clock runs s=600 ahead (negative: behind).",
    "garbage_json": "Answers are bytes that are not JSON, with status 200.",
    "huge_json": "Answers are 50 MB of JSON (mb=50).",
    "half_json": "The connection ends in the middle of the announced body.",
    "wrong_types": "Numbers come as objects, names as numbers.",
    "slow_rfb": "The first RFB byte comes s=20 after the upgrade.",
    "vm_migrated": "Guest vmid=N (the first by default) moves to another node (to='pve2').",
    "vmid_reused": "Guest vmid=N is deleted and another one gets its number.",
    "vm_stopped_during_console": "s=2 after a console was opened its guest is powered off.",
    "pvestatd_dead": "Nothing is published any more; after 300 s everything is unknown.",
    "credential_revoked": "Passwords, tickets and tokens are all refused.",
    "acl_lost": "Whoever asks has no privileges any more: empty lists with status 200.",
}

Params = dict[str, Any]


class UnknownFault(ValueError):
    """No such fault; the message lists those there are."""


class Faults:
    """``set("latency", ms=400)``, ``clear("latency")``, ``clear()``; ``get`` gives the parameters or None."""

    def __init__(self, on_change: Callable[[str, Params | None], None] | None = None) -> None:
        self._active: dict[str, Params] = {}
        self._cleared: dict[str, asyncio.Event] = {}
        self._on_change = on_change or (lambda _name, _params: None)

    def set(self, name: str, **params: Any) -> None:
        if name not in CATALOGUE:
            raise UnknownFault(f"no fault {name!r}; there are: {', '.join(sorted(CATALOGUE))}")
        self._active[name] = params
        self._cleared.setdefault(name, asyncio.Event())
        self._on_change(name, params)

    def clear(self, name: str | None = None) -> None:
        for gone in [name] if name is not None else list(self._active):
            if self._active.pop(gone, None) is not None:
                self._cleared.pop(gone).set()
                self._on_change(gone, None)

    def get(self, name: str) -> Params | None:
        return self._active.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._active

    def names(self) -> list[str]:
        return sorted(self._active)

    async def cleared(self, name: str) -> None:
        """Wait until ``name`` is not set any more."""
        while (event := self._cleared.get(name)) is not None:
            await event.wait()
