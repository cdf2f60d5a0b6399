"""What a serving process holds open. Needs no web framework: versions load while that is still being imported."""

from __future__ import annotations

from app.core import logs
from app.core.database import Database
from app.core.nearest import exact
from app.core.settings import Settings
from app.core.storage import Storage
from app.serving.registry import Registry


class Resources:
    """Opened when made; versions begin to load then."""

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings.log_level, as_json=settings.log_json)
        logs.warn_of_unknown_settings()
        exact.one_thread_a_scan()
        self.database = Database(settings.database, timeout_seconds=settings.database_timeout_seconds)
        self.storage = Storage(settings.storage, cache=settings.cache)
        self.registry = Registry(self.database, self.storage, settings)
        self.registry.start()

    def close(self) -> None:
        self.registry.stop()
        self.database.close()
