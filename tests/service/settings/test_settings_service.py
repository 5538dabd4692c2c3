"""Settings: kept whole over a restart, told to listeners, refused with the field that is wrong."""

import msgspec
import pytest

from pharmq.base.clock import ManualClock
from pharmq.base.errors import Invalid
from pharmq.db import Database
from pharmq.journal import Journal, Who
from pharmq.settings import KIND_RULES, KindRule, RuntimeSettings, SettingsService

ADMINISTRATOR = Who(kind="user", id=1, name="admin")


@pytest.fixture
def service(db: Database, journal: Journal, clock: ManualClock) -> SettingsService:
    return SettingsService(db, journal, clock)


async def test_kind_rules_are_kept_told_and_written_down(
    service: SettingsService, db: Database, journal: Journal, clock: ManualClock
) -> None:
    heard: list[RuntimeSettings] = []
    service.listen(heard.append)
    rules = (KindRule("pos", ("till", "계산*대")), *KIND_RULES)
    wanted = RuntimeSettings(kind_rules=rules, purge_missing_days=90)
    assert await service.change(ADMINISTRATOR, wanted) == wanted
    assert heard == [wanted]
    again = SettingsService(db, journal, clock)
    await again.load()
    assert again.current == wanted
    async with db.read() as conn:
        [row] = await journal.read(conn, 0)
    assert row.kind == "settings.changed"
    assert set(row.params) == {"kind_rules", "purge_missing_days"}
    assert row.params["kind_rules"]["to"][0] == {"kind": "pos", "words": ["till", "계산*대"]}
    await again.change(ADMINISTRATOR, msgspec.structs.replace(wanted, kind_rules=KIND_RULES))
    await service.load()
    assert service.current == RuntimeSettings(purge_missing_days=90)


@pytest.mark.parametrize("word", ["*", "**", " ", "a*b*c*d*e*f", "po\x00s", "po\ns"])
async def test_a_word_that_cannot_be_used_is_named(service: SettingsService, word: str) -> None:
    wanted = RuntimeSettings(kind_rules=(KindRule("pos", ("till", word)),))
    with pytest.raises(Invalid) as caught:
        await service.change(ADMINISTRATOR, wanted)
    [wrong] = caught.value.fields["kind_rules"]
    assert (wrong.code, wrong.params["text"]) == ("settings.kind_word_malformed", word)
    assert service.current == RuntimeSettings()
