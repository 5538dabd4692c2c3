"""Accepting another certificate of a host that is known already."""

import msgspec

from pharmq.access import Actor, Scope, where, who
from pharmq.base.errors import Conflict, NotFound
from pharmq.base.ids import new_act_id
from pharmq.hosts import store
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import Host, Pin
from pharmq.hosts.proving import fingerprint_of, moment
from pharmq.journal import Entry
from pharmq.pve import Endpoint, PveError, probe_certificate


async def confirmed_pin(host: Host, fingerprint: str) -> Pin:
    """The pin a person confirmed. Raises Invalid, and Conflict when the host shows another certificate now."""
    wanted = fingerprint_of(fingerprint)
    for address in (host.host_ip, *host.addresses):
        try:
            seen = await probe_certificate(Endpoint(address, host.host_port))
        except PveError:
            continue
        if seen.fingerprint != wanted:
            raise Conflict("host.fingerprint_differs", params={"fingerprint": seen.fingerprint, "confirmed": wanted})
        return Pin(wanted, moment(seen.not_after), host.node)
    # Silent just now: what the person read off the host itself is all there is.
    return Pin(wanted, None, host.node)


async def repin(ground: Ground, actor: Actor, host_id: int, pin: Pin, scope: Scope) -> None:
    """Make ``pin`` the only accepted certificate; the client follows at once and the host is looked at."""
    host = ground.directory.host(host_id)
    if host is None:
        raise NotFound("host.not_found", params={"id": str(host_id)})
    now = ground.clock.now()
    before = host.pins[0].fingerprint if host.pins else None
    async with ground.db.transaction(durable=True) as tx:
        await store.set_pins(tx.conn, host_id, (pin,), actor.id, now)
        entry = Entry(
            kind="host.pinned",
            act_id=new_act_id(now),
            who=who(actor),
            where=where(scope),
            params={"fingerprint": pin.fingerprint, "before": before},
        )
        await ground.journal.append(tx, entry)
    ground.directory.put_host(msgspec.structs.replace(host, pins=(pin,)))
