"""Who is on which screen, and who of them may act. Pure: no I/O, no clock.

Every viewer has a session of its own on the host: the encodings in use carry state from one picture to the next, so
nobody can join another's stream. One person at a time controls a screen, with all sessions they have there; others
watch, and the server drops what they type. Who controls is decided here and nowhere else.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from pharmq.consoles.model import Kind, Mode, ScreenRow, Viewer


class Member(Protocol):
    """What ``session.Session`` shows of itself here."""

    @property
    def person(self) -> tuple[str, int | None]: ...
    @property
    def vm_id(self) -> int: ...
    @property
    def kind(self) -> Kind: ...

    key: str
    wants: Mode

    @property
    def watching(self) -> bool: ...
    def watch(self, on: bool) -> None: ...
    def viewer(self) -> Viewer: ...


class Screens:
    """``touch(vm_id)`` is told of every change."""

    def __init__(self, touch: Callable[[int], None]) -> None:
        self.touch = touch
        self._members: dict[int, list[Member]] = {}

    def ids(self) -> Iterable[int]:
        return [vm_id for vm_id in self._members if vm_id]

    def row(self, vm_id: int) -> ScreenRow | None:
        members = self._members.get(vm_id)
        return ScreenRow(vm_id, [member.viewer() for member in members]) if members else None

    def controller(self, vm_id: int) -> Member | None:
        """The oldest session of who controls the screen."""
        return next((member for member in self._screens(vm_id) if not member.watching), None)

    def join(self, member: Member) -> None:
        """Who wants control has it unless somebody else does."""
        self._members.setdefault(member.vm_id, []).append(member)
        if member.kind == "screen":
            now = self.controller(member.vm_id)
            free = now is None or now is member or now.person == member.person
            member.watch(member.wants == "view" or not free)
        self.touch(member.vm_id)

    def leave(self, member: Member) -> None:
        """Control that became free goes to who has waited for it longest."""
        members = self._members.get(member.vm_id, [])
        if member not in members:
            return
        members.remove(member)
        if not members:
            del self._members[member.vm_id]
        self._pass_on(member.vm_id)
        self.touch(member.vm_id)

    def give(self, member: Member) -> None:
        """``member`` and the person's other sessions that want it control the screen; everybody else watches."""
        member.wants = "control"
        for other in self._screens(member.vm_id):
            other.watch(other.person != member.person or other.wants == "view")
        self.touch(member.vm_id)

    def withdraw(self, member: Member) -> None:
        """From now on ``member`` only watches."""
        member.wants = "view"
        member.watch(True)
        self._pass_on(member.vm_id)
        self.touch(member.vm_id)

    def _pass_on(self, vm_id: int) -> None:
        if self.controller(vm_id) is None:
            heir = next((member for member in self._screens(vm_id) if member.wants == "control"), None)
            if heir is not None:
                for member in self._screens(vm_id):
                    member.watch(member.person != heir.person or member.wants == "view")

    def _screens(self, vm_id: int) -> Iterator[Member]:
        """Terminals have an input of their own each, and are not shared."""
        return (member for member in self._members.get(vm_id, ()) if member.kind == "screen")
