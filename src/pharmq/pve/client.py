"""One Proxmox VE host, asked and told. Every method is one call, typed, with a time-out, and raises a PveError."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from pharmq.base.clock import Clock
from pharmq.pve import decode
from pharmq.pve.care import CareCalls
from pharmq.pve.errors import (
    CredentialRefused,
    NotSupported,
    OutcomeUnknown,
    ParameterRefused,
    ProtocolError,
    PveError,
    Unreachable,
)
from pharmq.pve.faults import fault_of
from pharmq.pve.http1 import Reply
from pharmq.pve.model import (
    Credential,
    Current,
    Endpoint,
    Guest,
    GuestConfig,
    Interface,
    NodeStatus,
    Pins,
    Resources,
    TaskLog,
    TaskRow,
    TaskStatus,
    Timeouts,
    Upid,
    Verb,
    Version,
    VncTicket,
)
from pharmq.pve.session import Session
from pharmq.pve.websocket import ConsoleStream, open_console
from pharmq.pve.wire import Limiter, Request, TlsTransport, Transport

RETRY_FIRST_AFTER = 300.0
"""Seconds for which an alternate address that worked is asked first, before the main one gets its chance again."""

_DEFAULT_TIMEOUTS = Timeouts()

Param = str | int | bool


class PveClient(CareCalls):
    """One per host; rebuilt when address, credential or pins change. Keeps a ticket, and for seconds a connection.

    ``handshakes`` bounds TLS handshakes across clients (any async context manager, e.g. a Semaphore);
    ``alternates`` are further addresses of the same host, tried in order while the first is unreachable.
    Every method may raise Unreachable, CertificateChanged, CredentialRefused, NeedTfa, PermissionDenied,
    ClusterDown, HostFault, ProtocolError; a write also OutcomeUnknown; further ones are named there.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credential: Credential,
        pins: Pins,
        *,
        clock: Clock,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
        handshakes: Limiter | None = None,
        alternates: Sequence[Endpoint] = (),
        transport: Transport | None = None,
    ) -> None:
        self.endpoints: tuple[Endpoint, ...] = (endpoint, *alternates)
        self.pins = pins
        self._clock = clock
        self._timeouts = timeouts
        self._handshakes = handshakes
        self._transport: Transport = transport or TlsTransport(pins, timeouts, handshakes)
        self._session = Session(credential, clock, self._send_login)
        self._preferred = 0
        self._preferred_since = 0.0
        self._closed = False

    @property
    def endpoint(self) -> Endpoint:
        """The address that is asked first now."""
        return self.endpoints[self._preferred]

    @property
    def latched(self) -> PveError | None:
        """Why this client refuses to ask: a rejected credential or a second factor. None while it may."""
        return self._session.latched

    @property
    def uses_token(self) -> bool:
        """Signed in by an API token, which some hosts let into fewer places than a password."""
        return self._session.uses_token

    def forgive(self) -> None:
        """Drop the latch: a person wants the same credential tried again."""
        self._session.forgive()

    async def close(self) -> None:
        """No further request leaves; those under way end by themselves."""
        self._closed = True
        if isinstance(self._transport, TlsTransport):
            self._transport.forget()

    # -- reads ---------------------------------------------------------------------------------------------

    async def login(self) -> None:
        """Prove the credential now (a token is proved by its first use). Raises CredentialRefused, NeedTfa."""
        await self._session.login()

    async def version(self) -> Version:
        return decode.decode_version(await self._get("/version"))

    async def resources(self) -> Resources:
        """Everything that one poll needs. Lags up to 12 s behind an action. An account without rights gets an
        empty answer, not an error."""
        return decode.decode_resources(await self._get("/cluster/resources"))

    async def permissions(self) -> dict[str, frozenset[str]]:
        """Our own privileges by path."""
        return decode.decode_permissions(await self._get("/access/permissions"))

    async def node_status(self, node: str) -> NodeStatus:
        return decode.decode_node_status(await self._get(f"/nodes/{_seg(node)}/status"))

    async def current(self, guest: Guest) -> Current:
        """The guest's state now. Raises NoSuchGuest."""
        return decode.decode_current(await self._get(f"{_path(guest)}/status/current", keep=True))

    async def config(self, guest: Guest) -> GuestConfig:
        """Raises NoSuchGuest."""
        return decode.decode_config(await self._get(f"{_path(guest)}/config"))

    async def task_status(self, upid: Upid) -> TaskStatus:
        """Raises ParameterRefused when the host does not know the task (any more)."""
        return decode.decode_task_status(await self._get(f"{_task(upid)}/status", keep=True))

    async def task_log(self, upid: Upid, start: int = 0, limit: int = 50) -> TaskLog:
        return decode.decode_task_log(await self._get(f"{_task(upid)}/log", {"start": start, "limit": limit}))

    async def tasks(
        self,
        node: str,
        *,
        vmid: int | None = None,
        since: int | None = None,
        until: int | None = None,
        typefilter: str | None = None,
        source: str = "all",
        start: int = 0,
        limit: int = 50,
    ) -> tuple[TaskRow, ...]:
        """Newest first. ``since``/``until`` in Unix seconds of the host's clock; ``source`` active|archive|all."""
        wanted: dict[str, Param | None] = {
            "vmid": vmid,
            "since": since,
            "until": until,
            "typefilter": typefilter,
            "source": source,
            "start": start,
            "limit": limit,
        }
        query = {name: value for name, value in wanted.items() if value is not None}
        return decode.decode_tasks(await self._get(f"/nodes/{_seg(node)}/tasks", query, keep=True))

    async def agent_interfaces(self, guest: Guest) -> tuple[Interface, ...]:
        """A QEMU guest's interfaces by its agent. Raises AgentUnavailable, NotRunning. An agent that does not
        answer blocks one of the host's three workers for 3 s: ask one guest of a host at a time, rarely."""
        return decode.decode_agent_interfaces(await self._get(f"{_path(guest)}/agent/network-get-interfaces"))

    async def lxc_interfaces(self, guest: Guest) -> tuple[Interface, ...]:
        """A running container's interfaces; empty when it is stopped."""
        return decode.decode_lxc_interfaces(await self._get(f"{_path(guest)}/interfaces"))

    # -- writes --------------------------------------------------------------------------------------------

    async def power(
        self,
        guest: Guest,
        verb: Verb,
        *,
        timeout_s: int | None = None,
        force_stop: bool = False,
        overrule_shutdown: bool = False,
    ) -> Upid:
        """Start the verb's task on the host. ``timeout_s``: how long the guest gets (not taken by every verb);
        ``force_stop``: a shutdown that times out cuts the power; ``overrule_shutdown``: a stop ends a shutdown
        that waits (PVE >= 8.1).

        Raises OutcomeUnknown (look into ``tasks``), NotRunning, AlreadyRunning, NoSuchGuest, Locked,
        NotSupported; a QEMU guest says most of these only in the task's exit status (``fault_of_exit``).
        """
        if guest.kind == "lxc" and verb == "reset":
            raise NotSupported("containers have no reset")
        form: dict[str, Param] = {}
        if timeout_s is not None and verb in _TIMED[guest.kind]:
            form["timeout"] = timeout_s
        if force_stop and verb == "shutdown":
            form["forceStop"] = 1
        if overrule_shutdown and verb == "stop":
            form["overrule-shutdown"] = 1
        return decode.decode_upid(await self._post(f"{_path(guest)}/status/{verb}", form, keep=True))

    async def vncproxy(self, guest: Guest) -> VncTicket:
        """Make the host listen for one console: 10 s, one connection. Call it only when ``open_websocket``
        follows at once, and one at a time per guest until RFB authentication is through."""
        path = f"{_path(guest)}/vncproxy"
        form: dict[str, Param] = {"websocket": 1}
        if guest.kind == "qemu":
            # Containers refuse the parameter, old hosts give the password only if it is asked for.
            form["generate-password"] = 1
        try:
            body = await self._post(path, form, self._timeouts.write)
        except ParameterRefused as error:
            if "generate-password" not in error.errors:
                raise
            body = await self._post(path, {"websocket": 1}, self._timeouts.write)
        return decode.decode_vnc(body)._replace(at=self.endpoint)

    async def termproxy(self, place: Guest | str) -> VncTicket:
        """Make the host listen for one terminal: of a container, of a VM's serial port, or of the node itself
        (its name). As short-lived as ``vncproxy``'s. A token needs access-control >= 9.0.4 (8.x: April 2026)."""
        body = await self._post(f"{_place(place)}/termproxy", {}, self._timeouts.write)
        return decode.decode_term(body)._replace(at=self.endpoint)

    async def open_websocket(self, place: Guest | str, vnc: VncTicket) -> ConsoleStream:
        """The console's bytes; ``place`` is a guest or a node's name. Raises ConsoleSilent when the upgrade gets no
        answer, ConsoleTicketRefused."""
        self._raise_closed()
        query = urlencode({"port": vnc.port, "vncticket": vnc.ticket.reveal()}, quote_via=quote)
        headers = await self._session.headers(write=False)
        request = Request("GET", f"{_place(place)}/vncwebsocket?{query}", headers)
        return await open_console(vnc.at or self.endpoint, request, self.pins, self._timeouts, self._handshakes)

    # -- how a call travels ----------------------------------------------------------------------------------

    async def _get(self, path: str, query: Mapping[str, Param] | None = None, *, keep: bool = False) -> bytes:
        full = f"{path}?{urlencode(query)}" if query else path
        return (await self._call("GET", full, None, self._timeouts.read, keep=keep)).body

    async def _post(
        self, path: str, form: Mapping[str, Param], timeout: float | None = None, *, keep: bool = False
    ) -> bytes:
        return (await self._call("POST", path, urlencode(form), timeout or self._timeouts.write, keep=keep)).body

    async def _call(self, method: str, path: str, form: str | None, timeout: float, *, keep: bool = False) -> Reply:
        """Authorised, with one fresh login after a 401 (a 401 was certainly not executed)."""
        write = method != "GET"
        headers = await self._session.headers(write=write)
        try:
            return await self._authorised(Request(method, path, headers, form, keep), timeout)
        except CredentialRefused as error:
            if not await self._session.refused(headers, error):
                raise
        headers = await self._session.headers(write=write)
        try:
            return await self._authorised(Request(method, path, headers, form, keep), timeout)
        except CredentialRefused as error:
            self._session.refused_again(error)
            raise

    async def _authorised(self, request: Request, timeout: float) -> Reply:
        write = request.method != "GET"
        try:
            reply = await self._send(request, timeout)
        except (Unreachable, ProtocolError) as error:
            if write and error.executed != "no":
                raise OutcomeUnknown(str(error)) from error
            raise
        if reply.status >= 300:
            raise fault_of(reply, write=write)
        return reply

    async def _send_login(self, request: Request) -> Reply:
        return await self._send(request, self._timeouts.read)

    async def _send(self, request: Request, timeout: float) -> Reply:
        """The first address that takes the request. Another one is tried only while nothing was sent."""
        self._raise_closed()
        first: Unreachable | None = None
        for index in self._order():
            try:
                reply = await self._transport.exchange(self.endpoints[index], request, timeout)
            except Unreachable as error:
                if error.executed != "no":
                    raise
                first = first or error
            else:
                if index != self._preferred:
                    self._preferred, self._preferred_since = index, self._clock.monotonic()
                return reply
        # What is wrong with the main address says more than that the others do not answer either.
        assert first is not None
        raise first

    def _order(self) -> list[int]:
        if self._preferred and self._clock.monotonic() - self._preferred_since > RETRY_FIRST_AFTER:
            self._preferred = 0
        others = [index for index in range(len(self.endpoints)) if index != self._preferred]
        return [self._preferred, *others]

    def _raise_closed(self) -> None:
        if self._closed:
            raise Unreachable("blocked", "this client was closed: the host's entry changed")


_TIMED: dict[str, frozenset[str]] = {
    "qemu": frozenset({"start", "shutdown", "stop", "reboot"}),
    "lxc": frozenset({"shutdown", "reboot"}),
}


def _seg(text: str) -> str:
    return quote(text, safe="")


def _path(guest: Guest) -> str:
    return f"/nodes/{_seg(guest.node)}/{guest.kind}/{guest.vmid}"


def _place(place: Guest | str) -> str:
    return f"/nodes/{_seg(place)}" if isinstance(place, str) else _path(place)


def _task(upid: Upid) -> str:
    return f"/nodes/{_seg(upid.node)}/tasks/{_seg(upid.text)}"
