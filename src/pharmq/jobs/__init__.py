"""Power actions on guests, one or thousands, as durable jobs: every power action of PharmQ goes through here.

- bootstrap makes ``JobsService`` (``service``) and calls ``await start()`` after the inventory is loaded,
  ``await aclose()`` before the host clients are closed.
- inventory shows ``active_task(vm_id)`` as a row's ``task``; live takes jobs from ``board.job(id)`` and
  ``board.job_ids()``; the summary counts with ``open_count()``.
- ``submit``, ``preview``, ``cancel``, ``page``, ``get``, ``items``, ``item_log`` take an actor first.
"""
