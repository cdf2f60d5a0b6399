"""Immutable objects in a local folder, S3, GCS or Azure, through one code path."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, from_url

if TYPE_CHECKING:
    from obstore.store import RetryConfig

from app.core.cache import Cache, write_whole
from app.core.durable import make_durable
from app.core.errors import StorageUnavailable, TableDamaged, reason
from app.core.names import folder_of
from app.core.stored_file import ObjectWriter, StoredFile

RETRY: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
"""The library gives up a connection after 5 s and an answer after 30 s; this is how often it tries."""
CREDENTIALS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP"),
    "gs": ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN"),
}
"""The variables from which the library takes them, by the scheme of the URL; those that are mostly needed."""
_UNFINISHED = re.compile(r"#\d+$")
"""The library writes a local object under such a name and renames it."""

logger = structlog.get_logger()


@contextmanager
def _reached(*, may_miss: bool = True) -> Iterator[None]:
    """Tell a store that does not answer from one that answers no; where nothing can be missing, a bucket is."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except BaseError as error:
        if isinstance(error, NotFoundError) and may_miss:
            raise
        logger.warning("storage unavailable", action="storage_unavailable", reason=_first_line(error))
        raise StorageUnavailable from error


def _first_line(error: BaseError) -> str:
    return str(error).partition("\n")[0]  # pages of debugging follow, with addresses


class Storage:
    """Objects by key, under one URL; keys are made by this service, never by users.

    Every method raises `StorageUnavailable` if the store, having been asked again and again, does not answer.
    """

    def __init__(self, url: str, *, cache: Path, cache_bytes: int | None = None) -> None:
        self._cache = Cache(cache, cache_bytes)
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._root: Path | None = None
        if parts.scheme == "file":
            self._root = Path(url2pathname(parts.path))
            self._root.mkdir(parents=True, exist_ok=True)
            self._store: obstore.store.ObjectStore = LocalStore(self._root)
        else:
            try:
                self._store = from_url(url, retry_config=RETRY)
            except BaseError as error:
                raise StorageUnavailable(self._refused(error)) from error

    @contextmanager
    def writer(self, key: str) -> Iterator[ObjectWriter]:
        """Stream an object in; after an error nothing is left of it."""
        with _reached(may_miss=False):
            writer = ObjectWriter(self._store, key, is_remote=self._root is None)
            try:
                yield writer
                writer.close()
                self._make_durable(key)
            except BaseException:
                self._abandon(writer, key)
                raise

    def _abandon(self, writer: ObjectWriter, key: str) -> None:
        del writer._writer  # an upload that is dropped before close() leaves no object
        self.delete([key])

    @_reached(may_miss=False)
    def put(self, content: bytes, key: str) -> None:
        """Create or replace a small object."""
        obstore.put(self._store, key, content)
        self._make_durable(key)

    @_reached()
    def read(self, key: str) -> bytes | None:
        """A small object whole; None if there is none."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError):
            return None

    @_reached()
    def beginning(self, key: str, n_bytes: int) -> bytes | None:
        """The first bytes of an object that has at least so many; None if there is none."""
        try:
            return bytes(obstore.get_range(self._store, key, start=0, end=n_bytes))
        except (NotFoundError, FileNotFoundError):
            return None

    @_reached()
    def open(self, key: str) -> IO[bytes] | None:
        """An object to be read here and there; None if there is none."""
        try:
            return cast("IO[bytes]", StoredFile(obstore.open_reader(self._store, key)))
        except (NotFoundError, FileNotFoundError):
            return None

    @_reached()
    def move(self, key: str, to: str) -> None:
        """Give an object another key."""
        obstore.rename(self._store, key, to)

    @_reached(may_miss=False)
    def put_file(self, path: Path, key: str) -> None:
        """Copy a local file in."""
        obstore.put(self._store, key, path)
        self._make_durable(key)

    @_reached(may_miss=False)
    def put_new(self, content: bytes, key: str) -> bool:
        """Create an object; False, and nothing written, if the key exists."""
        try:
            obstore.put(self._store, key, content, mode="create")
        except AlreadyExistsError:
            return False
        self._make_durable(key)
        return True

    def stream(self, key: str) -> Iterator[memoryview]:
        """Read an object piece by piece."""
        with _reached():
            for piece in obstore.get(self._store, key).stream(min_chunk_size=1 << 20):
                yield memoryview(piece)

    @_reached()
    def exists(self, key: str) -> bool:
        try:
            obstore.head(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return False
        return True

    @_reached()
    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that do not exist are passed over."""
        for key in keys:
            try:
                obstore.delete(self._store, key)
            except (NotFoundError, FileNotFoundError):
                continue

    def delete_folder(self, prefix: str) -> None:
        """Delete what lies below a folder."""
        self.delete(self.keys(prefix))
        self.forget_local(prefix)

    @_reached()
    def keys(self, prefix: str, *, modified_before: datetime | None = None) -> list[str]:
        """Keys below a folder."""
        entries = [entry for page in obstore.list(self._store, prefix) for entry in page]
        return sorted(e["path"] for e in entries if not modified_before or e["last_modified"] < modified_before)

    @_reached()
    def modified(self, prefix: str) -> dict[str, datetime]:
        """When each object below a folder was written."""
        return {entry["path"]: entry["last_modified"] for page in obstore.list(self._store, prefix) for entry in page}

    def remove_unfinished(self, before: datetime) -> int:
        """Remove what killed processes have begun to write, and folders that are empty; how many bytes there were.

        Of a local folder only. Object stores keep parts of uploads that were never completed until a lifecycle rule
        (AbortIncompleteMultipartUpload) removes them.
        """
        n_bytes = 0
        for folder, _, files in os.walk(self._root, topdown=False) if self._root else ():
            for path in (Path(folder) / name for name in files if _UNFINISHED.search(name)):
                with suppress(OSError):  # it is gone, or cannot be removed yet
                    found = path.stat()
                    if found.st_mtime < before.timestamp():
                        path.unlink()
                        n_bytes += found.st_size
            if Path(folder) != self._root and Path(folder).stat().st_mtime < before.timestamp():
                with suppress(OSError):  # it is not empty, or somebody writes there
                    Path(folder).rmdir()
        return n_bytes

    @_reached()
    def local_file(self, key: str, into: Path | None = None) -> Path:
        """The object as a local file: in place for a local folder, else downloaded (once) below `into` or the cache."""
        if self._root:
            obstore.head(self._store, key)
            return self._root / key
        target = into / key if into else self._held(key)
        if not target.exists():
            write_whole(target, self.stream(key))
            if into is None:
                self._cache.shrink()
        return target

    def _held(self, key: str) -> Path:
        """Where an object's copy is in the cache, in a folder that stays until it is released or forgotten."""
        folder = folder_of(key)
        return self._cache.hold(folder) / (key.removeprefix(folder).lstrip("/") or "object")

    def local_folder(self, prefix: str, names: Iterable[str]) -> Path:
        """The folder that holds the objects ``prefix/name`` as local files, or `TableDamaged`."""
        for name in names:
            try:
                folder = self.local_file(f"{prefix}/{name}").parent
            except (NotFoundError, FileNotFoundError) as error:
                raise TableDamaged(f"{name} is not in storage.") from error
        return folder

    def release_local(self, prefix: str) -> None:
        """Let the downloaded copy of a folder go when room is needed; at once if it is no longer in storage."""
        if self._root:
            return
        is_gone = False
        with suppress(StorageUnavailable):
            is_gone = not self.keys(prefix)
        if is_gone:
            self._cache.remove(prefix)
        else:
            self._cache.release(prefix)

    def forget_local(self, prefix: str) -> bool:
        """Drop the downloaded copy of a folder; False if its files are the objects themselves."""
        if self._root:
            return False
        self._cache.remove(prefix)
        return True

    def cached_bytes(self) -> int | None:
        """What copies take here, of a storage that is elsewhere."""
        return None if self._root else self._cache.n_bytes()

    def check(self) -> None:
        """Raise `StorageUnavailable` unless the store answers and lets us in."""
        if self._root and not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
            raise StorageUnavailable("The folder of the storage cannot be written to.")
        try:
            next(iter(obstore.list(self._store, "nothing", chunk_size=1)), None)
        except BaseError as error:
            raise StorageUnavailable(self._refused(error)) from error

    def _refused(self, error: BaseError) -> str:
        """What the store says, and where its credentials come from."""
        names = CREDENTIALS.get(self._scheme, ())
        unset = [name for name in names if name not in os.environ]
        told = f"The storage cannot be used: {_first_line(error)}."
        if names:
            told += f" Its credentials come from {', '.join(names)}"
            told += f" (not set: {', '.join(unset)})." if unset else "."
        return told

    def free_bytes(self) -> int | None:
        """Space left, where that can be known."""
        return shutil.disk_usage(self._root).free if self._root else None

    def _make_durable(self, key: str) -> None:
        """Have a local file and its folder on the disk before anything refers to it; remote stores do so themselves."""
        if not self._root:
            return
        try:
            for target in (self._root / key, (self._root / key).parent):
                make_durable(target)
        except OSError as error:
            logger.warning("storage unavailable", action="storage_unavailable", key=key, reason=str(error))
            raise StorageUnavailable(
                f"The disk of the storage does not keep what is written: {reason(error)}."
            ) from error
