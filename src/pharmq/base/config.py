"""How one process was started: command line and environment. What may change at run time is in ``settings``."""

import os
from pathlib import Path

import msgspec


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """``public_url`` is where browsers reach us (origin checks, links); ``trusted_proxies`` are addresses or
    networks whose X-Forwarded-* headers are believed; TLS is on when both files are given."""

    data_dir: Path
    database_url: str
    key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8420
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    log_level: str = "info"

    @property
    def origin(self) -> str:
        """The origin that browsers of this installation use."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://{self.host}:{self.port}"

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https://")


def default_data_dir() -> Path:
    """``PHARMQ_DATA_DIR``, systemd's StateDirectory, or the user's data directory."""
    for name in ("PHARMQ_DATA_DIR", "STATE_DIRECTORY"):
        if value := os.environ.get(name):
            return Path(value)
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "pharmq"


def sqlite_url(data_dir: Path) -> str:
    return f"sqlite+aiosqlite:///{data_dir / 'pharmq.db'}"


def async_url(url: str) -> str:
    """Accept the URLs people write (``postgresql://``, ``postgres://``, ``sqlite:///``) and name our drivers."""
    for plain, driver in (
        ("postgresql://", "postgresql+asyncpg://"),
        ("postgres://", "postgresql+asyncpg://"),
        ("sqlite:///", "sqlite+aiosqlite:///"),
    ):
        if url.startswith(plain):
            return driver + url.removeprefix(plain)
    return url
