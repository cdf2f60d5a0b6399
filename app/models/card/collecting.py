"""Where the facts of a card come from: the version's manifest, its evaluations, and the versions before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Literal

from sqlalchemy.orm import Session

from app.core import catalog
from app.core.catalog import evaluations
from app.core.names import reference
from app.core.records import Version
from app.core.table.manifest import DerivedOrigin, Manifest, TrainedOrigin, VersionOrigin, parse_manifest
from app.models.card.schemas import Ancestor, ModelCard
from app.models.schemas import About, VersionDescription

MAX_ANCESTORS = 100
"""The nearest; a card is a page."""
Relation = Literal["derived from", "started from", "aligned to"]


def card_of(session: Session, model: str, which: str) -> ModelCard:
    """Collect what is known, or raise `ModelNotFound` or `VersionNotFound`."""
    version = catalog.version_of(session, model, which)
    evaluated = evaluations.evaluated(session, model, version.number)
    aliases = [alias.alias for alias in catalog.list_aliases(session, model) if alias.version == version.number]
    return ModelCard(
        about=About.model_validate(catalog.get_model(session, model).about or {}),
        version=VersionDescription.of(version),
        aliases=aliases,
        lineage=_ancestors(session, version),
        evaluations=[result for result, _ in evaluated.newest()],
        bias=evaluated.newest_bias(),
        debiasing=evaluated.debiasing,
        geometry=evaluated.geometry,
    )


def _ancestors(session: Session, version: Version) -> list[Ancestor]:
    found: dict[tuple[str, int], Ancestor] = {}
    waiting = deque([(reference(version.model, version.number), parse_manifest(version.manifest))])
    while waiting and len(found) < MAX_ANCESTORS:
        name, manifest = waiting.popleft()
        for relation, parent in _parents(manifest):
            key = (parent.model, parent.version)
            if key in found:
                continue
            row = session.get(Version, key)
            same = row is not None and row.manifest_sha256 == parent.manifest_sha256
            its = parse_manifest(row.manifest) if row is not None and same else None
            found[key] = Ancestor(
                **parent.model_dump(),
                relation=relation,
                of=name,
                state="there" if same else "deleted" if row is None else "changed",
                made_of=its.origin.made_of if its else None,
            )
            if its:
                waiting.append((reference(*key), its))
    return list(found.values())[:MAX_ANCESTORS]


def _parents(manifest: Manifest) -> Iterator[tuple[Relation, VersionOrigin]]:
    """The versions that a manifest names."""
    if isinstance(manifest.origin, DerivedOrigin):
        yield from (("derived from", parent) for parent in manifest.origin.parents)
    if isinstance(manifest.origin, TrainedOrigin) and manifest.origin.start:
        yield "started from", manifest.origin.start.parent
    if isinstance(manifest.origin, TrainedOrigin) and (aligned := manifest.origin.training.get("aligned")):
        yield "aligned to", VersionOrigin.model_validate(aligned["to"])
