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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import NoReturn, TypeVar

import structlog

from app.core import access, catalog
from app.core.catalog import LATEST, PublishedVersion
from app.core.database import Database
from app.core.errors import (
    ClassifierNotFound,
    DatabaseUnavailable,
    ModelNotFound,
    ModelRequired,
    VersionNotFound,
    VersionNotLoaded,
)
from app.core.names import pinned_number, reference
from app.core.records import ModelKind
from app.core.settings import Settings
from app.core.storage import Storage
from app.serving import measured
from app.serving.classifying import ServedClassifier
from app.serving.loader import Beside, Key, Loader
from app.serving.searchers import Searchers
from app.serving.snapshot import EXACT_ONLY, Snapshot, Status, aliases_of
from app.serving.version import ServedVersion

STOP_SECONDS = 2.0

Found = TypeVar("Found")

logger = structlog.get_logger()


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
        self._searching = Searchers(n_searchers, settings.max_waiting_searches)
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
        return Status(self._is_ready, is_empty, loaded, snapshot.all_degraded())

    # For requests

    def loaded(self, model: str | None, version: str) -> ServedVersion | None:
        """The version that a request means, if it is loaded; raise `ModelNotFound` if the caller sees no such name."""
        snapshot = self._snapshot
        if model is None:
            model = snapshot.default_model(self._settings.default_model)
            if model is None:
                return None
        if not access.sees(model):
            raise snapshot.no_model(model)
        number = snapshot.aliases.get((model, version))
        if number is not None:
            return snapshot.versions.get((model, number))
        key = (model, pinned_number(version) or 0)
        found = snapshot.versions.get(key)
        if found:
            self._asked_at[key] = time.monotonic()
        return found

    def loaded_classifier(self, name: str, version: str) -> ServedClassifier | None:
        """The classifier that a request means, if it is loaded."""
        snapshot = self._snapshot
        if not access.sees(name):
            raise ClassifierNotFound(f"There is no classifier {name!r}.", classifier=name)
        number = snapshot.aliases.get((name, version), pinned_number(version))
        found = snapshot.classifiers.get((name, number or 0))
        if found and (name, version) not in snapshot.aliases:
            self._asked_at[name, found.number] = self._asked_at[found.below] = time.monotonic()
        return found

    async def get_classifier(self, name: str, version: str = LATEST) -> ServedClassifier:
        """The same; one that no alias names is loaded on demand. Raises as `get`, and `ClassifierNotFound`."""
        found = self.loaded_classifier(name, version)
        if found:
            return found
        return await self._in_turn(self._find_classifier, name, version, time.monotonic())

    def _find_classifier(self, name: str, version: str, asked_at: float) -> ServedClassifier:
        self.refresh(since=asked_at)
        if found := self.loaded_classifier(name, version):
            return found
        if (number := pinned_number(version)) is None:
            if name not in self._snapshot.classifier_names:
                raise ClassifierNotFound(f"There is no classifier {name!r}.", classifier=name)
            self._raise_alias_unknown(name, version, "classifier")
        return self._load_on_demand(name, number, ModelKind.CLASSIFIER).classifiers[name, number]

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
        return await self._in_turn(self._find, model, version, time.monotonic())

    async def _in_turn(self, find: Callable[..., Found], *arguments: object) -> Found:
        """Ask on the one thread for that, on behalf of who asks here."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._finding, partial(copy_context().run, find, *arguments))

    def _find(self, model: str | None, version: str, asked_at: float) -> ServedVersion:
        self.refresh(since=asked_at)
        found = self.loaded(model, version)
        if found:
            return found
        model = model or self._snapshot.default_model(self._settings.default_model)
        if model is None:
            models = self._snapshot.seen_models()
            if not models:
                raise ModelNotFound("There is no model yet; train one with POST /jobs.")
            raise ModelRequired(f"There are {len(models)} models; say which one with model=.", models=models[:100])
        number = pinned_number(version)
        if number is None:
            if model not in self._snapshot.models and reference(model, version) not in self._snapshot.degraded:
                raise self._snapshot.no_model(model)
            self._raise_alias_unknown(model, version, "model")
        return self._load_on_demand(model, number).versions[model, number]

    def _raise_alias_unknown(self, model: str, alias: str, noun: str) -> NoReturn:
        reason = self._snapshot.degraded.get(reference(model, alias))
        if reason:
            raise VersionNotLoaded(f"{reference(model, alias)} cannot be served: {reason}", model=model, version=alias)
        raise VersionNotFound(f"The {noun} {model!r} has no alias {alias!r}.", model=model, version=alias)

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
        new, degraded = replace(old, versions=dict(old.versions), classifiers=dict(old.classifiers)), {}
        wanted = {((entry.base or entry).model, (entry.base or entry).number) for _, entry in state}
        for alias, entry in state:
            try:
                new = self._load(entry, new, wanted, old.pinned())
            except VersionNotLoaded as error:
                degraded[reference(entry.model, alias)] = error.detail
            else:
                below = entry.base or entry
                if why := new.versions[below.model, below.number].exact_only:
                    degraded[reference(entry.model, alias)] = EXACT_ONLY + why
        new = replace(
            new,
            aliases=aliases_of(state, old, new),
            models=tuple(sorted({entry.model for _, entry in state if not entry.base})),
            classifier_names=tuple(sorted({entry.model for _, entry in state if entry.base})),
            degraded=degraded,
        )
        new = self._without_unneeded(new)
        measured.show(old, new)
        if new != old:
            self._snapshot = new
            told = {reference(model, alias): number for (model, alias), number in new.aliases.items()}
            logger.info("serving", action="registry_swapped", aliases=told, degraded=degraded)
        self._loader.forget([version for key, version in old.versions.items() if key not in new.versions])

    def _without_unneeded(self, snapshot: Snapshot) -> Snapshot:
        """Without what neither an alias names nor anybody has asked for by its number."""
        named = {(model, number) for (model, _), number in snapshot.aliases.items()} | self._asked_at.keys()
        needed = snapshot.pinned() | named
        return replace(
            snapshot,
            versions={key: version for key, version in snapshot.versions.items() if key in needed},
            classifiers={key: each for key, each in snapshot.classifiers.items() if key in named},
        )

    def _load(self, entry: PublishedVersion, snapshot: Snapshot, pinned: set[Key], served: set[Key]) -> Snapshot:
        """Load what is missing; that leaves which must make room, but not what an alias has `served`."""
        below = entry.base or entry
        key, key_below = (entry.model, entry.number), (below.model, below.number)
        versions, classifiers = dict(snapshot.versions), dict(snapshot.classifiers)
        if key_below not in versions:
            asked_at = {each: at for each, at in self._asked_at.items() if each in versions and each not in served}
            versions[key_below], leaving = self._loader.load(below, Beside(snapshot.versions, pinned, asked_at))
            for each in leaving:
                logger.info("dropped", action="version_dropped", model=each[0], version=each[1])
                self._asked_at.pop(each, None)
                self._loader.forget([versions.pop(each)])
            classifiers = {name: one for name, one in classifiers.items() if one.below in versions}
        if entry.base and key not in classifiers:
            classifiers[key] = self._loader.load_classifier(entry, versions[key_below])
        return replace(snapshot, versions=versions, classifiers=classifiers)

    def _load_on_demand(self, name: str, number: int, kind: ModelKind = ModelKind.VECTORS) -> Snapshot:
        with self._changing:
            snapshot = self._snapshot
            with self._database.reading() as session:
                version = catalog.get_version(session, name, number, kind)
                base = catalog.base_of(session, version) if kind == ModelKind.CLASSIFIER else None
                entry = PublishedVersion.of(version, base)
            pinned = snapshot.pinned()
            self._snapshot = loaded = self._load(entry, snapshot, pinned, pinned)
            self._asked_at[name, number] = self._asked_at[loaded.below((name, number))] = time.monotonic()
            return loaded
