"""``python -m trainer``: settings -> worker."""

from __future__ import annotations

import signal
import sys

from app.core import logs
from app.core.database import Database
from app.core.errors import StorageUnavailable
from app.core.parent import FLAG, end_with_parent
from app.core.settings import Settings
from app.core.storage import Storage
from trainer.work import metrics
from trainer.work.worker import Worker


def main() -> None:
    settings = Settings.of_process()
    logs.configure(settings.log_level, as_json=settings.log_json)
    if FLAG not in sys.argv:  # else the API beside it says so
        logs.warn_of_unknown_settings()
    metrics.serve(settings)
    database = Database(settings.database, timeout_seconds=settings.database_timeout_seconds)
    try:
        storage = Storage(settings.storage, cache=settings.cache, cache_bytes=settings.cache_bytes)
    except StorageUnavailable as error:
        sys.exit(f"error: {error.detail}")
    worker = Worker(database, storage, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    end_with_parent()
    try:
        worker.run()
    finally:
        database.close()


if __name__ == "__main__":
    main()
