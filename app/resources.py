"""What a serving process holds open. Needs no web framework: versions load while that is still being imported."""

from __future__ import annotations

from threading import Thread

import structlog

from app.core import logs
from app.core.database import Database
from app.core.errors import StorageUnavailable
from app.core.nearest import exact
from app.core.settings import Settings
from app.core.storage import Storage
from app.serving.keyring import Keyring
from app.serving.registry import Registry
from app.webhooks.sender import Sender

logger = structlog.get_logger()


class Resources:
    """Opened when made; versions begin to load then."""

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings.log_level, as_json=settings.log_json)
        logs.warn_of_unknown_settings()
        exact.one_thread_a_scan()
        self.database = Database(settings.database, timeout_seconds=settings.database_timeout_seconds)
        self.storage = Storage(settings.storage, cache=settings.cache, cache_bytes=settings.cache_bytes)
        Thread(target=self._try_storage, name="storage-start", daemon=True).start()  # it may take its time to refuse
        self.registry = Registry(self.database, self.storage, settings)
        self.registry.start()
        self.keyring = Keyring(self.database, settings)
        self.keyring.start()
        self.sender = Sender(self.database, settings)
        self.sender.start()

    def _try_storage(self) -> None:
        try:
            self.storage.check()
        except StorageUnavailable as error:
            logger.error("storage cannot be used", action="storage_refused", reason=error.detail)

    def close(self) -> None:
        self.registry.stop()
        self.keyring.stop()
        self.sender.stop()
        self.database.close()
