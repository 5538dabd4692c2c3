"""Every way an opening fails, provoked on a simulated host: the person is told which one it was."""

import asyncio
from typing import Any

import pytest
from consoles_rig import ADMIN, OPERATOR, STRANGER, VIEWER, Closed, Rig

from pharmq import pve
from pharmq.base.errors import Conflict, Forbidden, NotFound, PharmqError, Unavailable
from pharmq.base.messages import LANGUAGES, render
from pharmq.consoles.model import CLOSE_CODES
from pharmq.db.leases import Leases
from pharmq.settings import RuntimeSettings
from pharmq_sim.api.power import power_off


class Between:
    """A host's client with something happening between the ticket and the WebSocket."""

    def __init__(self, client: pve.PveClient, happens: Any) -> None:
        self._client = client
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def open_websocket(self, guest: pve.Guest, vnc: pve.VncTicket) -> pve.ConsoleStream:
        await self._happens(guest)
        return await self._client.open_websocket(guest, vnc)


def between(rig: Rig, happens: Any) -> None:
    rig.clients[1] = Between(rig.clients[1], happens)  # type: ignore[assignment]


async def the_outcome(rig: Rig) -> str | None:
    await rig.idle()
    request, outcome = await rig.journalled("console.opened")
    assert (request.phase, outcome.phase) == ("request", "outcome")
    assert request.act_id == outcome.act_id
    [stored] = await rig.stored()
    assert (stored.state, stored.cause) == ("closed", outcome.outcome)
    return outcome.outcome


async def test_a_vm_that_stopped_since_the_last_poll(rig: Rig) -> None:
    power_off(rig.fleet[0], rig.fleet[0].world.guests[100])
    end = await rig.refused(100)
    assert (end.code, end.cause) == (4408, "console.vm_stopped")
    assert await the_outcome(rig) == "console.vm_stopped"


async def test_a_stopped_vm_is_said_before_a_socket_is_opened(rig: Rig) -> None:
    with pytest.raises(Conflict) as refused:
        await rig.connect(102)
    assert refused.value.code == "console.vm_stopped"
    [row] = await rig.journalled("console.refused")
    assert row.params["code"] == "console.vm_stopped"
    assert row.where.vm_id == 1102


async def test_a_vm_that_was_started_a_moment_ago_is_not_refused(rig: Rig) -> None:
    rig.targets.change(1100, status="stopped")
    assert (await rig.open(100)).name == "QEMU (POS-1)"


async def test_a_vm_that_is_gone(rig: Rig) -> None:
    del rig.fleet[0].world.guests[101]
    assert (await rig.refused(101)).cause == "console.vm_gone"
    assert await the_outcome(rig) == "console.vm_gone"


async def test_a_vm_that_moved_to_another_node(rig: Rig) -> None:
    rig.fleet[0].faults.set("vm_migrated", vmid=101, to="pve2")
    await rig.clock.advance(15)  # until its row has been published
    end = await rig.refused(101)
    assert end.reason == "console.vm_moved?node=pve2"


async def test_the_host_does_not_permit_it(rig: Rig) -> None:
    rig.fleet[0].faults.set("acl_lost")
    end = await rig.refused()
    assert end.cause == "console.no_permission"
    assert "VM.Console" in end.reason


async def test_the_credential_was_revoked(rig: Rig) -> None:
    rig.fleet[0].faults.set("credential_revoked")
    assert (await rig.refused()).cause == "console.credential_refused"


async def test_a_second_factor_was_switched_on(rig: Rig) -> None:
    rig.fleet[0].world.users["root@pam"].tfa = True
    assert (await rig.refused()).cause == "console.need_tfa"


async def test_the_certificate_changed(rig: Rig) -> None:
    rig.fleet[0].faults.set("changed_certificate")
    requests = rig.fleet[0].requests
    end = await rig.refused()
    assert end.cause == "console.certificate_changed"
    assert rig.fleet[0].requests == requests, "nothing was sent to it"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("refused", "console.host_unreachable"),
        ("hang", "console.host_unreachable"),
        ("reset", "console.host_unreachable"),
        ("garbage_json", "console.host_garbled"),
        ("half_json", "console.host_garbled"),
        ("wrong_types", "console.host_garbled"),
        ("pmxcfs_down", "console.host_fault"),
        ("595", "console.host_fault"),
        ("http_5xx", "console.host_fault"),
        ("http_403", "console.no_permission"),
    ],
)
async def test_the_host_is_broken(rig: Rig, fault: str, cause: str) -> None:
    rig.timeouts = pve.Timeouts(connect=0.5, handshake=0.5, read=1.5, write=1.5, websocket=1.0)
    rig.clients[1] = rig.client_of(rig.fleet[0])
    rig.fleet[0].faults.set(fault)
    end = await rig.refused()
    assert end.cause == cause
    assert "reason=" in end.reason
    assert len(end.reason.encode()) <= 123
    assert "127.0.0.1" not in end.reason, "no address of a host reaches a browser"
    await rig.idle()
    assert "127.0.0.1" not in str([row.params for row in await rig.journalled()])


async def test_the_listener_was_gone_when_we_came(rig: Rig) -> None:
    rig.timeouts = pve.Timeouts(websocket=1.0)
    rig.clients[1] = rig.client_of(rig.fleet[0])

    async def dawdle(_guest: pve.Guest) -> None:
        await rig.clock.sleep(11)

    between(rig, dawdle)
    assert (await rig.refused()).cause == "console.too_late"


async def test_no_byte_comes(rig: Rig) -> None:
    rig.fleet[0].faults.set("slow_rfb", seconds=15)
    assert (await rig.refused()).cause == "console.no_answer"
    await rig.until(lambda: sessions_of(rig) == 0, "no session left on the host")


def sessions_of(rig: Rig, vmid: int = 100) -> int:
    host = rig.fleet[0]
    found: int = host.consoles.screen(host.world.guests[vmid])["sessions"]
    return found


async def test_a_vm_without_a_display(rig: Rig) -> None:
    rig.fleet[0].world.guests[101].vga = "none"
    assert (await rig.refused(101)).reason == "console.no_picture?vga=none"


async def test_a_vm_known_to_have_no_display_is_refused_at_once(rig: Rig) -> None:
    rig.targets.change(1101, console="none")
    with pytest.raises(Conflict) as refused:
        await rig.connect(101)
    assert refused.value.code == "console.no_picture"


async def test_somebody_elses_console_changed_the_password_once(rig: Rig) -> None:
    times = []

    async def intrude(guest: pve.Guest) -> None:
        if not times:
            times.append(1)
            other = rig.client_of(rig.fleet[0])
            # Its password is set when its console's process has started.
            await other.open_websocket(guest, await other.vncproxy(guest))
            await rig.clock.sleep(3)

    between(rig, intrude)
    rig.fleet[0].consoles.first_byte = (0.3, 1.3)  # type: ignore[attr-defined]
    assert (await rig.open()).name == "QEMU (POS-1)"


async def test_the_password_is_never_accepted(rig: Rig) -> None:
    ask = rig.clients[1].vncproxy

    async def wrong(guest: pve.Guest) -> pve.VncTicket:
        from pharmq.base.secret import Secret

        return (await ask(guest))._replace(password=Secret("wrong"))

    async def nothing(_guest: pve.Guest) -> None: ...

    between(rig, nothing)
    rig.clients[1].vncproxy = wrong  # type: ignore[method-assign]
    assert (await rig.refused()).cause == "console.password_refused"


async def test_the_task_failed_with_a_text_of_its_own(rig: Rig) -> None:
    async def nothing(_guest: pve.Guest) -> None: ...

    async def told(_upid: pve.Upid) -> pve.TaskLog:
        return pve.TaskLog((pve.LogLine(1, "can't connect to monitor"), pve.LogLine(2, "TASK ERROR: exit 1")), 2)

    async def failed(_upid: pve.Upid) -> pve.TaskStatus:
        return pve.TaskStatus("stopped", "exit 1")

    host = rig.fleet[0]
    between(rig, nothing)
    rig.clients[1].task_log, rig.clients[1].task_status = told, failed  # type: ignore[method-assign]
    host.faults.set("slow_rfb", seconds=3)
    ticket = await rig.connect()
    opening = asyncio.create_task((await rig.socket(ticket.session_id)).greet())
    await rig.until(lambda: any(t.type == "vncproxy" for t in host.world.tasks), "the task")
    await rig.clock.sleep(1)
    task = next(t for t in host.world.tasks if t.type == "vncproxy")
    host.interrupted(task).set()
    with pytest.raises(Closed) as end:
        await opening
    assert end.value.cause == "console.task_failed"
    assert "monitor" in end.value.reason


async def test_the_host_has_all_the_consoles_it_may_have(rig: Rig) -> None:
    rig.settings = RuntimeSettings(consoles_per_host=1)
    first, second = await rig.connect(100), await rig.connect(101)
    held = await (await rig.socket(first.session_id)).greet()
    with pytest.raises(Closed) as end:
        await (await rig.socket(second.session_id)).greet()
    assert end.value.reason == "console.host_busy?limit=1"
    assert not held.ws.closed
    with pytest.raises(Unavailable) as refused:
        await rig.connect(101)
    assert refused.value.params == {"limit": 1}


async def test_the_server_has_all_the_consoles_it_may_have(rig: Rig) -> None:
    rig.settings = RuntimeSettings(consoles_total=1)
    await rig.open(100)
    with pytest.raises(Unavailable) as refused:
        await rig.connect(101)
    assert refused.value.code == "console.server_full"


async def test_another_process_keeps_the_vms_turn(rig: Rig) -> None:
    assert await Leases(rig.db, "another-node").acquire("console/1/100", 60)
    assert (await rig.refused()).cause == "console.vm_busy"


async def test_an_offline_host_is_said_with_its_reason(rig: Rig) -> None:
    for reason, code, kind in (
        ("timeout", "console.host_unreachable", Unavailable),
        ("credential_refused", "console.credential_refused", Conflict),
        ("certificate_changed", "console.certificate_changed", Conflict),
        ("cluster_down", "console.host_fault", Unavailable),
    ):
        rig.targets.change(1100, host_reason=reason)
        with pytest.raises(kind) as refused:
            await rig.connect()
        assert (refused.value.code, refused.value.params["reason"]) == (code, reason)


async def test_a_vm_the_host_no_longer_lists(rig: Rig) -> None:
    rig.targets.change(1100, missing=True)
    with pytest.raises(Conflict) as refused:
        await rig.connect()
    assert refused.value.code == "console.vm_gone"


async def test_an_ambiguous_vmid_is_answered_with_candidates(rig: Rig) -> None:
    twin = rig.targets.rows[1100]
    rig.targets.rows[9] = type(twin)(
        **{f: getattr(twin, f) for f in twin.__struct_fields__} | {"vm_id": 9, "host_id": 7, "vm_type": "kiosk"}
    )
    with pytest.raises(Conflict) as refused:
        await rig.connect(100)
    assert refused.value.code == "console.ambiguous"
    hosts = [one["host_id"] for one in refused.value.params["candidates"]]  # type: ignore[index,union-attr,call-overload]
    assert hosts == [1, 7]
    assert await rig.service.connect(ADMIN, 1, 100, host_id=1)
    assert await rig.service.connect(ADMIN, 1, 100, vm_type="pos")


@pytest.mark.parametrize(
    ("actor", "error"), [(VIEWER, Forbidden), (STRANGER, NotFound), (OPERATOR, None)], ids=lambda x: str(x)[:20]
)
async def test_who_may_open_a_screen(rig: Rig, actor: Any, error: type[PharmqError] | None) -> None:
    if error is None:
        assert await rig.connect(100, actor)
    else:
        with pytest.raises(error):
            await rig.connect(100, actor)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_has_its_sentence(language: Any) -> None:
    for code in [*CLOSE_CODES, "console.ambiguous", "console.no_such_vm"]:
        message = render(code, {"limit": 3, "node": "pve2", "text": "x", "by": "x", "detail": "x"}, language)
        assert message.title != code, code
        assert message.why, code
        assert message.remedy, code
        assert "{" not in message.title + message.why + message.remedy
