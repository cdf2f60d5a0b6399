"""The server: uvicorn, which says in our log when it listens, and leaves in steps."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from contextlib import suppress
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.server import Server

from app.core.settings import Settings
from app.web.protocol import HttpProtocol

BACKLOG = 2048
DRAIN_SECONDS = 8
"""For so long answers that are being given are waited for, once nothing new is taken."""
TICK_SECONDS = 0.05

logger = structlog.get_logger()


class TellingServer(Server):
    """Says once where it can be reached; at its end it first says that it leaves, and answers for a while.

    A second signal cuts that time short. Streams, which would go on for long, end before it waits for what is being
    answered.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, leave_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._leave_seconds = leave_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self._leave_seconds = 0.0
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.feed.end()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if not self.started:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        logger.info("listening", action="listening", address=url, console=f"{url}/console", docs=f"{url}/docs")

    async def main_loop(self) -> None:
        await super().main_loop()
        asked_at = time.monotonic()
        self._app.state.is_leaving = True
        logger.info("leaving", action="leaving", seconds=self._leave_seconds)
        while time.monotonic() - asked_at < self._leave_seconds and not self.force_exit:
            await asyncio.sleep(TICK_SECONDS)


def server_of(app: FastAPI, settings: Settings) -> TellingServer:
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,  # its lines go our way
        log_level="warning",
        backlog=BACKLOG,
        # without a limit whoever reads slowly would keep the process from ending
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return TellingServer(config, app, settings.leave_seconds)


def serve(app: FastAPI, settings: Settings) -> None:
    """Answer until a signal ends the process."""
    server = server_of(app, settings)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)
