"""The server: uvicorn, which says in our log when it listens."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import structlog
import uvicorn
from uvicorn.server import Server

from app.web.protocol import HttpProtocol

BACKLOG = 2048
DRAIN_SECONDS = 8

logger = structlog.get_logger()


class TellingServer(Server):
    """Says once where it can be reached, and ends streams before it waits for what is being answered."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if not self.started:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        logger.info("listening", action="listening", address=url, console=f"{url}/console", docs=f"{url}/docs")


def serve(app: object, *, host: str, port: int, end_streams: Callable[[], None]) -> None:
    """Answer until a signal ends the process; `end_streams` lets what would go on for long end at once then."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type] # any ASGI application
        http=HttpProtocol,
        host=host,
        port=port,
        access_log=False,
        log_config=None,  # its lines go our way
        log_level="warning",
        backlog=BACKLOG,
        # without a limit whoever reads slowly would keep the process from ending
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = TellingServer(config, end_streams)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)
