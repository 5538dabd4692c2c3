"""The stream of one browser."""

from typing import Annotated

from litestar import get
from litestar.params import HeaderParameter
from litestar.response import Stream

from pharmq.access import Actor, Privilege
from pharmq.live.service import LiveService


@get(
    "/api/stream",
    operation_id="stream",
    summary="Everything one may see, live",
    tags=["live"],
    opt={"privilege": Privilege.SEE},
    media_type="text/event-stream",
)
async def stream(
    actor: Actor,
    live: LiveService,
    tables: bool = False,
    last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID", max_length=64)] = None,
) -> Stream:
    """Server-Sent Events: ``snapshot`` in parts, then ``delta`` and ``ping``; ``Last-Event-ID`` resumes. With
    ``tables=true`` the pharmacies, hosts and VMs of a snapshot stand under ``tables``, each a list of lists: first the
    fields' names, then each row's values."""
    return Stream(
        live.stream(actor, last_event_id, tables=tables),
        media_type="text/event-stream",
        # A proxy that buffers would hold events back.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


ROUTES = [stream]
