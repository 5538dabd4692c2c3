"""What schedules leave in the journal. What their jobs do stands there with ``params.cause`` (see ``jobs.events``)."""

from typing import Any

from pharmq.access import EVERYTHING, Actor, where, who
from pharmq.journal import Entry
from pharmq.journal.model import SYSTEM_WHO
from pharmq.schedules.model import Schedule


def edited(actor: Actor, what: str, schedule_id: int, name: str, act_id: str, **facts: Any) -> Entry:
    """``what``: added | changed | removed | paused | resumed."""
    params = {"schedule_id": schedule_id, "name": name, **facts}
    return Entry(kind=f"schedule.{what}", act_id=act_id, who=who(actor), where=where(EVERYTHING), params=params)


def happened(schedule: Schedule, what: str, **facts: Any) -> Entry:
    """``what``: ran | missed | skipped | failed."""
    params = {"schedule_id": schedule.id, "name": schedule.name, "verb": schedule.verb, **facts}
    return Entry(kind=f"schedule.{what}", who=SYSTEM_WHO, where=where(EVERYTHING), params=params)
