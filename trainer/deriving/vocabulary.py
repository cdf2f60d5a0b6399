"""The step that chooses words: prune."""

from __future__ import annotations

import numpy as np
import regex

from app.core.errors import StepImpossible
from app.core.steps import Prune
from trainer.deriving.working import Facts, Sources, Working

PATTERN_SECONDS = 1.0
"""A regular expression that takes longer for one word is refused: some never end."""


def prune(work: Working, step: Prune, sources: Sources) -> Facts:
    """Keep the words that all restrictions allow."""
    n_before = len(work.words)
    kept = np.ones(n_before, bool)
    if step.max_words is not None:
        kept[step.max_words :] = False
    if step.min_count is not None:
        if not work.counts_known:
            raise StepImpossible("How often words occur is not known any more; prune before you combine.")
        kept &= work.counts >= step.min_count
    if step.words is not None:
        with sources.files[step.words].open(encoding="utf-8", errors="replace") as file:
            listed = {sources.reader.folded(line.rstrip("\r\n")).strip() for line in file}
        kept &= np.fromiter((word in listed for word in work.words), bool, n_before)
    if step.pattern is not None:
        kept &= _matching(work, step.pattern)
    if not kept.any():
        raise StepImpossible(f"None of {n_before} words is left.", n_words=n_before)
    work.keep(np.flatnonzero(kept))
    return {"n_words_before": n_before, "n_words": len(work.words)}


def _matching(work: Working, pattern: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    compiled = regex.compile(pattern)
    try:
        found = (compiled.fullmatch(word, timeout=PATTERN_SECONDS) is not None for word in work.words)
        return np.fromiter(found, bool, len(work.words))
    except TimeoutError as error:
        raise StepImpossible(f"The pattern {pattern!r} takes more than {PATTERN_SECONDS:g} s for a word.") from error
