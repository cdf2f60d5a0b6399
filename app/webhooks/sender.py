"""Sends what waits in the outbox, in threads of the API's process, if the settings say where messages may go."""

from __future__ import annotations

import threading

import structlog
from prometheus_client import Counter

from app.core.access import keys
from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.core.settings import Settings
from app.core.watching import webhooks

N_THREADS = 2
"""So that one receiver that answers slowly does not keep all others waiting."""
POLL_SECONDS = 1.0
STOP_SECONDS = 1.0

ATTEMPTS = Counter("wordkin_webhook_attempts_total", "Messages sent to webhooks, by what became of them", ["outcome"])

logger = structlog.get_logger()


class Sender:
    """Sends messages from `start` to `stop`, which belong to the process's start and end."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._stopping = threading.Event()
        n_threads = N_THREADS if settings.hooks or settings.private_hooks else 0
        self._threads = [threading.Thread(target=self._run, name="webhooks", daemon=True) for _ in range(n_threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(STOP_SECONDS)  # it may wait for an answer, and ends with the process

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self.send_one():
                    continue
            except DatabaseUnavailable:
                pass  # the registry says so already
            except Exception as error:
                logger.exception("webhook failed", action="webhook_failed", exc_info=error)
            self._stopping.wait(POLL_SECONDS)

    def send_one(self) -> bool:
        """Send a message that is due, if there is one; raises `DatabaseUnavailable`."""
        message = webhooks.claim(self._database)
        if message is None:
            return False
        from app.webhooks.posting import post  # noqa: PLC0415 (the HTTP client is loaded when it is needed)

        with self._database.reading() as session:
            secret = webhooks.secret_of(keys.secret_of(session, self._settings.key_secret), message.webhook_id)
        outcome = post(message.url, secret, message.id, message.body, self._settings)
        ATTEMPTS.labels("delivered" if outcome.is_delivered else "failed").inc()
        if not outcome.is_delivered:
            logger.warning("webhook not delivered", action="webhook_not_delivered", id=message.id, told=outcome.told)
        webhooks.settle(self._database, message, outcome)
        return True
