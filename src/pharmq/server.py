"""Running PharmQ: one process, one listening address, an orderly end."""

import asyncio
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import uvicorn
import uvloop
from litestar import Litestar

from pharmq.base.config import Config
from pharmq.base.errors import Conflict
from pharmq.bootstrap import ROUTES, Ground, House, open_ground
from pharmq.consoles.service import PATH
from pharmq.web.app import create_app

ASGIApplication: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

log = logging.getLogger("pharmq")
SHUTDOWN_S = 3


class _Server(uvicorn.Server):
    """Ends streams and consoles before waiting for connections, so that the end takes moments, not minutes."""

    def __init__(self, config: uvicorn.Config, house: House) -> None:
        super().__init__(config)
        self.house = house

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn raises the signal again once it has stopped, which would kill us before the rooms have closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await self.house.hang_up()
        await super().shutdown(sockets)  # type: ignore[arg-type]


def _require_free(host: str, port: int) -> None:
    """Before anything else: a start that cannot listen must not touch the data, least of all replace the set-up link
    of the one that runs. Raises Conflict."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        params: dict[str, str | int] = {"host": host, "port": port, "detail": error.strerror or str(error)}
        raise Conflict("server.cannot_listen", params=params) from error


def serve(config: Config) -> None:
    """Run until SIGINT or SIGTERM. Raises Conflict when the address cannot be listened on."""
    _require_free(config.host, config.port)
    logging.basicConfig(
        level=config.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for quiet in ("alembic", "uvicorn.error"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    uvloop.run(_serve(config))
    # All is closed and written. Python's last collections would walk every object once more: half a second and more.
    gc.freeze()


async def _serve(config: Config) -> None:
    async with open_ground(config) as ground, House(config, ground) as house:
        await _offer_setup(config, ground)
        app = _with_consoles(create_app(config, ground.access, house.services(), ROUTES), house)
        settings = uvicorn.Config(
            app,
            host=config.host,
            port=config.port,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=1 << 20,
            # Proxies close what is silent for 60 s; a browser that answers no ping for as long is gone.
            ws_ping_interval=20,
            ws_ping_timeout=60,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(config.trusted_proxies),
            forwarded_allow_ips=list(config.trusted_proxies) or None,
            ssl_certfile=config.tls_certificate,
            ssl_keyfile=config.tls_key,
            timeout_graceful_shutdown=SHUTDOWN_S,
            backlog=512,
        )
        settings.load()
        _reload_certificate_on_hangup(settings, config)
        log.info("listening on %s", config.origin)
        await _Server(settings, house).serve()


def _with_consoles(web: Litestar, house: House) -> ASGIApplication:
    """Consoles' WebSockets pass by the web framework: its work per message would be paid for every frame."""
    socket = house.console_socket()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket" and scope["path"].startswith(PATH):
            await socket(scope, receive, send)
        else:
            await web(scope, receive, send)

    return app


async def _offer_setup(config: Config, ground: Ground) -> None:
    """On the first start, one link to create the administrator; on standard output, never in a log."""
    if not await ground.access.needs_setup():
        return
    link = await ground.access.new_setup_link()
    sys.stdout.write(
        f"\nNo administrator yet. Open this link once, within 24 hours:\n  {config.origin}/setup#{link.reveal()}\n\n"
    )
    sys.stdout.flush()


def _reload_certificate_on_hangup(settings: uvicorn.Config, config: Config) -> None:
    """A renewed certificate is taken into use by SIGHUP; connections that are open go on."""

    def reload() -> None:
        if isinstance(settings.ssl, ssl.SSLContext) and config.tls_certificate and config.tls_key:
            try:
                settings.ssl.load_cert_chain(config.tls_certificate, config.tls_key)
                log.info("certificate loaded again")
            except (OSError, ssl.SSLError) as error:
                log.warning("the new certificate cannot be used, the old one stays: %s", error)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
