"""Keys are changed beside a running server, whatever dies in between; and no secret is readable anywhere."""

import base64
import logging
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import LargeBinary, func, select

from house_rig import USER_PASSWORD, WholeHouse, whole_house
from pharmq.access import SYSTEM
from pharmq.base.config import Config
from pharmq.bootstrap import ROUTES, Ground, open_ground
from pharmq.db.metadata import metadata
from pharmq.provisioning.model import Administrator, ProvisionForm
from pharmq.rekeying import rotate_keys
from pharmq.schema import SEALED
from pharmq.vault import VaultError
from pharmq.vault.rotation import next_path
from pharmq.vault.service import key_of
from pharmq.vault.tables import data_keys
from pharmq_sim.testing import PASSWORD


def test_every_sealed_column_is_known_to_the_rotation() -> None:
    marked = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.c
        if isinstance(column.type, LargeBinary) and "sealed" in (column.comment or "")
    }
    assert marked == {(place.table.name, place.column) for place in SEALED}


async def keys_in_use(ground: Ground) -> set[int]:
    found: set[int] = set()
    async with ground.db.read() as conn:
        for place in SEALED:
            sealed = await conn.scalars(select(place.table.c[place.column]))
            found |= {key_of(cell) for cell in sealed if cell}
        assert set(await conn.scalars(select(data_keys.c.id))) >= found
    return found


async def test_everything_is_sealed_anew_beside_a_running_server(tmp_path: Path) -> None:
    async with whole_house(tmp_path) as house:
        await house.house.provisioning.provision(SYSTEM, ProvisionForm(host_ids=(1,)))
        await house.until(lambda: house.house.provisioning.report(SYSTEM).ready == 1)
        old_key = house.config.key_file.read_text()  # type: ignore[union-attr]
        async with open_ground(house.config) as other:
            cells, replaced = await rotate_keys(other, house.config, master=True, grace_s=0.05)
            assert (cells, replaced) == (4, True)
            assert await keys_in_use(other) == {2}
        assert house.config.key_file.read_text() != old_key  # type: ignore[union-attr]
        async with house.ground.db.read() as conn:
            assert list(await conn.scalars(select(data_keys.c.id))) == [2]
        # The server has the old master key in memory, and reads what was sealed with the new one all the same.
        await house.ground.vault.refresh()
        await house.house.provisioning.load()
        account = house.house.provisioning._accounts[1]
        assert house.house.provisioning.course._open(account, "password").reveal()
        async with open_ground(house.config) as again:
            await rotate_keys(again, house.config, master=False, grace_s=0.0)
        await house.ground.vault.refresh()
        await house.house.provisioning.load()
        assert house.house.provisioning.course._open(house.house.provisioning._accounts[1], "password").reveal()
        async with open_ground(house.config) as again:
            assert (await again.proof.check()).whole


class Killed(BaseException):
    pass


async def test_a_rotation_killed_anywhere_is_ended_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time another write is the last that happens; what is sealed opens after each."""
    async with whole_house(tmp_path) as house:
        config = house.config
    killed = 0
    while await rotate_until_killed(config, killed, monkeypatch):
        killed += 1
        async with open_ground(config) as ground:
            await everything_opens(ground)
            await rotate_keys(ground, config, master=True, grace_s=0.0)
            await everything_opens(ground)
            assert len(await keys_in_use(ground)) == 1
            async with ground.db.read() as conn:
                assert await conn.scalar(select(func.count()).select_from(data_keys)) == 1
        assert not next_path(config.key_file).exists()  # type: ignore[arg-type]
    assert killed >= 6, "a key made, two columns, the old key dropped, the master key, its file"


async def rotate_until_killed(config: Config, last: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    left = last
    with monkeypatch.context() as patch:
        async with open_ground(config) as ground:
            transaction = ground.db.transaction

            def counted(*, durable: bool = False):  # type: ignore[no-untyped-def]
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return transaction(durable=durable)

            def no_rename(path: Path) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                next_path(path).replace(path)

            patch.setattr(ground.db, "transaction", counted)
            patch.setattr("pharmq.rekeying.take_key_file", no_rename)
            try:
                await rotate_keys(ground, config, master=True, grace_s=0.0)
            except Killed:
                return True
    return False


async def everything_opens(ground: Ground) -> None:
    async with ground.db.read() as conn:
        for place in SEALED:
            query = select(place.table.c[place.row], place.table.c[place.column])
            for number, sealed in await conn.execute(query):
                if sealed:
                    assert ground.vault.open(sealed, place.table.name, number, place.column)


# --- the canary

CANARY = "CANARY-pÄss/w+rd-7f3a"


def forms_of(secret: str) -> set[bytes]:
    """A secret as it may have been written by somebody careless."""
    raw = secret.encode()
    return {
        raw,
        base64.b64encode(raw)[:-4],
        quote(secret, safe="").encode(),
        raw.hex().encode(),
        repr(secret)[1:-1].encode(),
    }


def spilled(secrets: dict[str, str], place: str, content: bytes) -> list[str]:
    return [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for form in forms_of(secret)
        if form and form in content
    ]


async def test_no_secret_is_readable_in_database_logs_answers_stream_or_tracebacks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    found: list[str] = []
    async with whole_house(tmp_path) as house:
        user = house.fleet[1].world.users["root@pam"]
        user.password = CANARY
        secrets = {"root": CANARY, "first root": PASSWORD, "a user's password": USER_PASSWORD}
        await house.user("boss", "/")
        secrets["an API token"] = bearer = await house.token("boss")
        async with house.client() as client:
            client.headers["Authorization"] = f"Bearer {bearer}"
            found += spilled(secrets, "answers", await act(house, client))
            secrets |= made_by_hosts(house)
            for path in every_get():
                answer = await client.get(path)
                found += spilled(secrets, path, answer.content + str(answer.headers).encode())
        found += spilled(secrets, "the stream", await stream_of(house))
        try:
            house.ground.vault.open(b"\x01" + bytes(60), "credentials", 1, "secret")
        except VaultError:
            found += spilled(secrets, "a traceback", traceback.format_exc().encode())
        assert repr(house.house.clients.credential(house.house.directory.host(2))).count("<secret>") == 1  # type: ignore[arg-type]
        await house.ground.proof.checkpoint()
    assert len(secrets) >= 6
    control = b"".join(path.read_bytes() for path in tmp_path.glob("pharmq.db*"))
    assert spilled({"what is not secret": "강남온누리약국"}, "the database", control), "the search finds what is there"
    for path in tmp_path.rglob("*"):
        if path.is_file():
            found += spilled(secrets, path.name, path.read_bytes())
    log = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    found += spilled(secrets, "the log", log.encode())
    assert found == []


async def act(house: WholeHouse, client) -> bytes:  # type: ignore[no-untyped-def]
    """Everything that takes a secret, with good and bad values."""
    body = b""
    credential = {"name": "canary", "kind": "password", "username": "root@pam", "secret": CANARY}
    for path, data in (
        ("/api/credentials", credential),
        ("/api/credentials", credential | {"kind": "token"}),
        ("/api/credentials", credential | {"more": CANARY}),
        ("/api/session", {"username": "boss", "password": CANARY}),
        ("/api/session", {"username": "boss", "password": USER_PASSWORD}),
    ):
        body += (await client.post(path, json=data)).content
    host = {"credential": {"kind": "password", "username": "root@pam", "secret": CANARY + "wrong"}}
    body += (await client.put("/api/proxmox/hosts/2", json=host)).content
    root = Administrator(username="root@pam", secret=CANARY)
    provisioning = house.house.provisioning
    await provisioning.provision(SYSTEM, ProvisionForm(host_ids=(1,)))
    await provisioning.provision(SYSTEM, ProvisionForm(host_ids=(2,), administrator=root))
    await house.until(lambda: provisioning.report(SYSTEM).ready == 2)
    return body


def made_by_hosts(house: WholeHouse) -> dict[str, str]:
    found = {}
    for number, sim in enumerate(house.fleet.hosts):
        account = sim.world.users["pharmq@pve"]
        found[f"service password {number}"] = account.password
        found |= {f"token {number}": token.value for token in account.tokens.values()}
    return found


def every_get() -> list[str]:
    def filled(path: str) -> str:
        parts = path.replace("{month:str}", "2026-10").split("/")
        return "/".join("1" if part.startswith("{") else part for part in parts)

    return [
        filled(path)
        for handler in ROUTES
        for path in handler.paths
        if "GET" in handler.http_methods and "stream" not in path
    ]


async def stream_of(house: WholeHouse) -> bytes:
    messages = house.house.live.stream(SYSTEM, None)
    body = b""
    for _ in range(3):
        body += await anext(messages)
    await messages.aclose()
    return body
