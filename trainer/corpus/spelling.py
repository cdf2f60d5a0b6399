"""Types -> words: each distinct run of bytes is decoded, normalised and tokenised once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.text import TextReader
from trainer.corpus.types import Types, TypeTable, padded
from trainer.kernels.text import expand as kernels
from trainer.kernels.text.encode import PADDING_BYTES
from trainer.steps.arrays import Ids, Integers
from trainer.steps.disk import on_disk

BATCH_BYTES = 1 << 17


@dataclass(frozen=True, eq=False)
class Spelling:
    """The words of some types, by their ids.

    Parameters
    ----------
    lines : for each type the ids of its words, then LINE_END
    starts : (n_types,), where the line of each type begins
    """

    lines: Ids
    starts: Integers

    def on_disk(self, folder: Path, name: str) -> Spelling:
        return Spelling(on_disk(self.lines, folder / f"{name}.lines"), on_disk(self.starts, folder / f"{name}.starts"))


def spell(types: Types, reader: TextReader) -> tuple[Types, Spelling]:
    """The distinct words of all types, counted as these were, and those of each; raises UnicodeDecodeError."""
    table = TypeTable(n_types=len(types))
    lines, order = [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    for picked in _batches(types):
        rewritten = padded(reader.rewrite(types.lines(picked)[:-PADDING_BYTES].tobytes().decode()).encode())
        end = rewritten.size - PADDING_BYTES
        ids = np.empty(end + 1, np.int32)
        n_ids = table.scan(rewritten, end, ids, every_line=True)
        lines.append(ids[:n_ids].copy())
        order.append(picked)
    words = table.types()
    counts = np.zeros(len(words), np.int64)
    starts = np.zeros(len(types), np.int64)
    all_lines = np.concatenate(lines)
    kernels.add_words(all_lines, np.concatenate(order), types.counts, counts, starts)
    return Types(words.arena, words.offsets, counts), Spelling(all_lines, starts)


def merge(parts: list[Types]) -> tuple[Types, list[Integers]]:
    """One set of types with added counts, and for each part the new ids of its types."""
    table = TypeTable(n_types=max(map(len, parts)))
    new_ids = [add_types(table, part, np.arange(len(part))) for part in parts]
    merged = table.types()
    counts = np.zeros(len(merged), np.int64)
    for part, ids in zip(parts, new_ids, strict=True):
        counts[ids] += part.counts  # no id twice within a part
    return Types(merged.arena, merged.offsets, counts), new_ids


def add_types(table: TypeTable, types: Types, picked: Integers) -> Integers:
    """Put the picked types into a table; their ids there."""
    ids = [np.empty(0, np.int32)]
    for batch in _by_bytes(types, picked):
        lines = types.lines(batch)
        out = np.empty(2 * len(batch) + 1, np.int32)
        table.scan(lines, lines.size - PADDING_BYTES, out, every_line=True)
        ids.append(out[: 2 * len(batch) : 2].copy())
    return np.concatenate(ids).astype(np.int64)


def _batches(types: Types) -> Iterator[Integers]:
    is_ascii = np.empty(len(types), np.bool_)
    kernels.mark_ascii(types.arena, types.offsets, is_ascii)
    yield from _by_bytes(types, np.flatnonzero(is_ascii))
    yield from _by_bytes(types, np.flatnonzero(~is_ascii))


def _by_bytes(types: Types, picked: Integers) -> Iterator[Integers]:
    """The picked types in portions of about `BATCH_BYTES`."""
    if not len(picked):
        return
    ends = np.cumsum(types.offsets[picked + 1] - types.offsets[picked] + 1)
    cuts = np.searchsorted(ends, np.arange(BATCH_BYTES, int(ends[-1]), BATCH_BYTES)) + 1
    yield from (batch for batch in np.split(picked, cuts) if len(batch))


@dataclass(frozen=True, eq=False)
class Expansion:
    """What each type becomes; see `trainer.kernels.text.expand.resolve`."""

    single: Ids
    several: Ids

    @classmethod
    def of(cls, spelling: Spelling, final_ids: Ids) -> Expansion:
        single = np.empty(len(spelling.starts), np.int32)
        several = np.empty(len(spelling.lines), np.int32)
        used = kernels.resolve(spelling.lines, spelling.starts, final_ids, single, several)
        return cls(single, several[:used].copy())


@dataclass(frozen=True, eq=False)
class Spellings:
    """The words of all tables of a scan.

    Parameters
    ----------
    words : the words of each part
    parts : one for each table that was put on disk, and one for all the others together
    places : for each table its part, and the ids of its types there, if they are others
    """

    words: list[Types]
    parts: list[Spelling]
    places: dict[int, tuple[int, Integers | None]]

    def expansions(self, final_ids: list[Ids]) -> dict[int, Expansion]:
        """What the types of each table become, given the final ids of the words of each part."""
        wholes = [Expansion.of(part, ids) for part, ids in zip(self.parts, final_ids, strict=True)]
        return {
            table: wholes[part] if ids is None else Expansion(wholes[part].single[ids], wholes[part].several)
            for table, (part, ids) in self.places.items()
        }


def spell_tables(on_disk: dict[int, Types], in_memory: dict[int, Types], reader: TextReader, folder: Path) -> Spellings:
    """Spell all types, with at most one large set of them in memory; empties both; raises UnicodeDecodeError."""
    spellings = Spellings([], [], {})

    def add(types: Types, name: str | None = None) -> None:
        words, spelling = spell(types, reader)
        spellings.words.append(words.on_disk(folder, f"{name}.words") if name else words)
        spellings.parts.append(spelling.on_disk(folder, name) if name else spelling)

    for number in list(on_disk):
        spellings.places[number] = len(spellings.parts), None
        add(on_disk.pop(number), f"spelling-{number}")
    merged, new_ids = merge(list(in_memory.values()))
    for number, ids in zip(in_memory, new_ids, strict=True):
        spellings.places[number] = len(spellings.parts), ids
    in_memory.clear()  # frees what was merged
    add(merged, "spelling" if spellings.parts else None)
    return spellings
