"""What jobs need that make a version of vectors that there are already, or only read one: from the sizes of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app.core.costs.needs import Needs
from app.core.costs.publishing import CANDIDATE_BYTES, expected_seconds, graph_bytes, turned_bytes
from app.core.names import reference
from app.core.payloads import (
    ClassifierPayload,
    DerivePayload,
    EvaluatePayload,
    EvaluationSource,
    ImportPayload,
    SetSource,
    VersionSource,
)
from app.core.steps import Combine, FitSubwords, Hard, Leace, Prune, Quantise, Reduce, Step
from app.core.table.limits import NEIGHBORS_BYTES, IndexLimits, n_covered
from app.core.table.manifest import IndexRequest

START_SECONDS = 1.0
BYTE_SECONDS = 3e-8
"""Of what is read, checked and written."""
STEP_SECONDS = 5e-8
"""Of a step of a derivation, for each number of the table."""
TEXT_SECONDS = 5e-6
"""Of a classifier, for each byte of its file."""
# These are rough: a time is told only when jobs were measured that are like this one, and corrects them.

PROCESS_BYTES = 115 << 20
"""Of the process with its kernels."""
READ_WORD_BYTES, DERIVED_WORD_BYTES = 250, 1070
"""Of a word, while it is read and sorted; and in a derivation, which has the words before and after."""
BLOCK_ROWS, BLOCK_NUMBER_BYTES = 1 << 14, 42
"""Rows that are worked on at a time, and what one of their numbers takes then."""
# Fitted to the own memory at the peak, of 60,000 x 100, 240,000 x 100 and 60,000 x 400, in MB: imports took 228, 341
# and 506, `center` 272, 542 and 569, `combine` with itself 357, 867 and 1081, `quantise` 298 and 638 (the first and the
# last). 3,000,000 x 300 were imported in 4,650. `hard` took 815 for the first, which no formula here says.
STORED_BYTES = 40
"""Of all that is stored of a word beside its vector and its neighbours."""
FLOAT32_BYTES = 4
NUMBER_BYTES = {"float16": 2, "int8": 1}


class Size(NamedTuple):
    """Of a table, with the bytes of a number; `is_plain` if words and vectors are all that it is made of."""

    n_words: int
    dim: int
    number_bytes: int = FLOAT32_BYTES
    is_plain: bool = True


class Held(NamedTuple):
    """How many float32 vectors are in memory, how often, and the bytes of a word beside them."""

    n_words: int
    dim: int
    copies: int
    word_bytes: int


class Expected(NamedTuple):
    """What a job needs, and what those have in common with it whose measured times say how long it takes."""

    needs: Needs
    like: list[str]


class Asked(NamedTuple):
    """What is known of a job: what it is told, the table in its file, those of its versions by name, its threads."""

    payload: Any
    read: Size | None
    tables: Mapping[str, Size]
    threads: int


def of_import(asked: Asked) -> Expected:
    """Vectors are in memory once, or twice where a vocabulary orders them."""
    payload: ImportPayload = asked.payload
    seconds = payload.file.n_bytes * BYTE_SECONDS
    if asked.read is None:
        return Expected(Needs(START_SECONDS + seconds), [payload.format, *_names(payload.evaluate)])
    copies = 2 if payload.vocabulary else 1
    needs = _publishing(asked.read, Held(*asked.read[:2], copies, READ_WORD_BYTES), payload.index, asked.threads)
    return Expected(needs._replace(seconds=needs.seconds + seconds), ["rows", *_names(payload.evaluate)])


def of_derivation(asked: Asked) -> Expected:
    """As far as it can be known what the steps make of such a table, and what they need for it."""
    payload: DerivePayload = asked.payload
    parent = made = _table(asked, payload.parent)
    for step in payload.steps:
        made = _after(step, made, [_table(asked, payload.versions[name]) for name in step.versions()])
    widest = max(parent.dim, made.dim)
    seconds = parent.n_words * widest * (4 * BYTE_SECONDS + STEP_SECONDS * len(payload.steps))
    copies = 2 if any(isinstance(step, Combine | Quantise) for step in payload.steps) else 1
    held = Held(max(parent.n_words, made.n_words), widest, copies, DERIVED_WORD_BYTES)
    needs = _publishing(made, held, payload.index, asked.threads)
    needs = needs._replace(seconds=needs.seconds + seconds)
    is_known = parent.is_plain and not any(isinstance(step, Hard | Leace | FitSubwords) for step in payload.steps)
    shrinks = any(
        isinstance(step, Prune) and step != Prune(step="prune", max_words=step.max_words) for step in payload.steps
    )
    like = [*(step.step for step in payload.steps), *_names(payload.evaluate)]
    return Expected(needs if is_known and not shrinks else Needs(needs.seconds), like)


def of_evaluation(asked: Asked) -> Expected:
    """Nothing is stored but rows of the database."""
    payload: EvaluatePayload = asked.payload
    n_words, dim, *_ = _table(asked, payload.evaluated)
    return Expected(Needs(START_SECONDS + n_words * dim * BYTE_SECONDS, None, 0, 0), _names(payload.sets))


def of_classifier(asked: Asked) -> Expected:
    """How many texts a file has, and how many labels, is not known before it is read."""
    payload: ClassifierPayload = asked.payload
    return Expected(Needs(START_SECONDS + payload.file.n_bytes * TEXT_SECONDS), [payload.features])


OTHERS: dict[str, Callable[[Asked], Expected]] = {
    "import": of_import,
    "derive": of_derivation,
    "evaluate": of_evaluation,
    "classifier": of_classifier,
}
"""The kinds of job but trainings."""


def _table(asked: Asked, version: VersionSource) -> Size:
    return asked.tables[reference(version.model, version.version)]


def _names(sets: Sequence[EvaluationSource]) -> list[str]:
    return [each.asked.file if isinstance(each, SetSource) else each.word_sets for each in sets]


def _after(step: Step, size: Size, others: Sequence[Size]) -> Size:
    """What a step makes of a table; of a union at least the words of the largest."""
    match step:
        case Prune(max_words=int(most)):
            return size._replace(n_words=min(size.n_words, most))
        case Reduce(dim=dim):
            return size._replace(dim=dim)
        case Combine(vocabulary=vocabulary, dim=wanted):
            n_words = max(each.n_words for each in (size, *others)) if vocabulary == "union" else size.n_words
            return size._replace(n_words=n_words, dim=wanted or sum(each.dim for each in (size, *others)))
        case Quantise(to=encoding):
            return size._replace(number_bytes=NUMBER_BYTES[encoding])
    return size


def _publishing(made: Size, held: Held, index: IndexRequest, threads: int) -> Needs:
    """Of publishing a table, while so much of it is in memory."""
    n_words, dim, number_bytes, _ = made
    covered = n_covered(n_words, dim)
    limits = IndexLimits(index if number_bytes == FLOAT32_BYTES else "exact")
    seconds = START_SECONDS + sum(expected_seconds(n_words, dim, limits, threads=threads).values())
    stored = n_words * (dim * number_bytes + STORED_BYTES) + covered * NEIGHBORS_BYTES
    block = min(held.n_words, BLOCK_ROWS) * held.dim * BLOCK_NUMBER_BYTES
    kept = held.n_words * (held.copies * held.dim * FLOAT32_BYTES + held.word_bytes)
    table = kept + max(block, covered * (CANDIDATE_BYTES + NEIGHBORS_BYTES) + turned_bytes(n_words, dim))
    graph = n_words * held.word_bytes + graph_bytes(n_words, dim, limits)
    return Needs(seconds, PROCESS_BYTES + max(table, graph), stored, stored)
