"""Identifiers that are not database rows: acts, one-time sessions, tokens."""

import secrets
from datetime import datetime

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_act_id(now: datetime) -> str:
    """A ULID: 26 characters, sortable by time, 80 random bits. One act has one, on its request and outcome rows."""
    value = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)
