"""What is served at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from app.core import access
from app.core.catalog import PublishedVersion
from app.core.errors import ModelNotFound
from app.core.names import reference
from app.serving.classifying import ServedClassifier
from app.serving.loader import Key
from app.serving.version import ServedVersion

EXACT_ONLY = "Only words as they are stored are found: "


@dataclass(frozen=True)
class Snapshot:
    """What is served at one moment; replaced, never changed. A classifier's version is served beside it."""

    versions: Mapping[Key, ServedVersion] = field(default_factory=dict)
    classifiers: Mapping[Key, ServedClassifier] = field(default_factory=dict)
    aliases: Mapping[tuple[str, str], int] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    classifier_names: tuple[str, ...] = ()
    degraded: Mapping[str, str] = field(default_factory=dict)

    def seen_models(self) -> list[str]:
        """Those that the caller sees."""
        return [model for model in self.models if access.sees(model)]

    def no_model(self, name: str) -> ModelNotFound:
        """What to raise for a model that is not there; it names one that may be meant, which the caller sees."""
        near = get_close_matches(name, self.seen_models(), 1)
        return ModelNotFound(f"There is no model {name!r}{f'; did you mean {near[0]!r}?' if near else '.'}", model=name)

    def default_model(self, configured: str | None) -> str | None:
        """The one that a query means which names none: the configured or the only one that the caller sees."""
        if configured and access.sees(configured):
            return configured
        models = self.seen_models()
        return models[0] if len(models) == 1 else None

    def loaded(self, name: str) -> list[int]:
        """The versions of a model or a classifier, which share no name, that this process has in memory."""
        return sorted(number for model, number in {*self.versions, *self.classifiers} if model == name)

    def all_degraded(self) -> dict[str, str]:
        """What is not served as it should be, and why: aliases, and versions that only their numbers name."""
        named = {(model, number) for (model, _), number in self.aliases.items()}
        others = {key: version.exact_only for key, version in self.versions.items() if key not in named}
        found = {reference(model, number): why for (model, number), why in sorted(others.items()) if why}
        return {**self.degraded, **{name: EXACT_ONLY + why for name, why in found.items()}}

    def degraded_of(self, name: str) -> dict[str, str]:
        """Those of a model or a classifier."""
        prefix = reference(name, "")
        return {key.removeprefix(prefix): why for key, why in self.all_degraded().items() if key.startswith(prefix)}

    def pinned(self) -> set[Key]:
        """The versions of vectors that an alias names, or a classifier that an alias names stands on."""
        return {self.below((model, number)) for (model, _), number in self.aliases.items()}

    def below(self, key: Key) -> Key:
        """The version of vectors that is needed for this one: itself, or what a classifier stands on."""
        found = self.classifiers.get(key)
        return found.below if found else key


@dataclass(frozen=True)
class Status:
    """For health checks. `degraded` says of each alias or version that is not served as it should be, why.

    `is_empty` says that there are aliases and none of them is served.
    """

    is_ready: bool
    is_empty: bool
    loaded: list[str]
    degraded: dict[str, str]


def aliases_of(
    state: Sequence[tuple[str, PublishedVersion]], old: Snapshot, new: Snapshot
) -> dict[tuple[str, str], int]:
    """Where aliases point: to what could be loaded, else to where they pointed before."""
    aliases = {}
    for alias, entry in state:
        key = (entry.model, entry.number)
        is_loaded = key in (new.classifiers if entry.base else new.versions)
        number = entry.number if is_loaded else old.aliases.get((entry.model, alias))
        if number is not None:
            aliases[entry.model, alias] = number
    return aliases
