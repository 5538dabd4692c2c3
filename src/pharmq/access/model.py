"""Who may do what, decided by a pure function over plain values.

A *scope* is an object together with all its ancestors, as paths; the room that owns the object builds it. A *grant*
is a path and the privileges held there; it reaches everything below. Nothing here touches a database.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

import msgspec

from pharmq.base.errors import Forbidden
from pharmq.base.messages import Language


class Privilege(StrEnum):
    SEE = "see"
    POWER = "power"
    SNAPSHOT = "snapshot"
    GUEST_EDIT = "guest.edit"
    CONSOLE_VIEW = "console.view"
    CONSOLE_CONTROL = "console.control"
    CONSOLE_TERMINAL = "console.terminal"
    NODE_SHELL = "node.shell"
    CONSOLE_CLIPBOARD = "console.clipboard"
    CONSOLE_SCREENSHOT = "console.screenshot"
    SESSION_KILL = "session.kill"
    HOST_EDIT = "host.edit"
    PHARMACY_EDIT = "pharmacy.edit"
    CREDENTIAL_EDIT = "credential.edit"
    SCHEDULE_EDIT = "schedule.edit"
    ALERT_EDIT = "alert.edit"
    EXPORT = "export"
    AUDIT_READ = "audit.read"
    ACCESS_EDIT = "access.edit"
    SETTINGS_EDIT = "settings.edit"


_CONSOLE = frozenset({Privilege.SEE, Privilege.CONSOLE_VIEW, Privilege.CONSOLE_CONTROL})
ADMINISTRATOR = "administrator"
ROLES: Mapping[str, frozenset[Privilege]] = {
    ADMINISTRATOR: frozenset(Privilege),
    "operator": _CONSOLE
    | {Privilege.POWER, Privilege.SNAPSHOT, Privilege.CONSOLE_CLIPBOARD, Privilege.CONSOLE_SCREENSHOT},
    "viewer": frozenset({Privilege.SEE}),
    "console-only": _CONSOLE,
    "auditor": frozenset({Privilege.SEE, Privilege.AUDIT_READ, Privilege.EXPORT}),
}
"""Built-in roles, by the key that grants name them with. Custom ones stand in the table ``roles``."""

PATH_PATTERN = r"^/(?:(?:group|pharmacy|host|vm)/[1-9][0-9]{0,17})?$"


class Scope(msgspec.Struct, frozen=True):
    """An object and all its ancestors: ``{"/", "/group/2", "/pharmacy/3", "/host/7", "/vm/12"}``.

    The ids beside it say what the object is, for the journal.
    """

    paths: frozenset[str]
    pharmacy_id: int | None = None
    host_id: int | None = None
    vm_id: int | None = None


EVERYTHING = Scope(frozenset({"/"}))
"""The scope of what belongs to no pharmacy: settings, credentials, users."""


def scope_of(
    *,
    groups: Iterable[int] = (),
    pharmacy_id: int | None = None,
    host_id: int | None = None,
    vm_id: int | None = None,
) -> Scope:
    """Build the scope of a pharmacy, host or VM from the ids of it and its ancestors."""
    paths = {"/"}
    paths.update(f"/group/{group}" for group in groups)
    for kind, number in (("pharmacy", pharmacy_id), ("host", host_id), ("vm", vm_id)):
        if number is not None:
            paths.add(f"/{kind}/{number}")
    return Scope(frozenset(paths), pharmacy_id, host_id, vm_id)


class Grant(msgspec.Struct, frozen=True):
    """``within`` narrows it, as a token's scope does: the object must also lie below one of these. Empty: no limit."""

    path: str
    privileges: frozenset[Privilege]
    within: frozenset[str] = frozenset()

    def reaches(self, scope: Scope) -> bool:
        return self.path in scope.paths and (not self.within or not self.within.isdisjoint(scope.paths))


def narrowed(
    grants: Iterable[Grant], privileges: frozenset[Privilege] | None, paths: frozenset[str] | None
) -> tuple[Grant, ...]:
    """The part of ``grants`` that a token may use; None is no limit."""
    found = []
    for grant in grants:
        kept = grant.privileges if privileges is None else grant.privileges & privileges
        if kept:
            found.append(Grant(grant.path, kept, frozenset() if paths is None or "/" in paths else paths))
    return tuple(found)


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a signed-in person, a person's API token, or PharmQ itself.

    ``id`` is the person's, also for a token. ``source`` is the address it came from, ``session`` the SHA-256 of what
    was shown (cookie or token), by which it is looked at again.
    """

    kind: Literal["user", "token", "system"]
    id: int | None
    name: str
    grants: tuple[Grant, ...] = ()
    source: str | None = None
    lang: Language = "ko"
    session: str | None = None
    token_id: int | None = None


SYSTEM = Actor("system", None, "system", (Grant("/", frozenset(Privilege)),))
"""PharmQ itself: pollers, recovery after a restart."""


def allows(actor: Actor, privilege: Privilege, scope: Scope) -> bool:
    """True when one of the actor's grants lies on the object or an ancestor and holds the privilege."""
    return any(privilege in grant.privileges and grant.reaches(scope) for grant in actor.grants)


def allows_everywhere(actor: Actor, privilege: Privilege) -> bool:
    """True when the actor holds the privilege on the root: filters need not look at each row."""
    return allows(actor, privilege, EVERYTHING)


def holds_all(actor: Actor, privileges: Iterable[Privilege], scope: Scope) -> bool:
    """True when the actor could do all of it there: nobody gives away more than they hold."""
    return all(allows(actor, privilege, scope) for privilege in privileges)


def allows_anywhere(actor: Actor, privilege: Privilege) -> bool:
    """True when the actor holds the privilege on anything at all."""
    return any(privilege in grant.privileges for grant in actor.grants)


def require(actor: Actor, privilege: Privilege, scope: Scope) -> None:
    """Raise Forbidden unless allowed. An object that may not be seen is the caller's NotFound to raise first."""
    if not allows(actor, privilege, scope):
        raise Forbidden("access.forbidden", params={"privilege": privilege.value})
