"""Rows of a file -> the words and vectors of a table, by the policies of the job; nothing is left out in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsUnreadable
from app.core.names import MAX_WORD_BYTES
from app.core.payloads import RowPolicies
from app.core.table.arrays import FloatArray
from app.core.table.manifest import NamedRow, RowReport, RowsFound
from app.core.table.parts import Parts
from app.core.text import TextReader
from trainer.kernels.vectors.parse import NOT_FINITE_BITS, largest_bits

MAX_NAMED = 20
"""Rows of one kind that the report names."""
LONGEST_CHARACTER = 3
"""Bytes of the character that stands for a byte which is not UTF-8."""
MAX_SHOWN = 200
"""Characters of a word that the report shows."""
_SPACES = re.compile(r"\s+")

Unit = Literal["line", "byte", "row"]


class Batch(NamedTuple):
    """Some rows of a file: words as bytes, float32 vectors (n, dim), where each row is, and counts if known."""

    words: Sequence[bytes]
    vectors: FloatArray
    places: Sequence[int]
    counts: Sequence[int] | None = None


@dataclass(frozen=True, eq=False)
class Collected:
    """Words that are all different, their float32 vectors (n_words, dim), finite and not zero, and what was met.

    `counts`, int64 (n_words,), is None where the format has none; words that folding makes equal are added, and none is
    below 1. `parts` are what other words are composed of, with the `resources` that this needs; `not_composed` says why
    there are none although the file has some; `n_ngrams` are the rows of n-grams in the file.
    """

    words: list[str]
    vectors: FloatArray
    report: RowReport
    counts: npt.NDArray[np.int64] | None = None
    parts: Parts | None = None
    resources: Mapping[str, bytes] = field(default_factory=dict)
    not_composed: str | None = None
    n_ngrams: int = 0


class Collector:
    """Takes batches of rows, in their order.

    Parameters
    ----------
    n_rows : how many will come at most
    dim : of each vector
    policies : what becomes of rows that are not as they should be
    reader : folds words as queries will be read
    unit : what the places count
    """

    def __init__(self, n_rows: int, dim: int, policies: RowPolicies, reader: TextReader, unit: Unit) -> None:
        self._vectors = np.empty((n_rows, dim), np.float32)
        self._policies = policies
        self._reader = reader
        self._folds = reader.spec.normalization != "none" or reader.spec.case != "keep"
        self._unit = unit
        self._words: dict[str, int] = {}
        self._counted = False
        self._found: dict[str, RowsFound] = {}
        self.n_rows = 0

    def room(self, n_rows: int) -> FloatArray:
        """Where the vectors of the next batch can be written, so that they need not be copied; float32 (n, dim)."""
        n_before = len(self._words)
        return self._vectors[n_before : n_before + n_rows]

    def take(self, batch: Batch) -> None:
        """Take the next rows; raises `VectorsUnreadable` where a policy says so."""
        self.n_rows += len(batch.words)
        words = self._spelled(batch)
        n_before = len(self._words)
        largest = np.empty(len(words), np.uint32)
        largest_bits(batch.vectors.view(np.uint32), largest)
        finite, directed = largest < NOT_FINITE_BITS, largest > 0
        counts, self._counted = batch.counts or [0] * len(words), batch.counts is not None
        if finite.all() and directed.all() and self._add(words, batch.counts):  # as nearly always: no row needs a look
            if not np.may_share_memory(batch.vectors, self._vectors):  # of `room`
                self._vectors[n_before : len(self._words)] = batch.vectors
            return
        policies, wanted = self._policies, []
        for row, word in enumerate(words):
            if word is None:
                continue
            if not finite[row]:
                self.leave_out("a number that is not finite", word, batch.places[row], policies.bad_rows)
            elif not directed[row]:
                self.leave_out("a vector of zeros", word, batch.places[row], policies.zero_rows)
            elif word in self._words:
                self.leave_out("a word that came before", word, batch.places[row], policies.duplicates)
                self._words[word] += counts[row]
            else:
                self._words[word] = counts[row]
                wanted.append(row)
        self._vectors[n_before : len(self._words)] = batch.vectors[wanted]

    def leave_out(self, what: str, word: str, place: int, policy: str) -> None:
        """Note a row that is left out, or raise `VectorsUnreadable` if the policy is `error`."""
        if policy == "error":
            raise self.unreadable(what, word, place)
        self._note(what, "left out", word, place)

    def unreadable(self, what: str, word: str, place: int) -> VectorsUnreadable:
        """The error that names a row."""
        return VectorsUnreadable(
            f"{self._unit.capitalize()} {place}, {word[:MAX_SHOWN]!r}: {what}.",
            word=word[:MAX_SHOWN],
            **{self._unit: place},
        )

    def finish(self) -> Collected:
        """All that was taken; raises `VectorsUnreadable` if no row is left."""
        words = list(self._words)
        if not words:
            left_out = ", ".join(f"{found.n} {found.what}" for found in self._found.values())
            raise VectorsUnreadable(f"No row of {self.n_rows} is left: {left_out or 'the file has none'}.")
        report = RowReport(unit=self._unit, n_rows=self.n_rows, n_words=len(words), found=list(self._found.values()))
        counts = np.maximum(np.array(list(self._words.values()), np.int64), 1) if self._counted else None
        self._words.clear()
        return Collected(words, self._vectors[: len(words)], report, counts)

    def _spelled(self, batch: Batch) -> list[str | None]:
        """Words as they will be in the table; None for those that are left out."""
        plain = None if self._folds else _plain(batch.words)
        if plain is not None:
            return plain
        words = [self._decoded(word, place) for word, place in zip(batch.words, batch.places, strict=True)]
        words = [word and self._word(word, place) for word, place in zip(words, batch.places, strict=True)]
        for row in [row for row, word in enumerate(words) if word == ""] if "" in words else []:
            self.leave_out("no word", "", batch.places[row], self._policies.bad_rows)
            words[row] = None
        return words

    def _add(self, words: Sequence[str | None], counts: Sequence[int] | None) -> bool:
        """Add all, if none came before, not among each other either; else none, and False."""
        fresh = dict.fromkeys(words, 0) if counts is None else dict(zip(words, counts, strict=True))
        if len(fresh) < len(words) or None in fresh or not (counts is None or self._words.keys().isdisjoint(fresh)):
            return False
        n_before = len(self._words)
        self._words.update(cast("dict[str, int]", fresh))  # without counts all values are 0, and can be written again
        if len(self._words) == n_before + len(words):
            return True
        while len(self._words) > n_before:
            self._words.popitem()  # the last one
        return False

    def _decoded(self, word: bytes, place: int) -> str | None:
        try:
            return word.decode()
        except UnicodeDecodeError:
            readable, what = word.decode(errors="replace"), "a word that is not UTF-8"
            if self._policies.not_utf8 != "replace":
                self.leave_out(what, readable, place, self._policies.not_utf8)
                return None
            self._note(what, "changed", readable, place)
            return readable

    def _word(self, word: str, place: int) -> str | None:
        folded = self._reader.folded(word).strip() if self._folds else word
        if len(folded.encode()) > MAX_WORD_BYTES:
            self.leave_out(f"a word of more than {MAX_WORD_BYTES} bytes", folded, place, self._policies.bad_rows)
            return None
        if not _SPACES.search(folded):
            return folded
        what, policy = "white space inside the word", self._policies.spaces
        if policy in {"error", "drop"}:
            self.leave_out(what, folded, place, policy)
            return None
        self._note(what, "changed" if policy == "replace" else "kept", folded, place)
        return without_spaces(folded) if policy == "replace" else folded

    def _note(self, what: str, became: Literal["left out", "changed", "kept"], word: str, place: int) -> None:
        found = self._found.get(what) or RowsFound(what=what, became=became, n=0, first=[])
        first = [*found.first, NamedRow(word=word[:MAX_SHOWN], at=place)] if found.n < MAX_NAMED else found.first
        self._found[what] = found.model_copy(update={"n": found.n + 1, "first": first})


def _plain(spelled: Sequence[bytes]) -> list[str | None] | None:
    """All words, decoded at once, if nothing is to be done to any: UTF-8, not empty, no space inside, not too long."""
    if LONGEST_CHARACTER * max(map(len, spelled), default=0) > MAX_WORD_BYTES:
        return None
    try:
        text = b" ".join(spelled).decode()
    except UnicodeDecodeError:
        return None
    words = text.split()
    return [*words] if len(words) == len(spelled) and " ".join(words) == text else None


def without_spaces(word: str) -> str:
    """The word with ``_`` in the place of white space."""
    return _SPACES.sub("_", word)
