"""Which versions are loaded, and which one a request means.

A thread follows the aliases in the database, opens what they name, and swaps one reference to an immutable snapshot. A
request takes what it needs from one snapshot and so never sees two versions. What cannot be loaded is reported and the
last good version stays. Nothing here asks database, storage or a lock for a version that is loaded.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import NoReturn

import structlog
from prometheus_client import Gauge

from app.core import catalog
from app.core.catalog import LATEST, PublishedVersion
from app.core.database import Database
from app.core.errors import (
    DatabaseUnavailable,
    ModelNotFound,
    ModelRequired,
    VersionNotFound,
    VersionNotLoaded,
)
from app.core.names import pinned_number, reference
from app.core.settings import Settings
from app.core.storage import Storage
from app.serving.loader import Beside, Key, Loader
from app.serving.version import ServedVersion

STOP_SECONDS = 2.0

LOADED = Gauge("wordkin_versions_loaded", "Versions that this process serves")
DEGRADED = Gauge("wordkin_aliases_degraded", "Aliases whose version could not be loaded")

logger = structlog.get_logger()


@dataclass(frozen=True)
class Snapshot:
    """What is served at one moment; replaced, never changed."""

    versions: Mapping[Key, ServedVersion] = field(default_factory=dict)
    aliases: Mapping[tuple[str, str], int] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    degraded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """For health checks. `degraded` says of each alias that is not served as it should be, why.

    `is_empty` says that there are aliases and none of them is served.
    """

    is_ready: bool
    is_empty: bool
    loaded: list[str]
    degraded: dict[str, str]


class Registry:
    """Follows the aliases and hands out versions. `start` and `stop` belong to the process's start and end."""

    def __init__(self, database: Database, storage: Storage, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._snapshot = Snapshot()
        self._asked_at: dict[Key, float] = {}  # when a version was last asked for by its number
        self._is_ready = False
        self._changing = threading.Lock()  # held by whoever loads; never by a query
        self._looked_at = -1.0
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="registry", daemon=True)
        self._finding = ThreadPoolExecutor(1, "registry-find")
        n_searchers = max(1, (os.cpu_count() or 1) - 1)  # the event loop has the other core
        self._searching = ThreadPoolExecutor(n_searchers, "search")
        self._loader = Loader(storage, settings.model_memory_bytes, self._searching)

    def start(self) -> None:
        self._poller.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._poller.is_alive():
            self._poller.join(STOP_SECONDS)  # it may wait for a database that is silent, and ends with the process
        self._finding.shutdown(wait=False, cancel_futures=True)
        self._searching.shutdown(wait=False, cancel_futures=True)

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def status(self) -> Status:
        snapshot = self._snapshot
        loaded = sorted(reference(model, number) for model, number in snapshot.versions)
        is_empty = bool(snapshot.degraded) and not snapshot.aliases
        return Status(self._is_ready, is_empty, loaded, dict(snapshot.degraded))

    # For requests

    def loaded(self, model: str | None, version: str) -> ServedVersion | None:
        """The version that a request means, if it is loaded."""
        snapshot = self._snapshot
        if model is None:
            model = self._default_model(snapshot)
            if model is None:
                return None
        number = snapshot.aliases.get((model, version))
        if number is not None:
            return snapshot.versions.get((model, number))
        key = (model, pinned_number(version) or 0)
        found = snapshot.versions.get(key)
        if found:
            self._asked_at[key] = time.monotonic()
        return found

    async def get(self, model: str | None, version: str = LATEST) -> ServedVersion:
        """The version that a request means; one that no alias names is loaded on demand.

        Raises
        ------
        ModelRequired, ModelNotFound, VersionNotFound
        VersionNotLoaded
            It does not fit into memory beside the others, or is damaged.
        DatabaseUnavailable
            It is not loaded, and the database cannot say whether it exists.
        """
        found = self.loaded(model, version)
        if found:
            return found
        # not known here: perhaps published or moved since the last poll
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._finding, self._find, model, version, time.monotonic())

    def _find(self, model: str | None, version: str, asked_at: float) -> ServedVersion:
        self.refresh(since=asked_at)
        found = self.loaded(model, version)
        if found:
            return found
        model = model or self._default_model(self._snapshot)
        if model is None:
            models = list(self._snapshot.models)
            if not models:
                raise ModelNotFound("There is no model yet; train one with POST /jobs.")
            raise ModelRequired(f"There are {len(models)} models; say which one with model=.", models=models[:100])
        number = pinned_number(version)
        if number is None:
            self._raise_alias_unknown(model, version)
        return self._load_on_demand(model, number)

    def _raise_alias_unknown(self, model: str, alias: str) -> NoReturn:
        reason = self._snapshot.degraded.get(reference(model, alias))
        if reason:
            raise VersionNotLoaded(f"{reference(model, alias)} cannot be served: {reason}", model=model, version=alias)
        if model not in self._snapshot.models:
            raise ModelNotFound(f"There is no model {model!r}.", model=model)
        raise VersionNotFound(f"The model {model!r} has no alias {alias!r}.", model=model, version=alias)

    def _default_model(self, snapshot: Snapshot) -> str | None:
        if self._settings.default_model:
            return self._settings.default_model
        return snapshot.models[0] if len(snapshot.models) == 1 else None

    # Loading

    def _poll(self) -> None:
        told = None
        while not self._stopping.is_set():
            failed = None
            try:
                self.refresh()
            except DatabaseUnavailable as error:
                failed = error.detail
                if failed != told:  # once, not at every look
                    logger.warning("aliases not read", action="registry_poll_failed", reason=failed)
            except Exception as error:
                logger.exception("registry poll failed", action="registry_poll_failed", exc_info=error)
            if told and not failed:
                logger.info("aliases read again", action="registry_poll_recovered")
            told = failed
            self._stopping.wait(self._settings.registry_poll_seconds)

    def refresh(self, *, since: float | None = None) -> None:
        """Serve what the aliases name now, or at any moment `since` the one given, by the monotonic clock.

        Called by the poller, and by requests for what is not known yet: one look answers all that asked before it.

        Raises
        ------
        DatabaseUnavailable
            What is loaded stays.
        """
        with self._changing:
            if since is not None and self._looked_at >= since:
                return
            looked_at = time.monotonic()
            with self._database.reading() as session:
                state = catalog.serving_state(session)
                asked = set(self._asked_at)
                gone = asked - catalog.existing(session, asked) if asked else asked
            for key in gone:
                del self._asked_at[key]
            self._serve(state)
            self._looked_at = looked_at
            self._is_ready = True

    def _serve(self, state: list[tuple[str, PublishedVersion]]) -> None:
        old = self._snapshot
        versions, degraded = dict(old.versions), {}
        wanted = {(version.model, version.number) for _, version in state}
        served = {(model, number) for (model, _), number in old.aliases.items()}
        for alias, version in state:
            try:
                if (version.model, version.number) not in versions:
                    self._load(version, versions, wanted, served)
            except VersionNotLoaded as error:
                degraded[reference(version.model, alias)] = error.detail
        aliases = {}
        for alias, version in state:
            name = (version.model, alias)
            number = version.number if (version.model, version.number) in versions else old.aliases.get(name)
            if number is not None:
                aliases[name] = number
        named = {(model, number) for (model, _), number in aliases.items()}
        kept = {key: version for key, version in versions.items() if key in named or key in self._asked_at}
        LOADED.set(len(kept))
        DEGRADED.set(len(degraded))
        new = Snapshot(kept, aliases, tuple(sorted({version.model for _, version in state})), degraded)
        if new != old:
            self._snapshot = new
            told = {reference(model, alias): number for (model, alias), number in aliases.items()}
            logger.info("serving", action="registry_swapped", aliases=told, degraded=degraded)
        self._loader.forget([version for key, version in old.versions.items() if key not in kept])

    def _load(
        self, version: PublishedVersion, versions: dict[Key, ServedVersion], pinned: set[Key], served: set[Key]
    ) -> ServedVersion:
        """Load into `versions`, from which those leave that must make room, but not what an alias has `served`."""
        asked_at = {key: moment for key, moment in self._asked_at.items() if key in versions and key not in served}
        loaded, leaving = self._loader.load(version, Beside(versions, pinned, asked_at))
        for key in leaving:
            logger.info("dropped", action="version_dropped", model=key[0], version=key[1])
            self._asked_at.pop(key, None)
            self._loader.forget([versions.pop(key)])
        versions[version.model, version.number] = loaded
        return loaded

    def _load_on_demand(self, model: str, number: int) -> ServedVersion:
        key = (model, number)
        with self._changing:
            versions = dict(self._snapshot.versions)
            if key not in versions:
                with self._database.reading() as session:
                    version = PublishedVersion.of(catalog.get_version(session, model, number))
                pinned = {(name, aliased) for (name, _), aliased in self._snapshot.aliases.items()}
                self._load(version, versions, pinned, pinned)
                self._snapshot = replace(self._snapshot, versions=versions)
            self._asked_at[key] = time.monotonic()
            return versions[key]
