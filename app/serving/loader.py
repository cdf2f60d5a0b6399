"""Open published versions within a memory budget, and leave alone for a while what could not be opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from app.core.catalog import PublishedVersion
from app.core.errors import TableDamaged, VersionNotLoaded, WordkinError
from app.core.errors import reason as reason_of
from app.core.names import reference
from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE, read_manifest
from app.core.table.reading import read_table
from app.serving import measured
from app.serving.classifying import ServedClassifier
from app.serving.searchers import Searchers
from app.serving.version import ServedVersion

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0
MEBIBYTE = 1 << 20

Key = tuple[str, int]
Opened = TypeVar("Opened")
logger = structlog.get_logger()


@dataclass(frozen=True)
class _Failure:
    reason: str
    attempts: int
    next_try: float


@dataclass(frozen=True)
class Beside:
    """What is loaded when another version comes: `pinned` stays; the rest was `asked_at` a moment by its number."""

    loaded: Mapping[Key, ServedVersion]
    pinned: Collection[Key]
    asked_at: Mapping[Key, float]


class Loader:
    """Opens versions; used by one thread at a time."""

    def __init__(self, storage: Storage, budget_bytes: int, searching: Searchers) -> None:
        self._storage = storage
        self._budget_bytes = budget_bytes
        self._searching = searching
        self._failures: dict[Key, _Failure] = {}

    def load(self, entry: PublishedVersion, beside: Beside) -> tuple[ServedVersion, list[Key]]:
        """Verify, read and warm a version; also what must leave to make room for it.

        Raises
        ------
        VersionNotLoaded
        """
        return self._tried(entry, lambda: self._open(entry, beside))

    def load_classifier(self, entry: PublishedVersion, version: ServedVersion) -> ServedClassifier:
        """Verify and read a classifier that stands on this version.

        Raises
        ------
        VersionNotLoaded
        """
        return self._tried(entry, lambda: self._open_classifier(entry, version))

    def _tried(self, entry: PublishedVersion, opening: Callable[[], Opened]) -> Opened:
        """What `opening` gives, or `VersionNotLoaded`; after a failure nothing is tried for a while."""
        key = (entry.model, entry.number)
        failure = self._failures.get(key)
        if failure and time.monotonic() < failure.next_try:
            raise self._not_loaded(entry, failure.reason)
        started = time.monotonic()
        try:
            found = opening()
        except Exception as error:
            reason = error.detail if isinstance(error, WordkinError) else reason_of(error)
            self._note(key, failure.attempts + 1 if failure else 1, reason, error)
            raise self._not_loaded(entry, reason) from error
        self._failures.pop(key, None)
        seconds = round(time.monotonic() - started, 3)
        measured.LOADS.observe(seconds)
        logger.info("loaded", action="version_loaded", model=entry.model, version=entry.number, seconds=seconds)
        return found

    def _open(self, entry: PublishedVersion, beside: Beside) -> tuple[ServedVersion, list[Key]]:
        try:
            return self._open_copy(entry, beside)
        except TableDamaged as error:
            if not self._storage.forget_local(entry.prefix):
                raise
            logger.warning("fetched again", action="copy_damaged", prefix=entry.prefix, reason=error.detail)
            return self._open_copy(entry, beside)  # what is stored may be whole

    def _open_copy(self, entry: PublishedVersion, beside: Beside) -> tuple[ServedVersion, list[Key]]:
        folder = self._storage.local_folder(entry.prefix, [MANIFEST_FILE])
        manifest = read_manifest(folder, entry.manifest_sha256)
        leaving = self._room(manifest.n_bytes, beside)
        folder = self._storage.local_folder(entry.prefix, [*manifest.files, MANIFEST_FILE])
        table = read_table(folder, manifest)
        differences = table.manifest.text.differences()
        if differences:
            # Few characters change between Unicode versions: worth a line in the log, not a refusal
            logger.warning("text may be read otherwise", action="text_differs", prefix=entry.prefix, why=differences)
        version = ServedVersion(entry, table, self._searching)
        version.warm()
        return version, leaving

    def _open_classifier(self, entry: PublishedVersion, version: ServedVersion) -> ServedClassifier:
        from app.core.classifier.artefact import CLASSIFIER_FILE, fits, read_classifier  # noqa: PLC0415 (few have any)

        folder = self._storage.local_folder(entry.prefix, [CLASSIFIER_FILE, MANIFEST_FILE])
        classifier = read_classifier(folder, entry.manifest_sha256)
        self._storage.release_local(entry.prefix)
        table = version.table.manifest
        if not fits(classifier, table.n_words, table.dim):
            raise TableDamaged(f"It does not fit the version {reference(version.model, version.number)}.")
        return ServedClassifier(entry, classifier, version)

    def _room(self, n_bytes: int, beside: Beside) -> list[Key]:
        """Admit before loading: what was asked for longest ago leaves.

        A version that an alias is about to leave counts no longer: both fit for a moment.
        """
        sizes = {key: version.table.n_bytes for key, version in beside.loaded.items()}
        free = self._budget_bytes - sum(size for key, size in sizes.items() if key in beside.pinned)
        if n_bytes > free:
            raise VersionNotLoaded(
                f"It takes {n_bytes / MEBIBYTE:.1f} MiB, but {max(free, 0) / MEBIBYTE:.1f} MiB are left of "
                f"{self._budget_bytes / MEBIBYTE:.1f} MiB (WORDKIN_MODEL_MEMORY_BYTES)."
            )
        on_demand = sorted((moment, key) for key, moment in beside.asked_at.items() if key not in beside.pinned)
        used = sum(sizes[key] for _, key in on_demand)
        leaving = []
        for _, key in on_demand:
            if n_bytes + used <= free:
                break
            used -= sizes[key]
            leaving.append(key)
        return leaving

    def forget(self, versions: Collection[ServedVersion]) -> None:
        """Let downloaded files go; requests that still hold a version need them no more."""
        for version in versions:
            self._storage.release_local(version.prefix)

    def _note(self, key: Key, attempts: int, reason: str, error: Exception) -> None:
        wait = min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LONGEST_RETRY_SECONDS)
        self._failures[key] = _Failure(reason, attempts, time.monotonic() + wait)
        measured.FAILED_LOADS.inc()
        cause = str(error.__cause__ or error)
        logger.error(
            "not loaded", action="version_load_failed", model=key[0], version=key[1], reason=reason, cause=cause
        )

    @staticmethod
    def _not_loaded(entry: PublishedVersion, reason: str) -> VersionNotLoaded:
        return VersionNotLoaded(
            f"Version {entry.number} of {entry.model!r} cannot be loaded: {reason}",
            model=entry.model,
            version=entry.number,
        )
