"""The lists of words of a step: said with it, in an uploaded file, or shipped; and which of them a version has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.core.errors import StepImpossible
from trainer.deriving.working import Facts, Sources, Working

N_MISSING_TOLD = 20
Pair = tuple[str, str]


class Found(NamedTuple):
    """The ids of words or pairs that there are, in the order of their list, and what is missing of it."""

    ids: list[Any]
    missing: list[str]

    def told(self) -> Facts:
        told: Facts = {"n": len(self.ids), "n_missing": len(self.missing)}
        return told | {"missing": self.missing[:N_MISSING_TOLD]} if self.missing else told

    def checked(self, name: str, max_missing: float) -> Found:
        """Itself, or raise `StepImpossible` if too little is there."""
        n = len(self.ids) + len(self.missing)
        if len(self.ids) and len(self.missing) <= max_missing * n:
            return self
        raise StepImpossible(
            f"{name}: {len(self.missing)} of {n} are not among these words, such as "
            f"{', '.join(self.missing[:5]) or 'none'}; max_missing is {max_missing:g}.",
            list=name,
            missing=self.missing[:N_MISSING_TOLD],
        )


def words_of(said: Sequence[str] | str, sources: Sources) -> list[str]:
    """Words as they were written; of entries that are lists, such as a word with numbers, the first."""
    if not isinstance(said, str):
        return list(said)
    entries = _read(sources.files[said], said, one_a_line=True)
    return [str(entry[0]) if isinstance(entry, list) and entry else str(entry) for entry in entries]


def pairs_of(said: Sequence[Pair] | str, sources: Sources) -> list[Pair]:
    """Pairs as they were written."""
    if not isinstance(said, str):
        return list(said)
    entries = _read(sources.files[said], said, one_a_line=False)
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, list) or len(entry) != 2:
            raise StepImpossible(f"{said}, entry {number}: {str(entry)[:80]!r} is not a pair of words.", file=said)
    return [(str(first), str(second)) for first, second in entries]


def _read(path: Path, name: str, *, one_a_line: bool) -> list[Any]:
    """The entries of a JSON list, or else of lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if not text.lstrip().startswith("["):
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            return list(lines) if one_a_line else [line.split() for line in lines]
        read = json.loads(text)
    except ValueError as error:
        raise StepImpossible(f"{name} is no list of words: {error}", file=name) from error
    return list(read)


def find_words(work: Working, words: Sequence[str], sources: Sources) -> Found:
    """Each id once."""
    ids = {word: i for i, word in enumerate(work.words)}
    found: dict[int, None] = {}
    missing = []
    for word in words:
        i = ids.get(sources.reader.folded(word))
        if i is None:
            missing.append(word)
        else:
            found[i] = None
    return Found(list(found), missing)


def find_pairs(work: Working, pairs: Sequence[Pair], sources: Sources) -> Found:
    """Pairs of ids, each once, of pairs whose words are both there and not the same."""
    ids = {word: i for i, word in enumerate(work.words)}
    found: dict[tuple[int, int], None] = {}
    missing = []
    for pair in pairs:
        first, second = (ids.get(sources.reader.folded(word)) for word in pair)
        if first is None or second is None or first == second:
            missing.append(" ".join(pair))
        else:
            found[first, second] = None
    return Found(list(found), missing)
