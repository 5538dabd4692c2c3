"""Giving a host another credential of its own, in the transaction of whoever made it."""

import msgspec

from pharmq.base.secret import Secret
from pharmq.db import Tx
from pharmq.hosts import store
from pharmq.hosts.clients import HOSTS_COLUMN, HOSTS_TABLE
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import CredentialKind, Host


async def switch_credential(
    ground: Ground, tx: Tx, host: Host, kind: CredentialKind, username: str, secret: Secret
) -> Host:
    """The host with its new credential. Clients, and whoever follows the directory, hear of it after the commit.
    The caller holds the host's turn (``HostChecks.turns``) and has proved the credential."""
    state = ground.directory.state(host.id)
    pharmacy = ground.directory.pharmacy(host.pharmacy_id)
    draft = msgspec.structs.replace(
        host,
        credential_id=None,
        credential_kind=kind,
        username=username,
        credential_revision=await store.own_revision(tx.conn, host.id) + 1,
        refused_revision=None,
    )
    sealed = ground.vault.seal(secret, HOSTS_TABLE, host.id, HOSTS_COLUMN)
    await store.update_host(tx.conn, draft, state, pharmacy.name if pharmacy else "", ground.clock.now())
    await store.set_password(tx.conn, host.id, sealed)

    def told() -> None:
        ground.clients.keep(host.id, sealed)
        ground.directory.put_host(draft)

    tx.after_commit(told)
    return draft


async def forget_set(ground: Ground, tx: Tx, credential_id: int, but: int) -> str | None:
    """Delete a shared credential that no host but ``but`` (which leaves it now) uses; its name, or None if it stays."""
    if any(host.credential_id == credential_id and host.id != but for host in ground.directory.hosts):
        return None
    stored = await store.credential_set(tx.conn, credential_id)
    if stored is None:
        return None
    await store.delete_set(tx.conn, credential_id)
    tx.after_commit(lambda: ground.clients.keep_set(credential_id, None))
    return stored.name
