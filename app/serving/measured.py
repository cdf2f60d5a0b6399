"""What Prometheus is told of the versions that this process serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from app.serving.snapshot import Snapshot

INDEXES = ("flat", "hnsw")

LOADED = Gauge("wordkin_versions_loaded", "Versions that this process serves, by their index", ["index"])
LOADED_BYTES = Gauge("wordkin_loaded_bytes", "Bytes of the tables that this process serves")
DEGRADED = Gauge("wordkin_aliases_degraded", "Aliases that are not served as they should be")
SWAPS = Counter("wordkin_alias_swaps_total", "How often an alias began to be answered by another version")
LOADS = Histogram(
    "wordkin_version_load_seconds", "Time to verify, map and warm a version", buckets=(0.05, 0.1, 0.25, 1, 5, 30, 120)
)
FAILED_LOADS = Counter("wordkin_version_loads_failed_total", "Versions that could not be loaded, each attempt")


def show(old: Snapshot, new: Snapshot) -> None:
    """Tell what is served from now on."""
    kinds: list[str] = [version.table.manifest.index.kind for version in new.versions.values()]
    for kind in INDEXES:
        LOADED.labels(kind).set(kinds.count(kind))
    LOADED_BYTES.set(sum(version.table.n_bytes for version in new.versions.values()))
    DEGRADED.set(len(new.degraded))
    SWAPS.inc(sum(old.aliases.get(alias, number) != number for alias, number in new.aliases.items()))
