"""Cancelling what a job has not begun: by a person, or because its deadline has passed."""

from pharmq.jobs.course import Surroundings
from pharmq.jobs.events import finished_entry
from pharmq.jobs.gates import Gates
from pharmq.jobs.options import EndedBy


async def stop_waiting(around: Surroundings, job_id: int, by: EndedBy) -> None:
    """What is under way on a host ends by itself; the job ends with the last of it, or now."""
    now = around.clock.now()
    async with around.db.transaction(durable=True) as tx:
        items = await Gates(around.store).stop(tx.conn, job_id, by, now)
        await around.store.begin_job(tx.conn, job_id, now)
        tx.after_commit(lambda: around.board.stopped(job_id, by, items) if items else None)
        counts = await around.store.close_job(tx.conn, job_id, now)
        if counts is not None:
            tx.after_commit(lambda: around.board.ended(job_id, counts, now))
            if items:
                await around.journal.append(tx, finished_entry(items[0], counts))
