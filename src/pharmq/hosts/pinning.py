"""Accepting another certificate of a host that is known already, or of one of its cluster's nodes."""

import msgspec

from pharmq.access import Actor, Scope, where, who
from pharmq.base.errors import Conflict, NotFound
from pharmq.base.ids import new_act_id
from pharmq.hosts import store
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import Host, Pin
from pharmq.hosts.proving import Shown, fingerprint_of, look_round, pins_after
from pharmq.journal import Entry


class Confirmed(msgspec.Struct, frozen=True):
    """What a person confirmed, and what the host's addresses showed at that moment."""

    pin: Pin
    shown: tuple[Shown, ...]


async def confirmed_pin(host: Host, fingerprint: str) -> Confirmed:
    """The pin a person confirmed. Raises Invalid, and Conflict when addresses answer but none shows it now."""
    wanted = fingerprint_of(fingerprint)
    shown = await look_round((host.host_ip, *host.addresses), host.host_port)
    found = [one.pin for one in shown if one.pin is not None]
    for pin in found:
        if pin.fingerprint == wanted:
            return Confirmed(pin, shown)
    if found:
        pinned = {pin.fingerprint for pin in host.pins}
        strange = next((one for one in found if one.fingerprint not in pinned), found[0])
        params = {"fingerprint": strange.fingerprint, "confirmed": wanted}
        raise Conflict("host.fingerprint_differs", params=params)
    # Silent just now: what the person read off the host itself is all there is.
    return Confirmed(Pin(wanted, None, host.node), shown)


async def repin(ground: Ground, actor: Actor, host_id: int, confirmed: Confirmed, scope: Scope) -> None:
    """Accept the confirmed certificate, and no longer the one that it replaces; the client follows at once and the
    host is looked at. Pins of a cluster's other nodes stay."""
    host = ground.directory.host(host_id)
    if host is None:
        raise NotFound("host.not_found", params={"id": str(host_id)})
    now = ground.clock.now()
    pin = confirmed.pin
    pins = pins_after(confirmed.shown, host.pins, (pin,))
    kept = {one.fingerprint for one in pins}
    before = next((one.fingerprint for one in host.pins if one.fingerprint not in kept), None)
    async with ground.db.transaction(durable=True) as tx:
        await store.set_pins(tx.conn, host_id, pins, actor.id, now)
        entry = Entry(
            kind="host.pinned",
            act_id=new_act_id(now),
            who=who(actor),
            where=where(scope),
            params={"fingerprint": pin.fingerprint, "before": before, "node": pin.node},
        )
        await ground.journal.append(tx, entry)
    ground.directory.put_host(msgspec.structs.replace(host, pins=pins))
