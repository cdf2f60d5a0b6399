"""The report of a comparison, as it is answered."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.core.evaluation.drift.spaces import Space, Words
from app.core.nearest.scores import DECIMALS, IdArray, cosines, ranking
from app.core.table.vocabulary import WordId
from app.models.drift.comparison import Chosen, Compared, Measured, compared, measure, pair_of
from app.models.drift.schemas import DriftedWord, DriftReport, NearWord
from app.serving.version import ServedVersion, Term

SHOWN_NEIGHBORS = 10
SIGNIFICANT = 0.05


def most_changed(first: ServedVersion, second: ServedVersion, chosen: Chosen, n: int) -> bytes:
    """The `n` words that changed most; raises `InvalidRequest`."""
    found = compared(first, second, chosen)
    rows = ranking(found.measured.significance.z, np.arange(len(found.q)))[:n]
    words = [_told(first, second, found.measured, row, float(found.q[row])) for row in rows.tolist()]
    return _report(first, second, found, words)


def of_word(first: ServedVersion, second: ServedVersion, chosen: Chosen, terms: tuple[Term, Term]) -> bytes:
    """One word, whether or not it is among those considered; raises `InvalidRequest`."""
    found = compared(first, second, chosen)
    ids = [np.array([term.id], np.int64) for term in terms]
    words = found.measured.words
    (rows,) = np.nonzero((words.first == ids[0]) & (words.second == ids[1]))
    if len(rows):
        told = _told(first, second, found.measured, int(rows[0]), float(found.q[rows[0]]))
    else:
        alone, _, _ = measure(pair_of(first, second), Words(*ids), found.scales, found.floor)
        told = _told(first, second, alone, 0, None)
    return _report(first, second, found, [told])


def _report(first: ServedVersion, second: ServedVersion, found: Compared, words: list[DriftedWord]) -> bytes:
    report = DriftReport(
        model=first.model,
        from_=first.number,
        to=second.number,
        n_shared=found.n_shared,
        n_added=second.table.manifest.n_words - found.n_shared,
        n_removed=first.table.manifest.n_words - found.n_shared,
        n_considered=len(found.q),
        n_changed=int((found.q <= SIGNIFICANT).sum()),
        floor=found.floor_kind,
        overlap_at_10=round(float(found.measured.overlap.mean()), DECIMALS),
        overlap_floor=None if found.overlap_floor is None else round(found.overlap_floor, DECIMALS),
        words=words,
    )
    return report.model_dump_json().encode()


def _told(first: ServedVersion, second: ServedVersion, measured: Measured, row: int, q: float | None) -> DriftedWord:
    ids = int(measured.words.first[row]), int(measured.words.second[row])
    before, after = (_near(version, own) for version, own in zip((first, second), ids, strict=True))
    were, are = ({near.word for near in listed} for listed in (before, after))
    return DriftedWord(
        word=second.lookup.word(ids[1]),
        z=round(float(measured.significance.z[row]), 4),
        p=_short(float(measured.significance.p[row])),
        q=None if q is None else _short(q),
        shift=float(measured.shift[row]),
        likeness=float(measured.likeness[row]),
        aligned=float(measured.aligned[row]),
        overlap_at_10=float(measured.overlap[row]),
        count_from=_count(first, ids[0]),
        count_to=_count(second, ids[1]),
        rank_from=ids[0] + 1,
        rank_to=ids[1] + 1,
        neighbors_from=before,
        neighbors_to=after,
        gained=[near.word for near in after if near.word not in were],
        lost=[near.word for near in before if near.word not in are],
    )


def _near(version: ServedVersion, word_id: int) -> list[NearWord]:
    ids: IdArray = Space.of(version.table).nearest(np.array([word_id]))[0][:SHOWN_NEIGHBORS]
    found: Any = cosines(version.table.unit_vectors, version.table.unit_vectors[word_id].astype(np.float64), ids)
    word = version.lookup.word
    return [NearWord(word=word(WordId(i)), score=score) for i, score in zip(ids.tolist(), found.tolist(), strict=True)]


def _count(version: ServedVersion, word_id: int) -> int | None:
    return int(version.table.vocabulary.counts[word_id]) if version.table.manifest.counts_known else None


def _short(probability: float) -> float:
    """Six digits; more say nothing."""
    return float(f"{probability:.6g}")
