"""Schedules: when which guests are started, shut down or looked after, and what became of each of those moments.

- bootstrap makes ``SchedulesService`` (``service``), which submits through ``JobsService``, and calls
  ``await start()`` after the jobs room has started, ``await aclose()`` before it is closed.
- ``rules`` and ``slots`` are pure: a rule and a span of time give moments, and say which holidays were avoided.
- Exactly one run per slot: the slot's row and its job are written in one transaction, and the row is unique.
"""
