"""How one client proves who it is: an API token, or a ticket that is made, renewed and, once refused, never retried.

Ages are measured by our own clock from the moment we got the ticket, so that a host whose clock is wrong
does not matter. Outside rules: a ticket lives 2 h; the ticket itself works as a password for a new one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote, urlencode

from pharmq.base.clock import Clock
from pharmq.base.secret import Secret
from pharmq.pve.decode import decode_login
from pharmq.pve.errors import CredentialRefused, NeedTfa, ParameterRefused, PveError
from pharmq.pve.faults import fault_of
from pharmq.pve.http1 import Reply
from pharmq.pve.model import Credential, TokenCredential
from pharmq.pve.wire import Request

RENEW_AFTER = 3600.0
"""Seconds: half of a ticket's life, so that an hour of failing renewals still leaves it usable."""
TICKET_LIFE = 7200.0

Send = Callable[[Request], Awaitable[Reply]]
Headers = tuple[tuple[str, str], ...]


class Ticket(NamedTuple):
    cookie: str
    value: Secret
    csrf: Secret
    made_at: float


class Session:
    """``headers`` gives what authorises a request; ``refused`` is told of a 401 and says whether to try once more."""

    def __init__(self, credential: Credential, clock: Clock, send: Send) -> None:
        self._credential = credential
        self._clock = clock
        self._send = send
        self._ticket: Ticket | None = None
        self._gate = asyncio.Lock()
        self.latched: PveError | None = None
        """Why this credential is not used any more; nothing leaves for the host while it is set."""

    @property
    def username(self) -> str:
        return self._credential[0]

    @property
    def uses_token(self) -> bool:
        return isinstance(self._credential, TokenCredential)

    def forgive(self) -> None:
        """A person says: try again (the account was enabled, the host's fault was cured)."""
        self.latched = None
        self._ticket = None

    async def headers(self, *, write: bool) -> Headers:
        """Raises the latched error, or what a login that was needed now ran into."""
        self._raise_latched()
        if isinstance(self._credential, TokenCredential):
            token = f"{self.username}={self._credential.secret.reveal()}"
            if not (token.isascii() and token.isprintable()):
                # A line break here would be a header of its own; no real token has one.
                self.latched = CredentialRefused("the token holds characters that no token has")
                raise self.latched
            return (("Authorization", f"PVEAPIToken={token}"),)
        ticket = self._ticket
        if ticket is None or self._age(ticket) >= RENEW_AFTER:
            ticket = await self._refresh(ticket)
        if write:
            return (("Cookie", ticket.cookie), ("CSRFPreventionToken", ticket.csrf.reveal()))
        return (("Cookie", ticket.cookie),)

    async def login(self) -> None:
        """A fresh login by password; for a token, nothing. Raises CredentialRefused, NeedTfa and the others."""
        self._raise_latched()
        if not isinstance(self._credential, TokenCredential):
            async with self._gate:
                self._raise_latched()
                self._ticket = None
                self._ticket = await self._log_in()

    async def refused(self, headers: Headers, error: CredentialRefused) -> bool:
        """A request with ``headers`` got a 401. True: there is a new ticket, send it once more. Else latched."""
        self._raise_latched()
        if isinstance(self._credential, TokenCredential):
            self.latched = error
            return False
        ticket = self._ticket
        if ticket is not None and ("Cookie", ticket.cookie) in headers:
            self._ticket = None
        await self._refresh(None)
        return True

    def refused_again(self, error: CredentialRefused) -> None:
        """The host refuses a ticket that it gave a moment ago; another login would change nothing."""
        self.latched = error

    def _age(self, ticket: Ticket) -> float:
        return self._clock.monotonic() - ticket.made_at

    def _raise_latched(self) -> None:
        if self.latched is not None:
            raise self.latched

    async def _refresh(self, known: Ticket | None) -> Ticket:
        """A ticket newer than ``known``; whoever comes while another one logs in takes its result."""
        async with self._gate:
            self._raise_latched()
            current = self._ticket
            if current is not None and current is not known and self._age(current) < RENEW_AFTER:
                return current
            if current is not None and self._age(current) < TICKET_LIFE:
                self._ticket = await self._renew(current)
            else:
                self._ticket = await self._log_in()
            return self._ticket

    async def _renew(self, old: Ticket) -> Ticket:
        reply = await self._send(self._login_request(old.value))
        if reply.status == 200:
            return self._ticket_of(reply)
        # Refused: the host's key rotated or the user changed. Other answers: the password decides as well.
        return await self._log_in()

    async def _log_in(self) -> Ticket:
        assert not isinstance(self._credential, TokenCredential)
        reply = await self._send(self._login_request(self._credential.password))
        if reply.status != 200:
            error = fault_of(reply, write=False)
            if isinstance(error, ParameterRefused):
                error = CredentialRefused(error.detail)
            if isinstance(error, CredentialRefused):
                self.latched = error
            raise error
        return self._ticket_of(reply)

    def _login_request(self, password: Secret) -> Request:
        form = urlencode({"username": self.username, "password": password.reveal()})
        return Request("POST", "/access/ticket", form=form)

    def _ticket_of(self, reply: Reply) -> Ticket:
        login = decode_login(reply.body)
        if login.need_tfa:
            self.latched = NeedTfa(f"{self.username} has a second factor")
            raise self.latched
        return Ticket(
            f"PVEAuthCookie={quote(login.ticket, safe='')}",
            Secret(login.ticket),
            Secret(login.csrf),
            self._clock.monotonic(),
        )
