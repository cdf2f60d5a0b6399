"""What a step against a bias is about: the direction of pairs or the groups, and the words that define it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import StepImpossible
from app.core.evaluation.bias.direction import bias_direction
from app.core.evaluation.bias.lists import gender_english
from app.core.steps import Hard, Leace
from trainer.deriving.wordlists import Found, Pair, find_pairs, find_words, pairs_of, words_of
from trainer.deriving.working import DoubleArray, Facts, Sources, Working, unit

Ids = npt.NDArray[np.int64]


class Definition(NamedTuple):
    """What defines a direction, and which words keep it."""

    direction: DoubleArray
    pairs: Found
    specific: Found
    explained: float

    def told(self) -> Facts:
        return {
            "pairs": self.pairs.told(),
            "specific": self.specific.told(),
            "explained_variance": float(f"{self.explained:.6g}"),
        }


def definition_of(work: Working, step: Hard | Leace, sources: Sources) -> Definition:
    """The direction of the pairs of unit vectors, and the words that keep it: those of all pairs, if none are said.

    Raises
    ------
    StepImpossible
    """
    said = list(gender_english().pairs) if step.pairs is None else pairs_of(step.pairs, sources)
    pairs = find_pairs(work, said, sources).checked("pairs", step.max_missing)
    rows = unit(work.vectors[np.array(pairs.ids).ravel()].astype(np.float64))
    try:
        direction, explained = bias_direction(rows.reshape(len(pairs.ids), 2, -1))
    except ValueError as error:
        raise StepImpossible("The two words of each pair have the same vector; they show no direction.") from error
    if step.specific is not None:
        keeping = words_of(step.specific, sources)
    elif step.pairs is None:
        keeping = list(gender_english().specific)
    else:
        keeping = [word for pair in (*said, *variants(equalize_pairs(step, sources))) for word in pair]
    return Definition(direction, pairs, find_words(work, keeping, sources), float(explained[0]))


def equalize_pairs(step: Hard | Leace, sources: Sources) -> list[Pair]:
    """The pairs as they were written; leace has none."""
    if isinstance(step, Leace):
        return []
    if step.equalize is not None:
        return pairs_of(step.equalize, sources)
    return list(gender_english().equalize) if step.pairs is None else []


def variants(pairs: list[Pair]) -> list[Pair]:
    """In small letters, capitalised, and in capitals, as the authors' program has them."""
    spell = (str.lower, str.title, str.upper)
    return list(dict.fromkeys((each(a), each(b)) for a, b in pairs for each in spell))


def found_equalize_pairs(work: Working, step: Hard | Leace, sources: Sources) -> Found:
    """Ids of all variants; missing are the pairs of which there is none."""
    said = equalize_pairs(step, sources)
    found = find_pairs(work, variants(said), sources)
    lacking = set(found.missing)
    missing = [" ".join(pair) for pair in said if lacking.issuperset(" ".join(each) for each in variants([pair]))]
    return Found(found.ids, missing)


class Concept(NamedTuple):
    """By which directions a reader would look for a bias, and words by id that no test of it asks about.

    Of pairs the direction is the difference of the first pair that there is, not the one that was taken out: what
    hides from the latter is what the tests are about.
    """

    directions: dict[str, DoubleArray]
    left_out: Ids


def concept_of(work: Working, step: Hard | Leace, sources: Sources) -> Concept:
    """What the tests of a step look for, in the vectors before it."""
    if isinstance(step, Leace) and step.groups:
        specific = find_words(work, words_of(step.specific or (), sources), sources)
        return Concept(_of_groups(work, step.groups, sources), np.array(specific.ids, np.int64))
    definition = definition_of(work, step, sources)
    first, second = definition.pairs.ids[0]
    rows = unit(work.vectors[[first, second]].astype(np.float64))
    of_pairs = [i for pair in (*definition.pairs.ids, *found_equalize_pairs(work, step, sources).ids) for i in pair]
    name = f"{work.words[first]} - {work.words[second]}"
    return Concept({name: rows[0] - rows[1]}, np.unique([*of_pairs, *definition.specific.ids]).astype(np.int64))


def _of_groups(work: Working, groups: dict[str, tuple[str, ...] | str], sources: Sources) -> dict[str, DoubleArray]:
    """From one of two groups to the other; of more, from the others to each."""
    means = {}
    for name, said in groups.items():
        ids = find_words(work, words_of(said, sources), sources).ids
        means[name] = unit(work.vectors[ids].astype(np.float64)).mean(axis=0)
    if len(means) == 2:
        (first, a), (second, b) = means.items()
        return {f"{first} - {second}": a - b}
    others = {name: [mean for other, mean in means.items() if other != name] for name in means}
    return {f"{name} - others": means[name] - np.mean(others[name], axis=0) for name in means}
