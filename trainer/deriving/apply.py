"""Every step by name, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.core.errors import StepImpossible
from app.core.steps import Step
from app.core.table.arrays import Neighbors
from app.core.table.reading import Table
from trainer.deriving import combining, debiasing, lexicon, moments, others, quantised, subwords, vocabulary
from trainer.deriving.working import Facts, Sources, Working
from trainer.steps.progress import Progress, Report

STEPS: dict[str, Callable[[Working, Any, Sources], Facts]] = {
    "center": moments.center,
    "remove_components": moments.remove_components,
    "whiten": moments.whiten,
    "reduce": moments.reduce,
    "prune": vocabulary.prune,
    "align": others.align,
    "retrofit": lexicon.retrofit,
    "combine": combining.combine,
    "fit_subwords": subwords.fit_subwords,
    "hard": debiasing.hard,
    "leace": debiasing.leace,
    "quantise": quantised.quantise,
}
KEEP_COMPOSITION = {"center", "remove_components", "whiten", "reduce", "align", "prune", "fit_subwords", "quantise"}
"""Steps that are linear, or choose words: what other words are composed of follows them."""
OVERLAP_NEIGHBORS = 10


def apply(work: Working, steps: Sequence[Step], sources: Sources, report: Report) -> list[Facts]:
    """Do all steps; what each has found.

    Raises
    ------
    StepImpossible
    """
    facts = []
    for number, step in enumerate(steps):
        report(Progress(number / len(steps), step=step.step))
        loses = work.parts is not None and step.step not in KEEP_COMPOSITION
        work.parts = None if loses else work.parts
        facts.append(STEPS[step.step](work, step, sources) | ({"composition": "lost"} if loses else {}))
        _drop_zeros(work, facts[-1])
    return facts


def _drop_zeros(work: Working, facts: Facts) -> None:
    """Words of which nothing is left have no direction; they leave, and it is told."""
    kept = np.flatnonzero(work.vectors.any(axis=1))
    if len(kept) == len(work.words):
        return
    if not len(kept):
        raise StepImpossible("Nothing is left of any vector.")
    gone = sorted(set(range(len(work.words))) - set(kept.tolist()))
    facts["left_out_as_zeros"] = {"n": len(gone), "first": [work.words[i] for i in gone[:20]]}
    work.keep(kept)


def overlap(parent: Table, words: Sequence[str], neighbors: Neighbors) -> dict[str, Any]:
    """Mean share of a word's ten nearest that are the same in a parent, over words that both tables cover.

    Parameters
    ----------
    parent : with its neighbour table
    words : of the derived table, by id
    neighbors : of the derived table
    """
    ids = {word: i for i, word in enumerate(words)}
    theirs = np.array([ids.get(word, -1) for word in parent.vocabulary.words()], np.int64)
    k = min(OVERLAP_NEIGHBORS, parent.neighbors.ids.shape[1], neighbors.ids.shape[1])
    mine = theirs[: len(parent.neighbors.ids)]
    rows = np.flatnonzero((mine >= 0) & (mine < len(neighbors.ids)))
    if not k or not len(rows):
        return {"k": k, "n_words": 0, "mean": None}
    shares = []
    for start in range(0, len(rows), 1 << 14):
        part = rows[start : start + (1 << 14)]
        before, after = theirs[parent.neighbors.ids[part, :k]], neighbors.ids[mine[part], :k]
        shares.append((before[:, :, None] == after[:, None, :]).any(axis=2).mean(axis=1))
    return {"k": k, "n_words": len(rows), "mean": round(float(np.concatenate(shares).mean()), 4)}
