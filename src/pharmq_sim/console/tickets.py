"""VNC tickets and passwords. What they are bound to, and for how long, is Proxmox's; the signature is our own."""

import base64
import hashlib
import hmac
import random
import re

#: a ticket is good from 20 s before its time stamp to 40 s after it (pve-access-control, AccessControl.pm:553)
EARLIEST_S, LATEST_S = -20, 40

#: passwords use the 64 characters from "!" to "`", so a ticket may hold % & + # ? and must be percent-encoded
_ALPHABET = "".join(map(chr, range(0x21, 0x61)))
_SHAPE = re.compile(r"(?:.{8}:)?PVEVNC:([0-9A-F]{8})::(.+)", re.DOTALL)


def new_password(rng: random.Random) -> str:
    """Eight characters, all that VNC authentication can use."""
    return "".join(rng.choices(_ALPHABET, k=8))


def new_ticket(key: str, authid: str, path: str, port: int | None, at: int) -> str:
    """``PVEVNC:<hex seconds>::<signature>`` for ``path`` (``/vms/100``); ``port`` None = not bound to a port."""
    return f"PVEVNC:{at:08X}::{_signature(key, authid, path, port, at)}"


def is_valid(key: str, ticket: str, authid: str, path: str, port: int | None, now: float) -> bool:
    """Whether ``ticket`` (with or without its ``<password>:`` prefix) was given for exactly this, lately enough."""
    shape = _SHAPE.fullmatch(ticket)
    if shape is None:
        return False
    at = int(shape[1], 16)
    if not EARLIEST_S < now - at < LATEST_S:
        return False
    return hmac.compare_digest(shape[2].encode(), _signature(key, authid, path, port, at).encode())


def _signature(key: str, authid: str, path: str, port: int | None, at: int) -> str:
    # As long as the RSA signature that stands here in reality: clients must cope with the length and with + / =.
    secret = f"{key}\0{authid}:{path}" + ("" if port is None else f":{port}") + f"\0{at}"
    return base64.b64encode(hashlib.shake_256(secret.encode()).digest(256)).decode()
