"""kill -9 at every point of making, rotating and removing an account, as PVE 7, 8 and 9: the credential we hold always
works, and no token stands on a host that we have not written down."""

import contextlib

import pytest
from provisioning_mortal import Died, Process
from provisioning_world import World

from pharmq.access import SYSTEM
from pharmq.provisioning.model import Administrator, ProvisionForm, RemoveForm, RotateForm
from pharmq_sim.testing import PASSWORD


async def ask(process: Process, operation: str) -> None:
    if operation == "provision":
        await process.provisioning.provision(SYSTEM, ProvisionForm(host_ids=(1,)))
    elif operation == "rotate":
        await process.provisioning.rotate(SYSTEM, RotateForm(host_ids=(1,)))
    else:
        root = Administrator(username="root@pam", secret=PASSWORD)
        await process.provisioning.remove(SYSTEM, 1, RemoveForm(administrator=root, forget_host=False))


async def whole_run(world: World, operation: str) -> int:
    """Without dying; how many points there are."""
    async with world.process() as process:
        await ask(process, operation)
        assert (await process.provisioning.run(1)) is None or not process.provisioning._accounts[1].operation
        return process.life.passed


async def finish(world: World, operation: str) -> None:
    """What the next run does: go on with what is written down, or be asked again when nothing is."""
    async with world.process() as process:
        before = await world.account()
        if operation == "provision" and (before is None or (before.operation is None and before.token is None)):
            await ask(process, operation)
        await process.provisioning.run(1)


async def at_every_point(world: World, operation: str, back) -> int:  # type: ignore[no-untyped-def]
    """Die at each point of ``operation``, judge, go on, judge again; ``back`` makes the state it begins from."""
    await back()
    points = await whole_run(world, operation)
    for dies_at in range(1, points + 1):
        await back()
        with contextlib.suppress(Died):
            async with world.process(dies_at) as process:
                await ask(process, operation)
                await process.provisioning.run(1)
        await world.works()
        await world.no_token_is_forgotten()
        await finish(world, operation)
        account = await world.account()
        assert account is not None
        assert (account.operation, account.reason) == (None, None), dies_at
        await world.works()
        assert world.tokens() == {account.token}, dies_at
        assert (account.token_next, account.token_old, account.password_next) == (None, None, None)
    return points


async def test_provisioning(world: World) -> None:
    async def back() -> None:
        """As if we had never been there."""
        sim = world.sim.world
        sim.users.pop("pharmq@pve", None)
        sim.roles.pop("PharmQ", None)
        sim.grants = [grant for grant in sim.grants if not grant.ugid.startswith("pharmq@pve")]
        async with world.process() as process:
            await forget(process)

    assert await at_every_point(world, "provision", back) > 30


async def forget(process: Process) -> None:
    """The host on root's password again, and no account."""
    from sqlalchemy import delete, select, update

    from pharmq.hosts.forms import CredentialForm
    from pharmq.hosts.tables import credentials, proxmox_hosts
    from pharmq.provisioning.tables import service_accounts

    async with process.db.transaction() as tx:
        await tx.conn.execute(delete(service_accounts))
        number = await tx.conn.scalar(select(credentials.c.id))
    if number is None:
        form = CredentialForm(name="all hosts", username="root@pam", secret=PASSWORD)
        number = (await process.hosts.credentials.add(SYSTEM, form)).id
    async with process.db.transaction() as tx:
        values = {"credential_id": number, "credential_kind": "password", "username": "root@pam", "password": None}
        await tx.conn.execute(update(proxmox_hosts).values(**values, refused_revision=None))


async def test_rotating(world: World) -> None:
    await whole_run(world, "provision")

    async def back() -> None:
        await world.works()

    assert await at_every_point(world, "rotate", back) > 30


async def test_removing_says_where_it_stopped_and_ends_clean(world: World) -> None:
    """Root's password is in memory only, so a dead run needs it typed again; the host goes on with it."""
    await whole_run(world, "provision")
    points = await whole_run(world, "remove")
    assert world.tokens() == set()
    assert "pharmq@pve" not in world.sim.world.users
    assert "PharmQ" not in world.sim.world.roles
    await world.works()
    for dies_at in range(1, points + 1, 2):
        await whole_run(world, "provision")
        with contextlib.suppress(Died):
            async with world.process(dies_at) as process:
                await ask(process, "remove")
                await process.provisioning.run(1)
        async with world.process() as process:
            await process.provisioning.run(1)
            account = await world.account()
            if account is not None:
                assert (account.operation, account.step) in {
                    (None, None),
                    ("remove", "fallback"),
                    ("remove", "erase"),
                }, dies_at
                await ask(process, "remove")
                await process.provisioning.run(1)
        assert await world.account() is None
        assert "pharmq@pve" not in world.sim.world.users
        await world.works()


@pytest.mark.parametrize("dies_at", [None])
async def test_a_rotation_killed_again_and_again_still_ends(newest: World, dies_at: None) -> None:
    await whole_run(newest, "provision")
    for dies_at_now in (9, 12, 15, 18, 21, 9, 30, 14):
        with contextlib.suppress(Died):
            async with newest.process(dies_at_now) as process:
                await ask(process, "rotate")
                await process.provisioning.run(1)
        with contextlib.suppress(Died):
            async with newest.process(dies_at_now // 2) as process:
                await process.provisioning.run(1)
        await newest.works()
        await newest.no_token_is_forgotten()
    async with newest.process() as process:
        await process.provisioning.run(1)
    account = await newest.account()
    assert account is not None
    assert newest.tokens() == {account.token}
