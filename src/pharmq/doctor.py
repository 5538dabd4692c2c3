"""What is wrong with an installation, in words, with what to do. Reads only; changes nothing."""

import os
import shutil
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from pharmq.access.tables import users
from pharmq.base.clock import SystemClock
from pharmq.base.config import Config
from pharmq.base.errors import PharmqError
from pharmq.base.messages import render
from pharmq.db import Database
from pharmq.db.migrate import is_current
from pharmq.hosts.tables import proxmox_hosts
from pharmq.vault import MasterKey, Vault, find_master_key
from pharmq.web.static_files import UiFiles

Result = Literal["ok", "warning", "failed"]
FREE_SPACE = 1024**3


class Finding(msgspec.Struct, frozen=True):
    result: Result
    what: str
    remedy: str = ""


async def examine(config: Config) -> list[Finding]:
    """Every finding, good ones too, in the order in which they matter."""
    findings = [_data_dir(config), _space(config), _ui(), *_address(config)]
    if config.tls_certificate:
        findings.append(_tls(config))
    if not config.data_dir.is_dir():
        return findings
    database_file = config.data_dir / "pharmq.db"
    if config.database_url.startswith("sqlite") and not database_file.exists():
        findings.append(Finding("warning", "There is no database yet.", "Start `pharmq serve` once."))
        return findings
    db = Database(config.database_url)
    try:
        findings += await _database(config, db)
    except (SQLAlchemyError, OSError) as error:
        findings.append(
            Finding("failed", f"The database does not answer: {error}", "Check --database-url and that it runs.")
        )
    finally:
        await db.close()
    return findings


def _data_dir(config: Config) -> Finding:
    folder = config.data_dir
    if not folder.is_dir():
        return Finding(
            "failed", f"The data directory {folder} does not exist.", "Start `pharmq serve` once, or give --data-dir."
        )
    if not os.access(folder, os.W_OK):
        return Finding(
            "failed", f"The data directory {folder} cannot be written.", "Give it to the user that runs PharmQ."
        )
    if folder.stat().st_mode & 0o007:
        return Finding("warning", f"Everybody on this machine can enter {folder}.", f"chmod 700 {folder}")
    return Finding("ok", f"Data directory {folder}")


def _space(config: Config) -> Finding:
    folder = config.data_dir if config.data_dir.is_dir() else config.data_dir.anchor
    free = shutil.disk_usage(folder).free
    if free < FREE_SPACE:
        return Finding("failed", f"Only {free // 1024**2} MiB are free.", "Make room: a full disk stops every act.")
    return Finding("ok", f"{free // 1024**3} GiB free")


def _ui() -> Finding:
    if UiFiles().built:
        return Finding("ok", "The browser UI is installed")
    return Finding(
        "failed", "The browser UI is missing from this installation.", "Install the wheel again; it builds the UI."
    )


def _address(config: Config) -> list[Finding]:
    if config.public_url is None:
        return [
            Finding(
                "warning", "public_url is not set.", "Set PHARMQ_PUBLIC_URL if browsers reach PharmQ by another name."
            )
        ]
    url = urlsplit(config.public_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        return [
            Finding(
                "failed",
                f"public_url is not an address: {config.public_url}",
                "Write it like https://pharmq.example.kr",
            )
        ]
    if url.path not in ("", "/"):
        return [
            Finding(
                "failed", "public_url has a path; PharmQ lives at the root of its name.", "Give it a name of its own."
            )
        ]
    if url.scheme == "http" and url.hostname not in ("localhost", "127.0.0.1", "::1"):
        return [
            Finding(
                "warning",
                "public_url is not https: passwords cross the network in the clear.",
                "Put TLS in front, or give --tls-certificate.",
            )
        ]
    return [Finding("ok", f"public_url {config.public_url}")]


def _tls(config: Config) -> Finding:
    if config.tls_certificate is None:
        return Finding("ok", "TLS is left to a proxy")
    try:
        leaf = x509.load_pem_x509_certificates(config.tls_certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        return Finding("failed", f"The TLS certificate cannot be read: {error}", "Give a PEM file, leaf first.")
    days = (leaf.not_valid_after_utc - datetime.now(UTC)).days
    if days < 0:
        return Finding("failed", "The TLS certificate has expired.", "Renew it.")
    return Finding("warning" if days < 14 else "ok", f"The TLS certificate ends in {days} days")


async def _database(config: Config, db: Database) -> list[Finding]:
    findings: list[Finding] = []
    if not await is_current(db):
        return [
            Finding(
                "failed",
                "The database has another version's tables.",
                "Start `pharmq serve` of this version once; if it calls the database newer, install that version.",
            )
        ]
    findings.append(Finding("ok", "Database answers and is up to date"))
    findings.append(await _key(config, db))
    async with db.read() as conn:
        people = int(await conn.scalar(select(func.count()).select_from(users)) or 0)
        states = list(
            await conn.execute(
                select(proxmox_hosts.c.status, proxmox_hosts.c.reason, func.count()).group_by(
                    proxmox_hosts.c.status, proxmox_hosts.c.reason
                )
            )
        )
    if people == 0:
        findings.append(
            Finding("warning", "There is no administrator.", "Start `pharmq serve` and open the link it prints.")
        )
    else:
        findings.append(Finding("ok", f"{people} user(s)"))
    for status, reason, count in states:
        if status == "offline":
            findings.append(Finding("warning", f"{count} host(s) offline: {reason}", "See the page 호스트 (hosts)."))
        else:
            findings.append(Finding("ok", f"{count} host(s) {status}"))
    return findings


async def _key(config: Config, db: Database) -> Finding:
    text = find_master_key(config.key_file, os.environ)
    if text is None:
        return Finding("failed", f"The master key is missing at {config.key_file}.", "Restore it from your backup.")
    try:
        await Vault(db, MasterKey.from_text(text), SystemClock()).load()
    except PharmqError as error:
        message = render(error.code, error.params, "en")
        return Finding("failed", f"{message.title} {message.why}", message.remedy)
    if config.key_file and config.key_file.exists() and config.key_file.is_relative_to(config.data_dir):
        return Finding(
            "warning",
            "The master key lies in the data directory: a copy of one is a copy of both.",
            "Move it and set PHARMQ_KEY_FILE.",
        )
    return Finding("ok", "The master key opens the vault")
