"""argon2id off the event loop, two at a time: each takes 64 MB and a core for a moment."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pharmq.base.ids import new_token
from pharmq.base.secret import Secret


class Passwords:
    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(2)

    async def hash(self, password: Secret) -> str:
        async with self._turns:
            return await asyncio.to_thread(PasswordHasher().hash, password.reveal())

    async def verify(self, password_hash: str | None, password: Secret) -> bool:
        """False after the same work where there is no hash, so that names cannot be told by the time it takes."""
        async with self._turns:
            good = await asyncio.to_thread(_matches, password_hash or _nobody(), password.reveal())
        return good and bool(password_hash)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return PasswordHasher().hash(new_token())
