"""Open published versions within a memory budget, and leave alone for a while what could not be opened."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from app.core.catalog import AliasedVersion
from app.core.errors import VersionNotLoaded, WordkinError
from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE, read_manifest
from app.core.table.reading import open_table
from app.serving.version import ServedVersion

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0
MEBIBYTE = 1 << 20

Key = tuple[str, int]
logger = structlog.get_logger()


@dataclass(frozen=True)
class _Failure:
    reason: str
    attempts: int
    next_try: float


class Loader:
    """Opens versions; used by one thread at a time."""

    def __init__(self, storage: Storage, budget_bytes: int, searching: Executor) -> None:
        self._storage = storage
        self._budget_bytes = budget_bytes
        self._searching = searching
        self._failures: dict[Key, _Failure] = {}

    def load(
        self, entry: AliasedVersion, versions: dict[Key, ServedVersion], *, pinned: Collection[Key]
    ) -> ServedVersion:
        """Verify, map and warm a version.

        Parameters
        ----------
        versions : what is loaded; to make room, what was asked for longest ago and is not `pinned` is removed from it
        pinned : what must stay

        Raises
        ------
        VersionNotLoaded
        """
        key = (entry.model, entry.version)
        failure = self._failures.get(key)
        if failure and time.monotonic() < failure.next_try:
            raise self._not_loaded(entry, failure.reason)
        started = time.monotonic()
        try:
            version = self._open(entry, versions, pinned)
        except Exception as error:
            reason = error.detail if isinstance(error, WordkinError) else f"{type(error).__name__}: {error}"
            self._note(key, failure.attempts + 1 if failure else 1, reason)
            raise self._not_loaded(entry, reason) from error
        self._failures.pop(key, None)
        seconds = round(time.monotonic() - started, 3)
        logger.info("loaded", action="version_loaded", model=entry.model, version=entry.version, seconds=seconds)
        return version

    def _open(
        self, entry: AliasedVersion, versions: dict[Key, ServedVersion], pinned: Collection[Key]
    ) -> ServedVersion:
        folder = self._storage.local_folder(entry.prefix, [MANIFEST_FILE])
        manifest = read_manifest(folder, entry.manifest_sha256)
        self._make_room(sum(file.n_bytes for file in manifest.files.values()), versions, pinned)
        folder = self._storage.local_folder(entry.prefix, [*manifest.files, MANIFEST_FILE])
        table = open_table(folder, entry.manifest_sha256)
        differences = table.manifest.text.differences()
        if differences:
            # Few characters change between Unicode versions: worth a line in the log, not a refusal
            logger.warning("text may be read otherwise", action="text_differs", prefix=entry.prefix, why=differences)
        version = ServedVersion(entry, table, self._searching)
        version.warm()
        return version

    def _make_room(self, n_bytes: int, versions: dict[Key, ServedVersion], pinned: Collection[Key]) -> None:
        """Admit before loading. A version that an alias is about to leave counts no longer: both fit for a moment."""
        stay = {key: version.table.n_bytes for key, version in versions.items() if key in pinned}
        free = self._budget_bytes - sum(stay.values())
        if n_bytes > free:
            raise VersionNotLoaded(
                f"It takes {n_bytes / MEBIBYTE:.1f} MiB, but {max(free, 0) / MEBIBYTE:.1f} MiB are left of "
                f"{self._budget_bytes / MEBIBYTE:.1f} MiB (WORDKIN_MODEL_MEMORY_BYTES)."
            )
        on_demand = [(v.asked_by_number, key) for key, v in versions.items() if key not in pinned and v.asked_by_number]
        used = sum(versions[key].table.n_bytes for _, key in on_demand)
        for _, key in sorted(on_demand):
            if n_bytes + used <= free:
                break
            used -= versions[key].table.n_bytes
            logger.info("dropped", action="version_dropped", model=key[0], version=key[1])
            self.forget([versions.pop(key)])

    def forget(self, versions: Collection[ServedVersion]) -> None:
        """Drop downloaded files; requests that still hold a version keep its mapped files readable."""
        for version in versions:
            self._storage.forget_local(version.prefix)

    def _note(self, key: Key, attempts: int, reason: str) -> None:
        wait = min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LONGEST_RETRY_SECONDS)
        self._failures[key] = _Failure(reason, attempts, time.monotonic() + wait)
        logger.error("not loaded", action="version_load_failed", model=key[0], version=key[1], reason=reason)

    @staticmethod
    def _not_loaded(entry: AliasedVersion, reason: str) -> VersionNotLoaded:
        return VersionNotLoaded(
            f"Version {entry.version} of {entry.model!r} cannot be loaded: {reason}",
            model=entry.model,
            version=entry.version,
        )
