"""What is wrong with an installation, in codes of the catalogue. Reads only; changes nothing."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from pharmq.access.tables import users
from pharmq.base.clock import SystemClock
from pharmq.base.config import Config
from pharmq.base.errors import Params, PharmqError
from pharmq.base.messages import Language, Message, render
from pharmq.db import Database
from pharmq.db.migrate import is_current
from pharmq.hosts.tables import proxmox_hosts
from pharmq.vault import MasterKey, Vault, find_master_key
from pharmq.web.static_files import UiFiles

Result = Literal["ok", "warning", "failed"]
FREE_SPACE = 1024**3


class Finding(msgspec.Struct, frozen=True):
    """``cause`` is the code that explains it better than its own sentences do."""

    result: Result
    code: str
    params: Params = {}
    cause: str | None = None

    def message(self, language: Language) -> Message:
        own = render(self.code, self.params, language)
        if self.cause is None:
            return own
        cause = render(self.cause, {}, language)
        return Message(title=own.title, why=cause.title, remedy=cause.remedy)


async def examine(config: Config) -> list[Finding]:
    """Every finding, good ones too, in the order in which they matter."""
    findings = [_data_dir(config), _space(config), _ui(), _address(config)]
    if config.tls_certificate:
        findings.append(_tls(config.tls_certificate))
    if not config.data_dir.is_dir():
        return findings
    database_file = config.data_dir / "pharmq.db"
    if config.database_url.startswith("sqlite") and not database_file.exists():
        findings.append(Finding("warning", "doctor.no_database", {"path": str(database_file)}))
        return findings
    db = Database(config.database_url)
    try:
        findings += await _database(config, db)
    except (SQLAlchemyError, OSError) as error:
        findings.append(Finding("failed", "doctor.database_silent", {"detail": str(error)}))
    finally:
        await db.close()
    return findings


def _data_dir(config: Config) -> Finding:
    folder = config.data_dir
    params = {"path": str(folder)}
    if not folder.is_dir():
        return Finding("failed", "doctor.data_dir_missing", params)
    if not os.access(folder, os.W_OK):
        return Finding("failed", "doctor.data_dir_read_only", params)
    if folder.stat().st_mode & 0o007:
        return Finding("warning", "doctor.data_dir_open", params)
    return Finding("ok", "doctor.data_dir", params)


def _space(config: Config) -> Finding:
    folder = config.data_dir if config.data_dir.is_dir() else config.data_dir.anchor
    free = shutil.disk_usage(folder).free
    if free < FREE_SPACE:
        return Finding("failed", "doctor.space_short", {"free": free // 1024**2})
    return Finding("ok", "doctor.space", {"free": free // 1024**3})


def _ui() -> Finding:
    return Finding("ok", "doctor.ui") if UiFiles().built else Finding("failed", "doctor.ui_missing")


def _address(config: Config) -> Finding:
    if config.public_url is None:
        return Finding("warning", "doctor.url_unset")
    params = {"url": config.public_url}
    url = urlsplit(config.public_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        return Finding("failed", "doctor.url_malformed", params)
    if url.path not in ("", "/"):
        return Finding("failed", "doctor.url_path", params)
    if url.scheme == "http" and url.hostname not in ("localhost", "127.0.0.1", "::1"):
        return Finding("warning", "doctor.url_in_clear", params)
    return Finding("ok", "doctor.url", params)


def _tls(certificate: Path) -> Finding:
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        return Finding("failed", "doctor.tls_unreadable", {"path": str(certificate), "detail": str(error)})
    days = (leaf.not_valid_after_utc - datetime.now(UTC)).days
    params: Params = {"path": str(certificate), "days": days}
    if days < 0:
        return Finding("failed", "doctor.tls_expired", params)
    return Finding("warning", "doctor.tls_ends", params) if days < 14 else Finding("ok", "doctor.tls", params)


async def _database(config: Config, db: Database) -> list[Finding]:
    if not await is_current(db):
        return [Finding("failed", "doctor.database_other_version")]
    findings = [Finding("ok", "doctor.database"), await _key(config, db)]
    async with db.read() as conn:
        people = int(await conn.scalar(select(func.count()).select_from(users)) or 0)
        states = list(
            await conn.execute(
                select(proxmox_hosts.c.status, proxmox_hosts.c.reason, func.count()).group_by(
                    proxmox_hosts.c.status, proxmox_hosts.c.reason
                )
            )
        )
    findings.append(
        Finding("ok", "doctor.users", {"count": people}) if people else Finding("warning", "doctor.no_administrator")
    )
    for status, reason, count in states:
        if status == "offline":
            findings.append(Finding("warning", "doctor.hosts_offline", {"count": count}, reason and f"host.{reason}"))
        else:
            findings.append(Finding("ok", f"doctor.hosts_{status}", {"count": count}))
    return findings


async def _key(config: Config, db: Database) -> Finding:
    text = find_master_key(config.key_file, os.environ)
    params = {"path": str(config.key_file)}
    if text is None:
        return Finding("failed", "vault.key_missing", params)
    try:
        await Vault(db, MasterKey.from_text(text), SystemClock()).load()
    except PharmqError as error:
        return Finding("failed", error.code, error.params)
    if config.key_file and config.key_file.exists() and config.key_file.is_relative_to(config.data_dir):
        return Finding("warning", "doctor.key_beside_data", params)
    return Finding("ok", "doctor.key")
