"""One-time codes (TOTP, RFC 6238) and recovery codes. Pure; the key is handed in."""

import base64
import hashlib
import hmac
import io
import secrets
from datetime import datetime

import pyotp
import segno

from pharmq.base.secret import Secret

ISSUER = "PharmQ"
STEP_S = 30
DRIFT_STEPS = 1
"""Phones may be half a minute off."""
RECOVERY_CODES = 10


def new_key() -> Secret:
    return Secret(pyotp.random_base32(32))


def uri_of(key: Secret, account: str) -> str:
    """What an authenticator app reads from the picture."""
    return pyotp.TOTP(key.reveal()).provisioning_uri(name=account, issuer_name=ISSUER)


def picture_of(uri: str) -> str:
    """A QR code as an SVG document."""
    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        out, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False
    )
    return out.getvalue().decode()


def step_of(key: Secret, code: str, now: datetime) -> int | None:
    """The time step whose code this is; None when it is none of those that may be typed now."""
    totp = pyotp.TOTP(key.reveal())
    current = int(now.timestamp()) // STEP_S
    typed = normal(code)
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed.encode()):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """80 random bits each, so that a plain hash is enough to keep them."""
    return ["-".join(_groups(base64.b32encode(secrets.token_bytes(10)).decode())) for _ in range(RECOVERY_CODES)]


def _groups(text: str) -> list[str]:
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def normal(code: str) -> str:
    """As people type it: spaces, dashes and case do not matter."""
    return "".join(letter for letter in code.upper() if letter.isascii() and letter.isalnum())


def recovery_hash(code: str) -> str:
    return hashlib.sha256(b"recovery:" + normal(code).encode()).hexdigest()
