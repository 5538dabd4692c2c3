"""Any VM's screen in the browser: a one-time session, the host's console opened and authenticated here, then a pipe.

No ticket, password or address of a host reaches a browser, a log or the database.
"""
