"""What ``pharmq doctor`` finds and says: three parts in both languages for whatever is not well."""

import re
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import insert
from typer.testing import CliRunner

import pharmq.doctor
from pharmq import cli
from pharmq.base.clock import ManualClock
from pharmq.base.config import Config
from pharmq.base.messages import LANGUAGES, Language, catalogue
from pharmq.db import Database
from pharmq.doctor import Finding, examine
from pharmq.hosts.tables import pharmacies, proxmox_hosts
from pharmq.vault import MasterKey, Vault

FOUND = re.compile(r'Finding\("(ok|warning|failed)", "([a-z_.]+)"')
STATES = {"doctor.hosts_online", "doctor.hosts_maintenance"}


def results() -> dict[str, str]:
    source = Path(pharmq.doctor.__file__).read_text()
    return {code: result for result, code in FOUND.findall(source)} | dict.fromkeys(STATES, "ok")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_not_well_has_three_parts(language: Language) -> None:
    messages = catalogue(language)
    assert len(results()) > 25
    for code, result in results().items():
        message = messages[code]
        assert bool(message.why) == bool(message.remedy) == (result != "ok"), code
    assert {code for code in messages if code.startswith("doctor.")} == results().keys() - {"vault.key_missing"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    tmp_path.chmod(0o700)
    return Config(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'pharmq.db'}", public_url="https://x.kr")


def bad(findings: list[Finding]) -> dict[str, str]:
    return {finding.code: finding.result for finding in findings if finding.result != "ok"}


async def test_an_installation_that_never_ran(config: Config) -> None:
    assert (await examine(config))[-1] == Finding(
        "warning", "doctor.no_database", {"path": str(config.data_dir / "pharmq.db")}
    )


async def test_offline_hosts_are_told_with_the_cause_that_the_screen_names(
    config: Config, db: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = MasterKey.new_text()
    monkeypatch.setenv("PHARMQ_KEY", key)
    vault = Vault(db, MasterKey.from_text(key), clock)
    await vault.load()
    async with db.transaction() as tx:
        now = {"created_at": clock.now(), "updated_at": clock.now()}
        await tx.conn.execute(
            insert(pharmacies).values(pharmacy_id=1, code="P-1", name="강남약국", hours={}, closing_days=[], **now)
        )
        await tx.conn.execute(
            insert(proxmox_hosts).values(
                pharmacy_id=1,
                pharmacy_name="강남약국",
                host_ip="10.0.0.1",
                addresses=[],
                host_port=8006,
                credential_kind="password",
                username="root@pam",
                status="offline",
                reason="need_tfa",
                **now,
            )
        )
    findings = {finding.code: finding for finding in await examine(config)}
    assert bad(list(findings.values())) == {
        "doctor.no_administrator": "warning",
        "doctor.hosts_offline": "warning",
    }
    message = findings["doctor.hosts_offline"].message("ko")
    assert message.title == "오프라인 호스트 1대"
    assert message.why == catalogue("ko")["host.need_tfa"].title
    assert message.remedy == catalogue("ko")["host.need_tfa"].remedy


@pytest.mark.parametrize(
    ("options", "environment", "said", "unsaid"),
    [
        ([], {}, "does not exist", "없습니다"),
        ([], {"LANG": "ko_KR.UTF-8"}, "없습니다", "does not exist"),
        (["--lang", "en"], {"LC_ALL": "ko_KR.UTF-8"}, "does not exist", "없습니다"),
        (["--lang", "ko"], {"LANG": "en_US.UTF-8"}, "없습니다", "does not exist"),
    ],
)
def test_the_language_is_asked_for_or_the_terminals(
    tmp_path: Path,
    options: list[str],
    environment: dict[str, str],
    said: str,
    unsaid: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "out", Console(width=300, highlight=False))
    terminal = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "", **environment}
    ran = CliRunner().invoke(cli.app, ["doctor", "--data-dir", str(tmp_path / "[no]"), *options], env=terminal)
    assert ran.exit_code == 1
    assert ran.output.startswith("failed ")
    assert said in ran.output
    assert unsaid not in ran.output
    assert "[no]" in ran.output
