"""Pictures of screens are taken in the browser, where the screen is; that they are taken is permitted and recorded
here, before anything is saved."""

from pharmq.access import Actor, Privilege, allows, require, where, who
from pharmq.base.errors import NotFound
from pharmq.base.ids import new_act_id
from pharmq.consoles.service import ConsolesService
from pharmq.http import MAX_ID
from pharmq.journal import Entry


async def picture_taken(consoles: ConsolesService, actor: Actor, vm_id: int) -> None:
    """Raises NotFound, Forbidden."""
    target = consoles.targets.get(vm_id) if vm_id <= MAX_ID else None
    if target is None or not allows(actor, Privilege.SEE, target.scope):
        raise NotFound("inventory.vm_not_found", params={"id": str(vm_id)})
    require(actor, Privilege.CONSOLE_SCREENSHOT, target.scope)
    entry = Entry(
        kind="console.screenshot",
        act_id=new_act_id(consoles.clock.now()),
        who=who(actor),
        where=where(target.scope),
        params={"vmid": target.vmid, "vm_name": target.vm_name},
        outcome="ok",
    )
    async with consoles.db.transaction(durable=True) as tx:
        await consoles.journal.append(tx, entry)
