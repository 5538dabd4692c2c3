from pathlib import Path

import pytest

from pharmq.base.secret import Secret
from pharmq.vault import MasterKey, Vault, VaultError, create_key_file, find_master_key


async def test_a_sealed_value_opens_only_in_its_own_cell(vault: Vault) -> None:
    sealed = vault.seal(Secret("비밀번호"), "credentials", 7, "secret")
    assert vault.open(sealed, "credentials", 7, "secret") == Secret("비밀번호")
    assert "비밀번호".encode() not in sealed
    for place in (("credentials", 8, "secret"), ("proxmox_hosts", 7, "secret"), ("credentials", 7, "username")):
        with pytest.raises(VaultError):
            vault.open(sealed, *place)


async def test_any_changed_byte_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(Secret("x"), "t", 1, "c")
    for at in range(len(sealed)):
        damaged = bytes(byte ^ (at == index) for index, byte in enumerate(sealed))
        with pytest.raises(VaultError):
            vault.open(damaged, "t", 1, "c")
    with pytest.raises(VaultError):
        vault.open(b"", "t", 1, "c")


async def test_sealing_twice_differs_and_survives_a_restart_with_the_same_key_only(db, clock) -> None:
    text = MasterKey.new_text()
    first = Vault(db, MasterKey.from_text(text), clock)
    await first.load()
    sealed = first.seal(Secret("x"), "t", 1, "c")
    assert sealed != first.seal(Secret("x"), "t", 1, "c")
    again = Vault(db, MasterKey.from_text(text), clock)
    await again.load()
    assert again.open(sealed, "t", 1, "c") == Secret("x")
    with pytest.raises(VaultError, match="key_wrong"):
        await Vault(db, MasterKey.from_text(MasterKey.new_text()), clock).load()


def test_a_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    text = create_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert find_master_key(path, {}) == text + "\n"
    with pytest.raises(FileExistsError):
        create_key_file(path)


def test_where_the_key_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "pharmq.key").write_text("from systemd")
    assert find_master_key(None, {}) is None
    assert find_master_key(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "from systemd"
    assert find_master_key(None, {"PHARMQ_KEY": "direct", "CREDENTIALS_DIRECTORY": str(tmp_path)}) == "direct"


@pytest.mark.parametrize("text", ["", "not base64!", "c2hvcnQ="])
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(VaultError, match="key_malformed"):
        MasterKey.from_text(text)
