"""Steps that take a bias out of vectors: hard and leace.

Both work on unit vectors, as all scores do, and give each the length that it had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from app.core.errors import StepImpossible
from app.core.steps import Hard, Leace
from trainer.deriving.concepts import Ids, definition_of, found_equalize_pairs
from trainer.deriving.erasure import Labels, cross_covariance, eraser
from trainer.deriving.wordlists import find_words, words_of
from trainer.deriving.working import DoubleArray, Facts, Sources, Working, unit

LEAST_REST = 1e-6
"""A unit vector of which less is left had nothing but the direction: float32 numbers say no more."""


def hard(work: Working, step: Hard, sources: Sources) -> Facts:
    """Neutralise, normalise, equalise, normalise.

    A neutral word w becomes (w - <w, g> g) / |..|. Both words of a pair with the mean m become y +- sqrt(1 - |y|^2) g,
    y = m - <m, g> g; which of them gets the plus is as it was before.
    """
    definition, pairs = definition_of(work, step, sources), found_equalize_pairs(work, step, sources)
    g = definition.direction
    is_neutral = np.ones(len(work.words), bool)
    is_neutral[definition.specific.ids] = False
    of_pairs = np.unique(np.array(pairs.ids, np.int64))
    before = unit(work.vectors[of_pairs].astype(np.float64))
    rows = np.where(is_neutral[of_pairs, None], unit(neutralised(before, g)), before)
    places = np.searchsorted(of_pairs, np.array(pairs.ids, np.int64).reshape(-1, 2))
    equalise(rows, places, before @ g, g)

    def change(block: slice, part: DoubleArray) -> DoubleArray:
        changed = np.where(is_neutral[block, None], unit(neutralised(part, g)), part)
        chosen = (of_pairs >= block.start) & (of_pairs < block.stop)
        changed[of_pairs[chosen] - block.start] = rows[chosen]
        return changed

    changed = _change(work, change)
    return definition.told() | {"n_neutral": int(is_neutral.sum()), "equalize": pairs.told()} | changed


def neutralised(rows: DoubleArray, g: DoubleArray) -> DoubleArray:
    """Unit vectors less what they have along `g`; zeros where nothing else is left.

    Parameters
    ----------
    rows : float64 (n, dim), of length 1
    g : float64 (dim,), of length 1

    Returns
    -------
    float64 (n, dim), not of length 1
    """
    rest = rows - np.outer(rows @ g, g)
    rest[np.sqrt((rest * rest).sum(axis=1)) <= LEAST_REST] = 0
    return rest


def equalise(rows: DoubleArray, pairs: Ids, along: DoubleArray, g: DoubleArray) -> None:
    """Let the words of each pair differ in nothing but the sign of what they have along `g`.

    Parameters
    ----------
    rows : float64 (n, dim), of length 1, changed
    pairs : int64 (n_pairs, 2), rows, done in their order
    along : float64 (n,), of each row what it once had along `g`: the greater of a pair gets the plus
    g : float64 (dim,), of length 1
    """
    for first, second in pairs.tolist():
        mean = (rows[first] + rows[second]) / 2
        shared = mean - (mean @ g) * g
        rest = np.sqrt(max(0.0, 1 - float(shared @ shared))) * g
        sign = 1.0 if along[first] >= along[second] else -1.0
        rows[first], rows[second] = shared + sign * rest, shared - sign * rest


def leace(work: Working, step: Leace, sources: Sources) -> Facts:
    """r(x) = x - W^+ P W (x - mu), W = cov(x)^(-1/2), P the projector on the columns of W cov(x, z).

    mu and cov(x) are of all words that may change, cov(x, z) of those that have a label z. Of these no affine reader
    tells anything about z afterwards, before the vectors are made unit vectors again; `max_covariance` shows it.
    """
    labels, told = _labels(work, step, sources)
    found = eraser(lambda: _units(work), labels)

    def erase(block: slice, part: DoubleArray) -> DoubleArray:
        return np.where(labels.counted[block, None], found.erased(part), part)

    left = cross_covariance(lambda: ((block, erase(block, part)) for block, part in _units(work)), labels)
    told |= {"n_erased_directions": found.rank, "max_covariance": _rounded(float(np.abs(left).max()))}
    return told | _change(work, lambda block, part: unit(erase(block, part)))


def _labels(work: Working, step: Leace, sources: Sources) -> tuple[Labels, Facts]:
    """The labels, and what is told of the lists."""
    counted = np.ones(len(work.words), bool)
    if not step.groups:
        definition = definition_of(work, step, sources)
        counted[definition.specific.ids] = False
        along = np.concatenate([part @ definition.direction for _, part in _units(work)])
        return Labels(counted, counted, along[:, None]), definition.told()
    specific = find_words(work, words_of(step.specific or (), sources), sources)
    counted[specific.ids] = False
    values = np.zeros((len(work.words), len(step.groups)))
    told = {}
    for column, (name, said) in enumerate(step.groups.items()):
        group = find_words(work, words_of(said, sources), sources).checked(f"group {name}", step.max_missing)
        values[group.ids, column] = 1
        told[name] = group.told()
        if not counted[group.ids].any():
            raise StepImpossible(f"All words of the group {name} are among those that stay as they are.")
    labelled = values.any(axis=1) & counted
    return Labels(counted, labelled, values), {"groups": told, "specific": specific.told()}


def _units(work: Working) -> Iterable[tuple[slice, DoubleArray]]:
    return ((rows, unit(block)) for rows, block in work.blocks())


def _change(work: Working, change: Callable[[slice, DoubleArray], DoubleArray]) -> Facts:
    """Give each vector a new direction, and tell how far all have turned."""
    cosines = np.empty(len(work.words))
    for block, before in work.blocks():
        directions = unit(before)
        after = change(block, directions)
        cosines[block] = (directions * after).sum(axis=1)
        work.vectors[block] = after * np.sqrt((before * before).sum(axis=1, keepdims=True))
    least = int(cosines.argmin())
    return {
        "mean_cosine": _rounded(float(cosines.mean())),
        "least_cosine": {"word": work.words[least], "cosine": _rounded(float(cosines[least]))},
    }


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")
