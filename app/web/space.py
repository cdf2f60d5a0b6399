"""The space that local storage must keep free, so that what runs can end."""

from __future__ import annotations

from app.core.errors import StorageFull
from app.core.settings import Settings
from app.core.storage import Storage


def check_space(storage: Storage, settings: Settings, n_bytes: int) -> None:
    """Raise `StorageFull` if to store so many bytes would leave too few."""
    free, floor = storage.free_bytes(), settings.min_free_bytes
    if free is not None and free - n_bytes < floor:
        raise StorageFull(
            f"{free} bytes are free; storing {n_bytes} would leave less than {floor}.",
            needed_bytes=n_bytes,
            free_bytes=free,
        )
