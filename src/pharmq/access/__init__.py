"""Who somebody is and what they may do."""

from pharmq.access.model import (
    EVERYTHING,
    SYSTEM,
    Actor,
    Grant,
    Privilege,
    Scope,
    allows,
    allows_anywhere,
    allows_everywhere,
    holds_all,
    narrowed,
    require,
    scope_of,
)
from pharmq.journal import Where, Who


def who(actor: Actor) -> Who:
    """The actor as the journal names it."""
    return Who(actor.kind, actor.id, actor.name, actor.source)


def where(scope: Scope) -> Where:
    """The scope as the journal keeps it."""
    return Where(tuple(sorted(scope.paths)), scope.pharmacy_id, scope.host_id, scope.vm_id)


__all__ = [
    "EVERYTHING",
    "SYSTEM",
    "Actor",
    "Grant",
    "Privilege",
    "Scope",
    "allows",
    "allows_anywhere",
    "allows_everywhere",
    "holds_all",
    "narrowed",
    "require",
    "scope_of",
    "where",
    "who",
]
