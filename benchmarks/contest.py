"""Programs side by side: run in turns, so that a busy machine is busy for all, and compared by medians."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.machine import peak_bytes
from benchmarks.quality import Score
from benchmarks.rows import Row, ratio_of

OURS = "wordkin"


@dataclass(frozen=True)
class Measurement:
    """One run: a speed or a time in the case's unit, and the quality of what came out, if it has any."""

    value: float
    quality: dict[str, Score] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A task and who can do it: `contestants` by name, ours among them; each is called with a seed, 1, 2, ..."""

    name: str
    unit: str
    higher_is_better: bool
    contestants: dict[str, Callable[[int], Measurement]]


def alone(contestant: Callable[..., Measurement], *arguments: Any) -> Measurement:
    """Measure in a process of its own, and note the peak memory of its largest process: it is the contestant's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_with_peak, (contestant, *arguments))


def _with_peak(contestant: Callable[..., Measurement], *arguments: Any) -> Measurement:
    found = contestant(*arguments)
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return replace(found, notes={**found.notes, "peak_megabytes": max(peak_bytes(), of_children) / 1e6})


def run(case: Case, repeats: int) -> list[Row]:
    """Let all contestants do the case in turns; one row for each peer, or a single one if there is none."""
    results: dict[str, list[Measurement]] = {name: [] for name in case.contestants}
    for seed in range(1, repeats + 1):
        for name, contestant in case.contestants.items():
            results[name].append(contestant(seed))
            print(f"  {case.name} {name} #{seed}: {results[name][-1].value:,.2f} {case.unit}", flush=True)
    ours = results[OURS]
    peers = {name: found for name, found in results.items() if name != OURS}
    return [_row(case, ours, name, found) for name, found in peers.items()] or [_row(case, ours, None, [])]


def _row(case: Case, ours: Sequence[Measurement], peer: str | None, found: Sequence[Measurement]) -> Row:
    mine = statistics.median(m.value for m in ours)
    theirs = statistics.median(m.value for m in found) if found else None
    ratio = ratio_of(mine, theirs, less=not case.higher_is_better) if theirs else None
    qualities = {"ours": _summary(ours), "theirs": _summary(found)}
    told = "; theirs: ".join(filter(None, map(_quality_text, qualities.values())))
    notes = {key: statistics.median(m.notes[key] for m in ours) for key in ours[0].notes}
    return Row(case.name, mine, case.unit, peer, theirs, ratio, told, notes, {"quality": qualities})


def _summary(runs: Sequence[Measurement]) -> dict[str, dict[str, float]]:
    """Mean, sample deviation and coverage of each quality over the runs."""
    if not runs or not runs[0].quality:
        return {}
    summary = {}
    for test, score in runs[0].quality.items():
        values = [m.quality[test].value for m in runs]
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        summary[test] = {
            "mean": statistics.fmean(values),
            "deviation": deviation,
            "covered": score.covered,
            "total": score.total,
        }
    return summary


def _quality_text(summary: dict[str, dict[str, float]]) -> str:
    texts = []
    for test, score in summary.items():
        deviation = f" ± {score['deviation']:.3f}" if score["deviation"] else ""
        texts.append(f"{test} {score['mean']:.3f}{deviation} ({score['covered']:.0f}/{score['total']:.0f})")
    return ", ".join(texts)
