"""The Ed25519 key that signs the journal. Its private half is sealed: with the database alone nobody can sign."""

import base64
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import insert, select, update

from pharmq.audit.tables import journal_keys
from pharmq.base.clock import Clock
from pharmq.base.secret import Secret
from pharmq.db import Database, Tx
from pharmq.journal import Journal
from pharmq.vault import Vault

TABLE, COLUMN = "journal_keys", "private"


class SigningKeys:
    """A ``Signer``. Signatures are checked with keys made from the sealed halves: a public key that was put into the
    table by somebody else is never believed."""

    def __init__(self, keys: dict[int, Ed25519PrivateKey]) -> None:
        self._keys = keys
        self.key_id = max(keys)

    @property
    def name(self) -> str:
        """Sixteen hex digits that tell this journal from others."""
        first = self._keys[min(self._keys)].public_key()
        return first.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()[:16]

    def public(self, key_id: int) -> bytes | None:
        """The raw public half, for whoever checks a signature elsewhere."""
        key = self._keys.get(key_id)
        return None if key is None else key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    async def load(cls, db: Database, vault: Vault, clock: Clock) -> Self:
        """Read the keys; the first start makes one and signs the head with it. Raises VaultError."""
        async with db.transaction(durable=True) as tx:
            rows = list(await tx.conn.execute(select(journal_keys.c.id, journal_keys.c.private)))
            if rows:
                return cls({row.id: _opened(vault.open(row.private, TABLE, row.id, COLUMN)) for row in rows})
            keys = cls(dict([await _make(tx, vault, clock)]))
            journal = Journal(clock, keys)
            await journal.close(tx, await journal.lock(tx))
            return keys

    def sign(self, message: bytes) -> bytes:
        return self._keys[self.key_id].sign(message)

    def verify(self, key_id: int | None, message: bytes, signature: bytes | None) -> bool:
        key = None if key_id is None else self._keys.get(key_id)
        if key is None or signature is None:
            return False
        try:
            key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True


async def _make(tx: Tx, vault: Vault, clock: Clock) -> tuple[int, Ed25519PrivateKey]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    made = await tx.conn.execute(
        insert(journal_keys).values(public=public, private=b"", created_at=clock.now()).returning(journal_keys.c.id)
    )
    number = int(made.scalar_one())
    secret = Secret(base64.b64encode(key.private_bytes_raw()).decode())
    sealed = vault.seal(secret, TABLE, number, COLUMN)
    await tx.conn.execute(update(journal_keys).where(journal_keys.c.id == number).values(private=sealed))
    return number, key


def _opened(secret: Secret) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret.reveal()))
