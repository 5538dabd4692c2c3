"""Enrolling, changing and removing hosts against simulated ones."""

import msgspec
import pytest
from sqlalchemy import select

from hosts_rig import ADMIN, NOBODY, PASSWORD, Rig, grant
from pharmq.access import Privilege
from pharmq.base.errors import Conflict, Forbidden, Invalid, NotFound
from pharmq.hosts.forms import CredentialForm, CredentialPatch, HostPatch, OwnCredential
from pharmq.hosts.tables import credentials, host_pins, proxmox_hosts
from pharmq_sim.testing import SimFleet
from pharmq_sim.world import Token, User

OTHER = "AA:" * 31 + "AA"


async def test_nothing_is_trusted_before_its_fingerprint_is_confirmed(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        pharmacy = (await rig.pharmacy()).id
        with pytest.raises(Conflict) as caught:
            await rig.hosts.add(ADMIN, rig.form(sim[0], pharmacy, fingerprint=None))
        assert caught.value.code == "host.fingerprint_unconfirmed"
        assert caught.value.params["fingerprint"] == sim[0].fingerprint
        with pytest.raises(Conflict) as caught:
            await rig.hosts.add(ADMIN, rig.form(sim[0], pharmacy, fingerprint=OTHER))
        assert caught.value.code == "host.fingerprint_differs"
        with pytest.raises(Conflict):
            await rig.hosts.add(ADMIN, rig.form(sim[0], pharmacy, fingerprint=OTHER, force=True))
        assert not sim[0].world.tasks
        assert not rig.directory.hosts
        plain = sim[0].fingerprint.replace(":", "").lower()
        row = await rig.add(sim[0], pharmacy, fingerprint=f"sha256: {plain}")
        assert row.certificate.fingerprint == sim[0].fingerprint
        assert row.certificate.not_after is not None


async def test_a_refused_credential_names_its_field_and_saves_nothing(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        pharmacy = (await rig.pharmacy()).id
        with pytest.raises(Invalid) as caught:
            await rig.add(sim[0], pharmacy, secret="wrong")
        assert {n: e[0].code for n, e in caught.value.fields.items()} == {"credential.secret": "pve.credential_refused"}
        shared = await rig.credential("wrong")
        with pytest.raises(Invalid) as caught:
            await rig.add(sim[0], pharmacy, credential_id=shared.id)
        assert list(caught.value.fields) == ["credential_id"]
        assert not rig.directory.hosts
        row = await rig.add(sim[0], pharmacy, credential_id=shared.id, force=True)
        assert (row.status, row.reason) == ("offline", "credential_refused")
        host = rig.directory.host(row.id)
        assert host is not None
        assert host.refused


async def test_a_second_factor_is_explained(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        sim[0].world.users["root@pam"].tfa = True
        with pytest.raises(Invalid) as caught:
            await rig.add(sim[0])
        assert caught.value.fields["credential.secret"][0].code == "pve.need_tfa"


async def test_a_token_works_and_its_name_is_checked(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        user = sim[0].world.users["root@pam"]
        user.tokens["main"] = Token("main", "0123", privsep=False)
        pharmacy = (await rig.pharmacy()).id
        for kind, name in (("token", "root@pam"), ("password", "root@pam!main")):
            wrong = OwnCredential(kind=kind, username=name, secret="0123")  # type: ignore[arg-type]
            with pytest.raises(Invalid) as caught:
                await rig.add(sim[0], pharmacy, credential=wrong)
            assert list(caught.value.fields) == ["credential.username"]
        token = OwnCredential(kind="token", username="root@pam!main", secret="0123")
        row = await rig.add(sim[0], pharmacy, credential=token)
        assert (row.status, row.credential_kind, row.username) == ("online", "token", "root@pam!main")


async def test_an_address_where_nobody_answers_is_refused_or_kept_as_offline(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        sim[0].faults.set("refused")
        pharmacy = (await rig.pharmacy()).id
        with pytest.raises(Invalid) as caught:
            await rig.add(sim[0], pharmacy)
        assert caught.value.fields["host_ip"][0].code == "pve.refused"
        with pytest.raises(Conflict) as refused:
            await rig.hosts.probe(ADMIN, sim[0].address, sim[0].port)
        assert refused.value.code == "pve.refused"
        assert list(refused.value.fields) == ["address"]
        row = await rig.add(sim[0], pharmacy, force=True)
        assert (row.status, row.reason) == ("offline", "refused")
        sim[0].faults.clear()
        await rig.fleet.start()
        await rig.until(lambda: rig.directory.status(row.id) == "online")


async def test_the_same_address_twice_is_a_conflict(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        with pytest.raises(Conflict) as caught:
            await rig.add(sim[0], row.pharmacy_id)
        assert caught.value.code == "host.address_taken"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"host_ip": "10.0.0.999"}, "host_ip"),
        ({"pharmacy_id": 99}, "pharmacy_id"),
        ({"credential_id": 99}, "credential_id"),
        ({"credential": None}, "credential"),
        ({"addresses": ("x y",)}, "addresses"),
        ({"fingerprint": "zz" * 32}, "fingerprint"),
    ],
)
async def test_each_wrong_field_is_named(rig: Rig, more: dict[str, object], field: str) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        pharmacy = (await rig.pharmacy()).id
        form = rig.form(sim[0], pharmacy)
        if "credential_id" in more:
            more["credential"] = None
        with pytest.raises(Invalid) as caught:
            await rig.hosts.add(ADMIN, msgspec.structs.replace(form, **more))
        assert list(caught.value.fields) == [field]


async def test_secrets_are_sealed_for_their_own_row(rig: Rig) -> None:
    async with SimFleet(2, clock=rig.clock) as sim:
        shared = await rig.credential()
        first = await rig.add(sim[0], credential_id=shared.id)
        second = await rig.add(sim[1], first.pharmacy_id)
        async with rig.db.read() as conn:
            cells = {row.id: row.password for row in await conn.execute(select(proxmox_hosts))}
            secret = await conn.scalar(select(credentials.c.secret))
        assert cells[first.id] is None
        for cell in (cells[second.id], secret):
            assert PASSWORD.encode() not in cell
        rig.clients.keep(second.id, secret)
        with pytest.raises(Exception, match="vault"):
            rig.clients.credential(rig.directory.host(second.id))  # type: ignore[arg-type]


async def test_changing_only_what_is_given(rig: Rig) -> None:
    async with SimFleet(2, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        asked = sim[0].requests
        quiet = await rig.hosts.change(ADMIN, row.id, HostPatch(maintenance=True, maintenance_note=" SSD "))
        assert (quiet.status, quiet.maintenance_note) == ("maintenance", "SSD")
        assert sim[0].requests == asked
        back = await rig.hosts.change(ADMIN, row.id, HostPatch(maintenance=False))
        assert back.status == "online"

        moved = HostPatch(host_port=sim[1].port)
        with pytest.raises(Conflict) as caught:
            await rig.moving(rig.hosts.change(ADMIN, row.id, moved))
        assert caught.value.code == "host.fingerprint_differs"
        moved = msgspec.structs.replace(moved, fingerprint=sim[1].fingerprint)
        there = await rig.moving(rig.hosts.change(ADMIN, row.id, moved))
        assert (there.host_port, there.certificate.fingerprint) == (sim[1].port, sim[1].fingerprint)
        async with rig.db.read() as conn:
            active = list(await conn.execute(select(host_pins.c.fingerprint).where(host_pins.c.active)))
        assert [pin for (pin,) in active] == [sim[1].fingerprint]
        kinds = [(found.kind, found.params.get("fields")) for found in await rig.history("host.")]
        assert kinds[0] == ("host.added", None)
        assert kinds[1] == ("host.changed", ["maintenance", "maintenance_note"])
        assert set(kinds[-1][1] or ()) == {"host_port", "pins"}


async def test_from_a_shared_set_to_an_own_credential_and_back(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        shared = await rig.credential()
        row = await rig.add(sim[0], credential_id=shared.id)
        sim[0].world.users["ops@pve"] = User("ops@pve", "second")
        own = HostPatch(credential=OwnCredential(username="ops@pve", secret="second"))
        changed = await rig.moving(rig.hosts.change(ADMIN, row.id, own))
        assert (changed.credential_id, changed.username) == (None, "ops@pve")
        await rig.restart()
        assert (await rig.clients.get(row.id).version()).version == "9.2.11"
        back = await rig.moving(rig.hosts.change(ADMIN, row.id, HostPatch(credential_id=shared.id)))
        assert (back.credential_id, back.username) == (shared.id, "root@pam")
        async with rig.db.read() as conn:
            assert await conn.scalar(select(proxmox_hosts.c.password)) is None


async def test_a_client_lives_until_what_it_is_made_of_changes(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        shared = await rig.credential()
        row = await rig.add(sim[0], credential_id=shared.id)
        client = rig.clients.get(row.id)
        await rig.hosts.change(ADMIN, row.id, HostPatch(maintenance=True))
        assert rig.clients.get(row.id) is client
        await rig.hosts.credentials.change(ADMIN, shared.id, CredentialPatch(name="renamed"))
        assert rig.clients.get(row.id) is client
        await rig.hosts.credentials.change(ADMIN, shared.id, CredentialPatch(secret="changed"))
        assert rig.clients.get(row.id) is not client
        await rig.hosts.remove(ADMIN, row.id)
        with pytest.raises(NotFound):
            rig.clients.get(row.id)


async def test_a_host_with_guests_is_removed_only_by_force(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        await rig.fleet.start()
        await rig.until(lambda: rig.inventory.view.of_host(row.id))
        with pytest.raises(Conflict) as caught:
            await rig.hosts.remove(ADMIN, row.id)
        assert (caught.value.code, caught.value.params["count"]) == ("host.has_guests", 4)
        await rig.hosts.remove(ADMIN, row.id, force=True)
        with pytest.raises(NotFound):
            rig.hosts.get(ADMIN, row.id)
        await rig.restart()
        assert not rig.directory.hosts
        again = await rig.add(sim[0], row.pharmacy_id)
        assert again.id > row.id


async def test_health_live_and_last_known(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        view = await rig.moving(rig.hosts.health(ADMIN, row.id), step=0.05)
        assert (view.status, view.checked) == ("online", "live")
        assert {step.state for step in view.steps} == {"ok"}
        sim[0].faults.set("http_5xx")
        view = await rig.moving(rig.hosts.health(ADMIN, row.id), step=0.05)
        assert (view.status, view.reason) == ("offline", "host_fault")
        assert [(step.step, step.code) for step in view.steps if step.state == "failed"] == [("api", "pve.host_fault")]
        sim[0].faults.clear()
        sim[0].faults.set("latency", ms=60_000)
        view = await rig.moving(rig.hosts.health(ADMIN, row.id), step=1.0)
        assert view.checked == "last_known"
        assert view.age_s is not None
        assert view.age_s < 30


@pytest.mark.parametrize(
    ("fault", "layer"),
    [("changed_certificate", "certificate"), ("credential_revoked", "login"), ("http_403", "permission"),
     ("refused", "tcp"), ("acl_lost", "permission")],
)  # fmt: skip
async def test_health_names_the_broken_layer(rig: Rig, fault: str, layer: str) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        sim[0].faults.set(fault)
        view = await rig.moving(rig.hosts.health(ADMIN, row.id))
        assert [step.step for step in view.steps if step.state == "failed"] == [layer]


async def test_who_may_not_see_finds_nothing_and_who_may_only_see_changes_nothing(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        row = await rig.add(sim[0])
        viewer = grant(f"/pharmacy/{row.pharmacy_id}", Privilege.SEE)
        assert rig.hosts.get(viewer, row.id).id == row.id
        assert rig.hosts.list(viewer)[1] == 1
        assert rig.hosts.list(NOBODY) == ([], 0)
        with pytest.raises(NotFound):
            rig.hosts.get(NOBODY, row.id)
        for work in (
            rig.hosts.remove(viewer, row.id, force=True),
            rig.hosts.change(viewer, row.id, HostPatch(maintenance=True)),
            rig.hosts.pin(viewer, row.id, sim[0].fingerprint),
            rig.hosts.add(viewer, rig.form(sim[0], row.pharmacy_id)),
            rig.hosts.probe(viewer, "127.0.0.1", 1),
            rig.hosts.credentials.all(viewer),
            rig.hosts.credentials.add(viewer, CredentialForm(name="x", username="a@b", secret="x")),
            rig.hosts.enrolment.check(viewer, "code,name,host_ip\n1,2,3"),
        ):
            with pytest.raises(Forbidden):
                await work


async def test_credential_sets(rig: Rig) -> None:
    async with SimFleet(1, clock=rig.clock) as sim:
        shared = await rig.credential()
        await rig.add(sim[0], credential_id=shared.id)
        [row] = await rig.hosts.credentials.all(ADMIN)
        assert (row.name, row.host_count) == ("all hosts", 1)
        assert "secret" not in msgspec.to_builtins(row)
        with pytest.raises(Conflict) as caught:
            await rig.credential()
        assert caught.value.code == "credential.name_taken"
        with pytest.raises(Conflict) as caught:
            await rig.hosts.credentials.remove(ADMIN, shared.id)
        assert caught.value.code == "credential.in_use"
        for number in (99, 2**70):
            with pytest.raises(NotFound):
                await rig.hosts.credentials.remove(ADMIN, number)
        assert all("secret" not in str(e.params.get("secret", "")) for e in await rig.history())
        assert PASSWORD not in repr(await rig.history())
