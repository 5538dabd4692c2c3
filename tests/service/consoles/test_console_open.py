"""A console from the click to the last byte."""

from typing import Any

import pytest
from consoles_rig import ADMIN, ORIGIN, Rig

from pharmq import pve


async def test_a_screen_opens_and_takes_keys(rig: Rig) -> None:
    ticket = await rig.connect(100)
    assert ticket.websocket_url == f"ws://pharmq.test/api/vnc/ws/{ticket.session_id}"
    assert (ticket.expires_at - rig.clock.now()).total_seconds() <= 30
    assert ORIGIN == "http://pharmq.test"

    viewer = await (await rig.socket(ticket.session_id)).greet()
    assert viewer.name == "QEMU (POS-1)"
    assert await viewer.picture() == viewer.width * viewer.height * 4

    host = rig.fleet[0]
    await viewer.type("약 7")
    await rig.until(lambda: host.consoles.screen(host.world.guests[100])["typed"] == "약 7", "the keys in the guest")

    [row] = rig.service.sessions(ADMIN)
    assert (row.vm_name, row.state, row.actor_name) == ("POS-1", "open", "admin")
    assert row.bytes_down > viewer.width * viewer.height * 4
    assert row.session_key not in ticket.session_id
    assert rig.service.open_count == 1

    await viewer.ws.close()
    await rig.idle()
    request, outcome, closed = await rig.journalled()
    assert (request.kind, request.phase, request.who.name) == ("console.opened", "request", "admin")
    assert (outcome.kind, outcome.phase, outcome.outcome) == ("console.opened", "outcome", "ok")
    assert request.act_id == outcome.act_id == closed.act_id
    assert outcome.upid
    assert outcome.upid.startswith("UPID:")
    assert (closed.kind, closed.outcome) == ("console.closed", "console.closed_by_user")
    assert closed.params["bytes_down"] == row.bytes_down
    [stored] = await rig.stored()
    assert (stored.state, stored.cause) == ("closed", "console.closed_by_user")
    assert ticket.session_id not in str(stored)


class Unsteady:
    """A host's client whose first connections for a console fail like ``error``."""

    def __init__(self, client: pve.PveClient, error: pve.PveError, times: int) -> None:
        self._client = client
        self._error = error
        self._times = times
        self.tried = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def open_websocket(self, guest: pve.Guest, vnc: pve.VncTicket) -> pve.ConsoleStream:
        self.tried += 1
        if self.tried <= self._times:
            raise self._error
        return await self._client.open_websocket(guest, vnc)


def vncproxies(rig: Rig) -> list[str]:
    return [task.status for task in rig.fleet[0].world.tasks if task.type == "vncproxy"]


async def test_a_connection_that_never_came_about_is_tried_again_with_the_same_ticket(rig: Rig) -> None:
    """A second ticket would leave the first one's listener running on the host, as a task without a session."""
    rig.clients[1] = Unsteady(rig.clients[1], pve.Unreachable("timeout", executed="no"), 1)  # type: ignore[assignment]
    viewer = await rig.open(100)
    assert await viewer.picture() > 0
    assert vncproxies(rig) == [""]
    await viewer.ws.close()
    await rig.until(lambda: vncproxies(rig) == ["OK"], "the host's task ends with the console")


@pytest.mark.parametrize(
    ("error", "times", "tried"),
    [
        (pve.Unreachable("timeout", executed="no"), 9, 2),
        (pve.Unreachable("refused", executed="no"), 9, 1),
        (pve.Unreachable("reset", executed="unknown"), 9, 1),
        (pve.ConsoleSilent("no answer", executed="unknown"), 9, 1),
    ],
)
async def test_a_host_that_cannot_be_reached_is_not_tried_on_and_on(
    rig: Rig, error: pve.PveError, times: int, tried: int
) -> None:
    client = rig.clients[1] = Unsteady(rig.clients[1], error, times)  # type: ignore[assignment]
    await rig.refused(100)
    assert client.tried == tried  # type: ignore[attr-defined]
    assert len(vncproxies(rig)) == 1
