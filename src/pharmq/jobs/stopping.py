"""Cancelling what a job has not begun: by a person, or because its deadline has passed."""

from sqlalchemy import Connection

from pharmq.db import Tx
from pharmq.jobs.course import Surroundings
from pharmq.jobs.events import finished_entry
from pharmq.jobs.gates import Gates
from pharmq.jobs.options import EndedBy


async def stop_waiting(around: Surroundings, job_id: int, by: EndedBy) -> None:
    """What is under way on a host ends by itself; the job ends with the last of it, or now."""
    now = around.clock.now()

    def write(conn: Connection, tx: Tx) -> None:
        items = Gates(around.store).stop(conn, job_id, by, now)
        around.store.begin_job(conn, job_id, now)
        if items:
            tx.after_commit(lambda: around.board.stopped(job_id, by, items))
        counts = around.store.close_job(conn, job_id, now)
        if counts is not None:
            tx.after_commit(lambda: around.board.ended(job_id, counts, now))
            if items:
                around.journal.put(conn, tx, finished_entry(items[0], counts))

    await around.db.do(write, durable=True)
