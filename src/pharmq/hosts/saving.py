"""Writing a new host, with its pin, its sealed credential and its journal row."""

import msgspec

from pharmq.access import Actor, Scope, where, who
from pharmq.base.ids import new_act_id
from pharmq.base.secret import Secret
from pharmq.db import Tx
from pharmq.hosts import store
from pharmq.hosts.choosing import latched
from pharmq.hosts.clients import HOSTS_COLUMN, HOSTS_TABLE
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import Host, HostState
from pharmq.hosts.proving import Proof
from pharmq.hosts.states import step
from pharmq.journal import Entry


async def save_new(
    ground: Ground,
    tx: Tx,
    actor: Actor,
    proof: Proof,
    own_secret: Secret | None,
    scope: Scope,
    pharmacy_name: str,
) -> tuple[Host, HostState]:
    """The host as it was written; ``scope`` is its pharmacy's. The caller puts it into the directory after the
    commit. Raises IntegrityError when its address is taken."""
    now = ground.clock.now()
    state = step(proof.host, HostState(), proof.check, 1, where(scope)).state
    host = await store.insert_host(tx.conn, proof.host, state, pharmacy_name, now)
    await store.set_pins(tx.conn, host.id, host.pins, actor.id, now)
    sealed: bytes | None = None
    if own_secret is not None:
        sealed = ground.vault.seal(own_secret, HOSTS_TABLE, host.id, HOSTS_COLUMN)
        await store.set_password(tx.conn, host.id, sealed)
    if state.reason is not None and proof.check.credential_revision == host.credential_revision:
        host = latched(host, state.reason)
        await store.write_state(tx.conn, host, state)
    inside = msgspec.structs.replace(
        scope, paths=scope.paths | {f"/host/{host.id}"}, pharmacy_id=host.pharmacy_id, host_id=host.id
    )
    params = {"host": host.host_ip, "port": host.host_port, "reason": state.reason}
    entry = Entry(kind="host.added", act_id=new_act_id(now), who=who(actor), where=where(inside), params=params)
    await ground.journal.append(tx, entry)
    tx.after_commit(lambda: ground.clients.keep(host.id, sealed))
    return host, state
