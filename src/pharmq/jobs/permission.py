"""Who may: asked for every guest when a job is submitted, and again when an item's turn comes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from pharmq.access import Actor, Privilege, Scope, allows
from pharmq.base.errors import Forbidden
from pharmq.jobs.model import ActorRef, Ending, Item, Target

ActorNow: TypeAlias = Callable[[ActorRef], Awaitable[Actor | None]]
"""Whoever asked for a job, with the grants of now; None when they may not act any more."""

NAMED_AT_MOST = 20


def require_each(actor: Actor, privilege: Privilege, targets: Sequence[Target]) -> None:
    """All or nothing. Raises Forbidden with the names of those that may not be acted upon; whoever asks sees them
    all, what they may not see was not found before."""
    refused = [target.vm_name for target in targets if not allows(actor, privilege, target.scope)]
    if refused:
        names = ", ".join(refused[:NAMED_AT_MOST]) + (" …" if len(refused) > NAMED_AT_MOST else "")
        raise Forbidden("job.forbidden", params={"privilege": privilege.value, "names": names, "count": len(refused)})


async def refusal_now(actor_now: ActorNow | None, privilege: Privilege, item: Item, scope: Scope) -> Ending | None:
    """How the item ends when whoever asked for it has lost the right meanwhile; None when it may go on."""
    if actor_now is None:
        return None
    actor = await actor_now(item.actor)
    if actor is not None and allows(actor, privilege, scope):
        return None
    return Ending("failed", "job.permission_gone", {"name": item.actor.name or item.actor.kind})
