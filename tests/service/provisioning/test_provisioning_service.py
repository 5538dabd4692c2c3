"""Making, rotating and removing service accounts on simulated hosts of all versions."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from provisioning_world import World

from hosts_rig import grant
from pharmq.access import SYSTEM, Privilege
from pharmq.access.leaving import known_secrets
from pharmq.base.errors import Forbidden, Invalid, NotFound
from pharmq.base.secret import Secret
from pharmq.hosts.tables import credentials
from pharmq.provisioning import plan
from pharmq.provisioning.model import Administrator, ProvisionForm, RemoveForm, RotateForm
from pharmq.pve import Endpoint, PasswordCredential, PveClient
from pharmq.pve.accounts import Accounts
from pharmq.settings import RuntimeSettings
from pharmq_sim.testing import PASSWORD

ROOT = Administrator(username="root@pam", secret=PASSWORD)


async def provision(world: World, *ids: int) -> None:
    async with world.process() as process:
        await process.provisioning.provision(SYSTEM, ProvisionForm(host_ids=ids or (1,)))
        for host_id in ids or (1,):
            await process.provisioning.run(host_id)


async def test_the_account_holds_the_least_rights_that_its_version_knows(world: World) -> None:
    await provision(world)
    sim = world.sim.world
    agent = "VM.GuestAgent.Audit" if sim.version.startswith("9") else "VM.Monitor"
    assert set(sim.roles["PharmQ"]) == plan.WANTED | {agent}
    assert "Permissions.Modify" not in sim.roles["PharmQ"]
    account = await world.account()
    assert account is not None
    assert set(account.privileges) == set(sim.roles["PharmQ"])
    async with world.process() as process:
        row = process.provisioning.get(SYSTEM, 1)
        host = process.directory.host(1)
        assert host is not None
        assert (row.state, row.credential_kind, host.username) == ("ready", "token", f"pharmq@pve!{account.token}")
    await world.works()


async def test_roots_password_is_gone_when_the_last_host_has_left_it(newest: World) -> None:
    await provision(newest, 1, 2)
    async with newest.process() as process, process.db.read() as conn:
        assert len(list(await conn.execute(credentials.select()))) == 1
    await provision(newest, 3)
    async with newest.process() as process, process.db.read() as conn:
        assert list(await conn.execute(credentials.select())) == []
    kinds = [(row.kind, row.phase, row.outcome) for row in await newest.rows("credential.")]
    assert kinds.count(("credential.provision", "outcome", "ok")) == 3
    switched = [row.params for row in await newest.rows("host.changed") if row.params["fields"] == ["credential"]]
    assert {params["account"] for params in switched} == {"pharmq@pve"}, "a secret that nobody knows"
    assert ("credential.changed", "event", None) in kinds


async def test_an_unknown_privilege_is_left_out_by_trial(newest: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that we take for a newer one than it is."""
    newest.sim.world.version = "8.4"
    monkeypatch.setitem(plan.AGENT, 8, frozenset({"VM.GuestAgent.Audit", "VM.Replicate"}))
    await provision(newest)
    assert set(newest.sim.world.roles["PharmQ"]) == plan.WANTED


async def test_a_rotation_changes_password_and_token_and_deletes_the_old(world: World) -> None:
    await provision(world)
    before, user = await world.account(), world.sim.world.users["pharmq@pve"]
    assert before is not None
    password, value = user.password, user.tokens[before.token or ""].value
    async with world.process() as process:
        assert (await process.provisioning.rotate(SYSTEM, RotateForm())).accepted == 1
        await process.provisioning.run(1)
    after = await world.account()
    assert after is not None
    assert user.password != password
    assert after.token != before.token
    assert [token.value != value for token in user.tokens.values()] == [True]
    await world.works()


async def test_a_failure_says_where_it_stopped_and_goes_on_from_there(newest: World) -> None:
    newest.sim.faults.set("http_5xx", status=500, reason="disk full")
    await provision(newest)
    async with newest.process() as process:
        row = process.provisioning.get(SYSTEM, 1)
        assert (row.state, row.step, row.reason) == ("waiting", "role", "pve.host_fault")
        assert row.next_at is not None
        newest.sim.faults.clear()
        await process.provisioning.run(1)
        assert process.provisioning.get(SYSTEM, 1).state == "ready"


async def test_a_typed_password_is_not_kept_over_a_restart(newest: World) -> None:
    async with newest.process() as process:
        await process.provisioning.provision(SYSTEM, ProvisionForm(host_ids=(1,)))
        await process.provisioning.run(1)
        await process.provisioning.remove(SYSTEM, 1, RemoveForm(administrator=ROOT))
    async with newest.process() as process:
        await process.provisioning.run(1)
        row = process.provisioning.get(SYSTEM, 1)
        assert (row.state, row.step, row.reason) == ("stopped", "erase", "provisioning.needs_password")
        with pytest.raises(Invalid):
            await process.provisioning.remove(SYSTEM, 1, RemoveForm())
        await process.provisioning.remove(SYSTEM, 1, RemoveForm(administrator=ROOT))
        await process.provisioning.run(1)
        assert process.directory.host(1) is None, "given back"
    assert "pharmq@pve" not in newest.sim.world.users


async def test_a_typed_password_is_known_to_who_typed_it_and_is_not_written_down(newest: World) -> None:
    async with newest.process() as process:
        kim, lee = (replace(grant("/", *Privilege), id=number) for number in (7, 8))
        await process.provisioning.provision(kim, ProvisionForm(host_ids=(1, 2), administrator=ROOT))
        await process.provisioning.provision(lee, ProvisionForm(host_ids=(3,)))
        for host_id in (1, 2, 3):
            await process.provisioning.run(host_id)
        await process.provisioning.remove(lee, 2, RemoveForm(administrator=ROOT))
        host = process.directory.host(2)
        assert host is not None
        await process.provisioning.run(2)
    rows = await newest.rows("")
    assert [one.id for one in known_secrets(rows, 7) if one.kind == "root_password"] == [2, 1]
    (told,) = [one for one in known_secrets(rows, 8) if one.kind == "root_password"]
    assert (told.id, told.name, told.pharmacy_id) == (2, host.host_ip, host.pharmacy_id), "also after it was given back"
    assert PASSWORD not in str(rows)


async def test_a_wrong_password_of_the_administrator_stops_at_once(newest: World) -> None:
    async with newest.process() as process:
        wrong = Administrator(username="root@pam", secret="wrong")
        await process.provisioning.provision(SYSTEM, ProvisionForm(host_ids=(1,), administrator=wrong))
        await process.provisioning.run(1)
        row = process.provisioning.get(SYSTEM, 1)
        assert (row.state, row.reason) == ("stopped", "pve.credential_refused")
    await newest.works()


async def test_a_token_that_may_less_is_not_taken_into_use(newest: World) -> None:
    async with newest.process() as process:
        await process.provisioning.provision(SYSTEM, ProvisionForm(host_ids=(1,)))
        account = await newest.account()
        while account is not None and account.step != "verify":
            account = await process.provisioning.course.step(account)
        newest.sim.world.roles["PharmQ"].remove("VM.Backup")
        await process.provisioning.run(1)
        row = process.provisioning.get(SYSTEM, 1)
        assert (row.state, row.reason, row.reason_params) == (
            "stopped",
            "provisioning.lacking",
            {"privileges": "VM.Backup"},
        )
    await newest.works()


async def test_a_request_without_an_answer_leaves_no_second_token(newest: World) -> None:
    """596: the host goes on with it after it gave up."""
    async with newest.process() as process:
        await process.provisioning.provision(SYSTEM, ProvisionForm(host_ids=(1,)))
        account = await newest.account()
        while account is not None and account.step != "token":
            account = await process.provisioning.course.step(account)
        user = newest.sim.world.users["pharmq@pve"]
        sim_token = account.token_next if account else ""
        # As after a lost answer: the token stands there, and nobody knows its value.
        client = PveClient(
            Endpoint(newest.sim.address, newest.sim.port),
            PasswordCredential("root@pam", Secret(PASSWORD)),
            frozenset({newest.sim.fingerprint}),
            clock=newest.clock,
        )
        lost = await Accounts(client).create_token("pharmq@pve", sim_token or "")
        await process.provisioning.run(1)
        assert set(user.tokens) == {sim_token}
        assert user.tokens[sim_token or ""].value != lost.value.reveal()
    await newest.works()


async def test_the_policy_rotates_what_is_overdue(newest: World) -> None:
    await provision(newest)
    async with newest.process() as process:
        for host_id in (1, 2, 3):
            state = process.directory.state(host_id)
            process.directory.put_state(host_id, msgspec.structs.replace(state, reason=None))
        assert await process.provisioning.apply_policy() == 0
        process.settings = RuntimeSettings(rotate_days=30)
        assert await process.provisioning.apply_policy() == 0
        now = newest.clock.now() + timedelta(days=31)
        newest.clock.now = lambda: now  # type: ignore[method-assign]
        assert process.provisioning.report(SYSTEM).overdue == 1
        assert await process.provisioning.apply_policy() == 1
        process.settings = RuntimeSettings(provision_automatically=True)
        assert await process.provisioning.apply_policy() == 2


async def test_only_who_may_change_a_hosts_credentials(newest: World) -> None:
    async with newest.process() as process:
        form = ProvisionForm(host_ids=(1,))
        with pytest.raises(NotFound):
            await process.provisioning.provision(grant("/host/2", *Privilege), form)
        with pytest.raises(Forbidden):
            await process.provisioning.provision(grant("/host/1", Privilege.SEE, Privilege.HOST_EDIT), form)
        only = grant("/host/2", Privilege.SEE, Privilege.CREDENTIAL_EDIT)
        assert [row.host_id for row in process.provisioning.list(only, (), 100, 0)[0]] == [2]
        assert process.provisioning.list(only, (), 100, 0, (1, 3)) == ([], 0)
        assert [row.host_id for row in process.provisioning.list(SYSTEM, (), 100, 0, (1, 3))[0]] == [1, 3]
        assert (await process.provisioning.provision(only, ProvisionForm())).accepted == 1


async def test_the_worker_does_all_hosts_and_shows_progress(newest: World) -> None:
    async with newest.process() as process:
        await process.provisioning.start()
        assert (await process.provisioning.provision(SYSTEM, ProvisionForm())).accepted == 3
        for _ in range(500):
            report = process.provisioning.report(SYSTEM)
            if report.ready == 3:
                break
            await newest.clock.sleep(1)
        assert (report.hosts, report.ready, report.stopped) == (3, 3, 0)
