"""Reading what people type as a host's address. Pure."""

import ipaddress
import re
from typing import NamedTuple

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class Place(NamedTuple):
    """``port`` is None when none was written."""

    address: str
    port: int | None


def parse(text: str) -> Place:
    """An IPv4, IPv6 or DNS name, with or without a port, or the whole address line of a browser. Raises ValueError."""
    plain = re.sub(r"^https?://", "", text.strip(), flags=re.IGNORECASE).partition("/")[0]
    port: int | None = None
    if plain.startswith("["):
        plain, bracket, tail = plain[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise ValueError("not an address")
        port = _port(tail[1:]) if tail else None
    elif plain.count(":") == 1:
        plain, _, tail = plain.partition(":")
        port = _port(tail)
    try:
        return Place(str(ipaddress.ip_address(plain)), port)
    except ValueError:
        return Place(_name(plain), port)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError("not a port")
    return int(text)


def _name(text: str) -> str:
    name = text.rstrip(".").lower()
    if not name.isascii():
        # Raises UnicodeError, a ValueError, for what cannot be a name.
        name = name.encode("idna").decode()
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("not a host name")
    if labels[-1].isdecimal():
        # 10.0.0.300 and the like: a mistyped address, never a name.
        raise ValueError("not an address")
    return name
