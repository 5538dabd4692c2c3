"""Several people on one screen: one controls, the server drops what the others type; terminals; start and limits."""

import msgspec
import pytest
from consoles_rig import ADMIN, Rig, Viewer, person

from pharmq import pve
from pharmq.access import Privilege, scope_of
from pharmq.base.errors import Conflict, Forbidden, Invalid, NotFound
from pharmq.base.secret import Secret
from pharmq.consoles.model import Started, Target, Wish
from pharmq.settings import RuntimeSettings
from pharmq_sim.api.power import power_off, power_on
from pharmq_sim.testing import PASSWORD

SEE, VIEW, CONTROL = Privilege.SEE, Privilege.CONSOLE_VIEW, Privilege.CONSOLE_CONTROL
BOB = person(11, "bob", "/", SEE, CONTROL, Privilege.CONSOLE_CLIPBOARD)
WATCHER = person(12, "watcher", "/", SEE, VIEW)


@pytest.fixture(autouse=True)
def cast(rig: Rig) -> None:
    rig.callers.known |= {actor.name: actor for actor in (BOB, WATCHER)}


async def opened(rig: Rig, actor: object, wish: Wish = Wish(), vmid: int = 100) -> tuple[Viewer, str]:  # noqa: B008
    ticket = await rig.service.connect(actor, 1, vmid, wish=wish)  # type: ignore[arg-type]
    viewer = await (await rig.socket(ticket.session_id, actor.name)).greet()  # type: ignore[attr-defined]
    return viewer, ticket.session_key


def typed(rig: Rig, vmid: int = 100) -> str:
    host = rig.fleet[0]
    return str(host.consoles.screen(host.world.guests[vmid])["typed"])


async def test_one_controls_the_others_watch_and_what_they_type_is_dropped(rig: Rig) -> None:
    first, first_key = await opened(rig, ADMIN)
    second, second_key = await opened(rig, BOB)
    row = rig.service.viewers(ADMIN, 1100)
    assert [(v.name, v.mode, v.wants) for v in row.viewers] == [
        ("admin", "control", "control"),
        ("bob", "view", "control"),
    ]
    await second.type("no")
    assert await second.picture() > 0, "who watches sees"
    await first.type("yes")
    await rig.until(lambda: typed(rig) == "yes", "only the controller's keys")
    with pytest.raises(Conflict) as refused:
        await rig.service.set_mode(BOB, second_key, "control")
    assert refused.value.params == {"by": "admin"}
    row = await rig.service.set_mode(ADMIN, second_key, "control")  # handed over
    assert [(v.name, v.mode) for v in row.viewers] == [("admin", "view"), ("bob", "control")]
    await first.type("no")
    await second.type("!")
    await rig.until(lambda: typed(rig) == "yes!", "the new controller's keys")
    await rig.service.set_mode(ADMIN, first_key, "control", force=True)  # taken back
    await second.type("no")
    await first.type("?")
    await rig.until(lambda: typed(rig) == "yes!?", "taken back")
    told = [
        (row.params["of"], row.params["mode"], row.params["from"]) for row in await rig.journalled("console.control")
    ]
    assert told == [("bob", "control", "admin"), ("admin", "control", "bob")]


async def test_control_that_becomes_free_goes_to_who_waited(rig: Rig) -> None:
    first, _ = await opened(rig, ADMIN)
    second, _ = await opened(rig, BOB)
    await first.ws.close()
    await rig.until(lambda: len(rig.service.viewers(ADMIN, 1100).viewers) == 1, "one left")
    await second.type("mine")
    await rig.until(lambda: typed(rig) == "mine", "the heir's keys")


async def test_a_persons_second_window_controls_too_and_a_letting_go_does_not(rig: Rig) -> None:
    _, key = await opened(rig, ADMIN)
    second, _ = await opened(rig, ADMIN)
    await rig.service.set_mode(ADMIN, key, "view")
    await second.type("x")
    await rig.until(lambda: typed(rig) == "x", "the pop-out's keys")
    assert [v.mode for v in rig.service.viewers(ADMIN, 1100).viewers] == ["view", "control"]


async def test_who_may_only_watch_never_controls(rig: Rig) -> None:
    viewer, key = await opened(rig, WATCHER)
    await viewer.type("no")
    assert await viewer.picture() > 0
    assert typed(rig) == ""
    with pytest.raises(Forbidden):
        await rig.service.set_mode(WATCHER, key, "control", force=True)
    with pytest.raises(Forbidden):
        await rig.service.connect(WATCHER, 1, 100, wish=Wish(mode="control"))
    with pytest.raises(NotFound):
        await rig.service.set_mode(ADMIN, "unknown", "view")


async def test_a_right_that_goes_leaves_it_to_watch_or_ends_it(rig: Rig) -> None:
    viewer, _ = await opened(rig, BOB)
    await viewer.type("a")
    await rig.until(lambda: typed(rig) == "a", "control")
    rig.callers.known["bob"] = person(11, "bob", "/", SEE, VIEW, Privilege.CONSOLE_CLIPBOARD, session="session-bob")
    rig.service.recheck(11)
    await rig.until(lambda: rig.service.viewers(ADMIN, 1100).viewers[0].mode == "view", "only to watch")
    await viewer.type("b")
    assert await viewer.picture() > 0
    assert typed(rig) == "a"
    rig.callers.known["bob"] = person(11, "bob", "/", SEE, session="session-bob")
    rig.service.recheck()
    assert (await viewer.closed()).cause == "console.revoked"


async def test_a_picture_without_the_clipboard_privilege_is_walked_over_and_whole(rig: Rig) -> None:
    bare = person(13, "bare", "/", SEE, CONTROL)
    rig.callers.known["bare"] = bare
    viewer, _ = await opened(rig, bare)
    assert await viewer.picture() == viewer.width * viewer.height * 4
    await viewer.type("k")
    await rig.until(lambda: typed(rig) == "k", "keys pass")
    [session] = rig.service.live.sessions.values()
    assert session.gates is not None
    assert session.gates.down is not None


async def test_a_stopped_vm_is_started_and_shown(rig: Rig) -> None:
    host = rig.fleet[0]
    guest = host.world.guests[102]
    asked: list[tuple[str, int, int]] = []

    async def start_vm(actor: object, host_id: int, vmid: int) -> Started:
        asked.append((actor.name, host_id, vmid))  # type: ignore[attr-defined]
        await rig.clock.sleep(3)
        power_on(host, guest)
        return Started(True)

    rig.service.live.start_vm = start_vm
    with pytest.raises(Conflict) as refused:
        await rig.service.connect(ADMIN, 1, 102)
    assert refused.value.code == "console.vm_stopped"
    with pytest.raises(Forbidden):
        await rig.service.connect(BOB, 1, 102, wish=Wish(start=True))
    ticket = await rig.service.connect(ADMIN, 1, 102, wish=Wish(start=True))
    assert ticket.starts
    viewer = await rig.socket(ticket.session_id)
    await rig.until(lambda: bool(asked), "the start")
    assert [row.phase for row in rig.service.sessions(ADMIN)] == ["starting"]
    await viewer.greet()
    assert await viewer.picture() > 0
    assert asked == [("admin", 1, 102)]
    assert [row.phase for row in rig.service.sessions(ADMIN)] == ["open"]


async def test_a_start_that_fails_is_told_with_its_cause(rig: Rig) -> None:
    async def start_vm(_actor: object, _host_id: int, _vmid: int) -> Started:
        return Started(False, "job.locked", {"lock": "backup"})

    rig.service.live.start_vm = start_vm
    ticket = await rig.service.connect(ADMIN, 1, 102, wish=Wish(start=True))
    end = await (await rig.socket(ticket.session_id)).closed()
    assert end.reason == "console.start_failed?reason=job.locked&lock=backup"


async def test_limits_have_their_codes(rig: Rig) -> None:
    rig.settings = RuntimeSettings(consoles_per_user=1, console_idle_minutes=5, console_hours=1)
    viewer, _ = await opened(rig, ADMIN)
    with pytest.raises(Conflict) as refused:
        await rig.connect(101)
    assert (refused.value.code, refused.value.params) == ("console.user_full", {"limit": 1})
    await rig.pass_time(225)
    await viewer.type("k")
    await rig.until(lambda: typed(rig) == "k", "a sign of life")
    await rig.pass_time(150)
    assert len(rig.service.sessions(ADMIN)) == 1
    await rig.pass_time(210)
    assert (await viewer.closed()).reason == "console.idle_limit?minutes=5"
    await rig.idle()
    rig.settings = RuntimeSettings(console_idle_minutes=0, console_hours=0.2)
    viewer, _ = await opened(rig, ADMIN)
    await rig.pass_time(760)
    assert (await viewer.closed()).reason == "console.time_limit?hours=0.2"


async def test_the_contract_decides_whether_a_screen_may_be_opened(rig: Rig) -> None:
    rig.targets.change(1100, contract="reason")
    with pytest.raises(Invalid) as refused:
        await rig.connect(100)
    assert (refused.value.code, list(refused.value.fields)) == ("console.reason_required", ["purpose"])
    viewer, _ = await opened(rig, ADMIN, Wish(purpose=" 단말기 오류 확인 요청 "))
    opened_rows = await rig.journalled("console.opened")
    assert all(row.params["purpose"] == "단말기 오류 확인 요청" for row in opened_rows)
    rig.targets.change(1100, contract="forbidden")
    assert (await viewer.closed()).cause == "console.contract_forbids"
    with pytest.raises(Forbidden) as forbidden:
        await rig.connect(100)
    assert forbidden.value.code == "console.contract_forbids"


async def test_a_host_that_answers_nothing_any_more_is_noticed(rig: Rig) -> None:
    viewer, _ = await opened(rig, ADMIN)
    [session] = rig.service.live.sessions.values()
    assert session.stream is not None
    session.stream.hold(True)  # its pongs do not arrive
    await rig.pass_time(100)
    assert (await viewer.closed()).cause == "console.host_silent"


# -- terminals


def of_node(rig: Rig) -> Target:
    base = rig.targets.rows[1100]
    scope = scope_of(pharmacy_id=1, host_id=1)
    return msgspec.structs.replace(
        base, vm_id=0, vmid=0, vm_name="pve", guest=pve.Guest(base.guest.node, "qemu", 0), scope=scope
    )


async def until_text(viewer: Viewer, text: bytes) -> bytes:
    got = b""
    while text not in got:
        got += await viewer.take(1)
    return got


def line(text: str) -> bytes:
    data = text.encode() + b"\r"
    return b"0:%d:%s" % (len(data), data)


async def test_a_containers_terminal(rig: Rig) -> None:
    ticket = await rig.service.connect(ADMIN, 1, 200, wish=Wish("terminal"))
    viewer = await rig.socket(ticket.session_id)
    assert await viewer.take(2) == b"OK"
    await viewer.send(b"1:132:43:" + line("stty"))
    assert b"43 132" in await until_text(viewer, b"43 132")
    await viewer.send(line("echo 한글"))
    await until_text(viewer, "한글\r\n".encode())
    await viewer.send(line("exit"))
    assert (await viewer.closed()).cause == "console.closed_by_host"
    await rig.idle()
    assert [row.params["kind"] for row in await rig.journalled()] == ["terminal"] * 3


async def test_a_terminal_takes_nothing_but_its_messages(rig: Rig) -> None:
    ticket = await rig.service.connect(ADMIN, 1, 200, wish=Wish("terminal"))
    viewer = await rig.socket(ticket.session_id)
    await viewer.take(2)
    await viewer.send(b"rm -rf /")
    assert (await viewer.closed()).cause == "console.protocol_error"


async def test_a_nodes_own_shell_has_its_own_privilege(rig: Rig) -> None:
    rig.targets.nodes[1] = of_node(rig)
    with pytest.raises(Forbidden) as refused:
        await rig.service.shell(BOB, 1)
    assert refused.value.params == {"privilege": "node.shell"}
    with pytest.raises(NotFound):
        await rig.service.shell(ADMIN, 2)
    ticket = await rig.service.shell(ADMIN, 1, "점검")
    viewer = await rig.socket(ticket.session_id)
    assert await viewer.take(2) == b"OK"
    await viewer.send(line("hostname"))
    await until_text(viewer, b"hostname\r\n")


async def test_a_serial_port_has_a_terminal_and_a_vm_without_one_says_so(rig: Rig) -> None:
    with pytest.raises(Conflict) as refused:
        await rig.service.connect(ADMIN, 1, 100, wish=Wish("terminal"))
    assert refused.value.code == "console.no_terminal"
    with pytest.raises(Forbidden):
        await rig.service.connect(BOB, 1, 200, wish=Wish("terminal"))
    host = rig.fleet[0]
    power_on(host, host.world.guests[102])
    rig.targets.change(1102, status="running")
    ticket = await rig.service.connect(ADMIN, 1, 102, wish=Wish("terminal"))
    assert await (await rig.socket(ticket.session_id)).take(2) == b"OK"


async def test_where_a_token_may_not_use_a_terminal_the_container_is_shown_as_a_picture(rig: Rig) -> None:
    class Old(pve.PveClient):
        async def termproxy(self, place: pve.Guest | str) -> pve.VncTicket:
            raise pve.HostFault(500, "value 'a@pve!t' does not look like a valid user name", executed="no")

        @property
        def uses_token(self) -> bool:
            return True

    host = rig.fleet[0]
    rig.clients[1] = Old(
        pve.Endpoint("127.0.0.1", host.port),
        pve.PasswordCredential("root@pam", Secret(PASSWORD)),
        frozenset({host.fingerprint}),
        clock=rig.clock,
    )
    rig.targets.nodes[1] = of_node(rig)
    ticket = await rig.service.connect(ADMIN, 1, 200, wish=Wish("terminal"))
    viewer = await (await rig.socket(ticket.session_id)).greet()
    assert "Terminal" in viewer.name
    shell = await rig.service.shell(ADMIN, 1)
    assert (await (await rig.socket(shell.session_id)).closed()).cause == "console.terminal_refused"


# -- the check


async def steps(rig: Rig, vm_id: int = 1100) -> list[tuple[str, str, str | None]]:
    found = [line async for line in await rig.service.check(ADMIN, vm_id)]
    return [(line.step, line.state, line.code) for line in found if line.state != "running"]


async def test_every_step_of_an_opening_is_told(rig: Rig) -> None:
    found = [line async for line in await rig.service.check(ADMIN, 1100)]
    done = [line for line in found if line.state == "ok"]
    assert [line.step for line in done] == [
        "reach", "certificate", "login", "permission", "guest", "turn", "vncproxy", "task", "websocket", "version",
        "security", "picture",
    ]  # fmt: skip
    assert done[-1].facts["name"] == "QEMU (POS-1)"
    assert all(line.ms is not None for line in done)
    host = rig.fleet[0]
    await rig.until(lambda: host.consoles.screen(host.world.guests[100])["sessions"] == 0, "nothing left open")
    assert not rig.service.live.turns.held
    with pytest.raises(Forbidden):
        await rig.service.check(person(14, "seer", "/", SEE), 1100)


async def test_the_step_that_fails_is_named_and_the_rest_is_left_out(rig: Rig) -> None:
    host = rig.fleet[0]
    power_off(host, host.world.guests[100])
    told = await steps(rig)
    assert told[4] == ("guest", "failed", "console.vm_stopped")
    assert {state for _, state, _ in told[5:]} == {"skipped"}
    rig.clients[1] = pve.PveClient(
        pve.Endpoint("127.0.0.1", host.port),
        pve.PasswordCredential("root@pam", Secret(PASSWORD)),
        frozenset({"AA"}),
        clock=rig.clock,
    )
    assert (await steps(rig))[1] == ("certificate", "failed", "console.certificate_changed")
    rig.clients[1] = pve.PveClient(
        pve.Endpoint("127.0.0.1", 1),
        pve.PasswordCredential("root@pam", Secret(PASSWORD)),
        frozenset({"AA"}),
        clock=rig.clock,
    )
    assert (await steps(rig))[0] == ("reach", "failed", "console.host_unreachable")
