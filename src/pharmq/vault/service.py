"""Envelope encryption: the master key seals data keys, a data key seals values, each bound to its place.

A sealed value opens only in the table, row and column it was sealed for; a copied cell does not open.
Layout: version (1 byte), data key id (8), nonce (12), AES-256-GCM ciphertext and tag.
"""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select

from pharmq.base.clock import Clock
from pharmq.base.errors import PharmqError
from pharmq.base.secret import Secret
from pharmq.db import Database
from pharmq.vault.tables import data_keys

_VERSION = 1
_NONCE = 12


class VaultError(PharmqError):
    """The key is missing, malformed, or not the one the data was sealed with."""


class MasterKey:
    """32 bytes from outside the database."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 32:
            raise VaultError("vault.key_malformed")
        self._cipher = AESGCM(raw)

    @classmethod
    def from_text(cls, text: str) -> "MasterKey":
        try:
            return cls(base64.b64decode(text.strip(), validate=True))
        except ValueError:
            raise VaultError("vault.key_malformed") from None

    @staticmethod
    def new_text() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    def seal(self, plain: bytes, context: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except InvalidTag:
            raise VaultError("vault.key_wrong") from None


def find_master_key(key_file: Path | None, environment: "os._Environ[str] | dict[str, str]") -> str | None:
    """The key's text from, in this order: ``PHARMQ_KEY``, a systemd credential, the file; None when there is none."""
    if value := environment.get("PHARMQ_KEY"):
        return value
    if (folder := environment.get("CREDENTIALS_DIRECTORY")) and (path := Path(folder) / "pharmq.key").exists():
        return path.read_text()
    if key_file is not None and key_file.exists():
        return key_file.read_text()
    return None


def create_key_file(path: Path) -> str:
    """Make a new master key readable by its owner only. Never overwrites."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = MasterKey.new_text()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return text


class Vault:
    """Seals and opens values. ``load`` reads the data keys once; the first start makes one."""

    def __init__(self, db: Database, master: MasterKey, clock: Clock) -> None:
        self.db = db
        self.master = master
        self.clock = clock
        self.reread: Callable[[], str | None] = lambda: None
        """The master key's text as it stands now: it may have been changed while we run."""
        self._ciphers: dict[int, AESGCM] = {}
        self._current = 0

    async def load(self) -> None:
        async with self.db.transaction(durable=True) as tx:
            rows = list(await tx.conn.execute(select(data_keys.c.id, data_keys.c.sealed).order_by(data_keys.c.id)))
            if not rows:
                raw = AESGCM.generate_key(256)
                sealed = self.master.seal(raw, b"data_keys")
                made = await tx.conn.execute(
                    insert(data_keys).values(sealed=sealed, created_at=self.clock.now()).returning(data_keys.c.id)
                )
                self._ciphers[made.scalar_one()] = AESGCM(raw)
            for number, sealed in rows:
                self._ciphers[number] = AESGCM(self.master.open(sealed, b"data_keys"))
        self._current = max(self._ciphers)

    async def refresh(self) -> None:
        """Learn data keys that another process has made, and seal with the newest from now on. Known ones stay: what
        is kept in memory may still be sealed with them."""
        async with self.db.read() as conn:
            rows = list(await conn.execute(select(data_keys.c.id, data_keys.c.sealed)))
        for number, sealed in rows:
            if number not in self._ciphers:
                self._ciphers[number] = AESGCM(self._opened(sealed))
        self._current = max(self._ciphers)

    def _opened(self, sealed: bytes) -> bytes:
        try:
            return self.master.open(sealed, b"data_keys")
        except VaultError:
            text = self.reread()
            if text is None:
                raise
            fresh = MasterKey.from_text(text)
            raw = fresh.open(sealed, b"data_keys")
            self.master = fresh
            return raw

    async def add_key(self) -> int:
        """A new data key, known to this process at once and to others with their next ``refresh``."""
        raw = AESGCM.generate_key(256)
        async with self.db.transaction(durable=True) as tx:
            values = {"sealed": self.master.seal(raw, b"data_keys"), "created_at": self.clock.now()}
            made = await tx.conn.execute(insert(data_keys).values(**values).returning(data_keys.c.id))
            number = int(made.scalar_one())
        self._ciphers[number] = AESGCM(raw)
        self._current = number
        return number

    @property
    def current(self) -> int:
        """The data key that new values are sealed with."""
        return self._current

    def seal(self, value: Secret, table: str, row: int, column: str) -> bytes:
        """Seal for one cell; the row's id must already be known."""
        nonce = secrets.token_bytes(_NONCE)
        head = bytes([_VERSION]) + self._current.to_bytes(8, "big")
        body = self._ciphers[self._current].encrypt(nonce, value.reveal().encode(), head + _place(table, row, column))
        return head + nonce + body

    def open(self, sealed: bytes, table: str, row: int, column: str) -> Secret:
        head, nonce, body = sealed[:9], sealed[9 : 9 + _NONCE], sealed[9 + _NONCE :]
        cipher = self._ciphers.get(int.from_bytes(head[1:], "big"))
        if cipher is None or not head or head[0] != _VERSION:
            raise VaultError("vault.sealed_unknown", params={"table": table, "row": row})
        try:
            return Secret(cipher.decrypt(nonce, body, head + _place(table, row, column)).decode())
        except InvalidTag:
            raise VaultError("vault.sealed_unknown", params={"table": table, "row": row}) from None


def key_of(sealed: bytes) -> int:
    """The data key that a value is sealed with."""
    return int.from_bytes(sealed[1:9], "big")


def _place(table: str, row: int, column: str) -> bytes:
    return f"{table}/{row}/{column}".encode()
