"""An object in storage as something to write to, and as a file of Python for libraries that read here and there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import obstore

from app.core.errors import StorageUnavailable

CHUNK_BYTES = 8 << 20


class ObjectWriter:
    """Bytes on their way into one object, which exists only once `Storage.writer` has ended without an error."""

    def __init__(self, store: obstore.store.ObjectStore, key: str, *, is_remote: bool) -> None:
        self._is_remote = is_remote
        self._writer = obstore.open_writer(store, key, buffer_size=CHUNK_BYTES)

    def write(self, data: bytes) -> None:
        with self._reached():
            self._writer.write(data)

    def close(self) -> None:
        with self._reached():
            self._writer.close()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """The library's writer raises `OSError` of a remote store, where all else of it raises its own errors."""
        try:
            yield
        except OSError as error:
            if self._is_remote:
                raise StorageUnavailable from error
            raise


class StoredFile(io.RawIOBase):
    """The library's reader as a file of Python."""

    def __init__(self, reader: obstore.ReadableFile) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._reader.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()
