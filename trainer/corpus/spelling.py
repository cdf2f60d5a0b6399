"""Types -> words: each distinct run of bytes is decoded, normalised and tokenised once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.core.text import TextReader
from trainer.corpus.types import Types, TypeTable, padded
from trainer.kernels.text import expand as kernels
from trainer.kernels.text.eights import PADDING_BYTES
from trainer.kernels.text.plain import mark_words
from trainer.steps.arrays import Bytes, Ids, Integers
from trainer.steps.disk import on_disk
from trainer.steps.memory import leave_memory

BATCH_BYTES = 1 << 17


@dataclass(frozen=True, eq=False)
class Spelling:
    """The words of some types, by their ids.

    Parameters
    ----------
    lines : for each type that is not a word itself the ids of its words, then LINE_END
    starts : (n_types,), where the line of each type begins; -1 for one that is the word of the same id
    """

    lines: Ids
    starts: Integers


class Spelled(NamedTuple):
    """The distinct words of all types of a table, counted as these were, and those of each."""

    words: Types
    spelling: Spelling

    def on_disk(self, folder: Path, name: str) -> Spelled:
        """The same, out of memory."""
        lines, starts = self.spelling.lines, self.spelling.starts
        spelling = Spelling(on_disk(lines, folder / f"{name}.lines"), on_disk(starts, folder / f"{name}.starts"))
        return Spelled(self.words.on_disk(folder, f"{name}.words"), spelling)


def spell(table: TypeTable, types: Types, reader: TextReader) -> Spelled:
    """Find the words of the types of a table, to which they are added; raises UnicodeDecodeError.

    Types keep their ids as words; those that are no word have a count of 0.
    """
    table.cut_nothing()
    is_word = np.zeros(len(types), np.bool_)
    if of_plain := reader.bytes_of_plain:
        mark_words(types.arena, types.offsets, np.frombuffer(of_plain, np.uint8), is_word)
    lines, order = [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    for picked, words in _rewritten(types, np.flatnonzero(~is_word), reader):
        end = words.size - PADDING_BYTES
        ids = np.empty(end + 1, np.int32)
        lines.append(ids[: table.scan(words, end, ids, every_line=True)].copy())
        order.append(picked)
    counts = np.zeros(len(table), np.int64)
    np.multiply(types.counts, is_word, out=counts[: len(types)])
    starts = np.full(len(types), -1)
    all_lines = np.concatenate(lines)
    kernels.add_words(all_lines, np.concatenate(order), types.counts, counts, starts)
    return Spelled(table.counted(counts), Spelling(all_lines, starts))


def merge(tables: list[TypeTable]) -> tuple[TypeTable, Types, list[Ids]]:
    """One table of all types, they with added counts, and for each table the new ids of its types.

    It is the first of the largest, to which the others are added.
    """
    largest = max(range(len(tables)), key=lambda i: len(tables[i]))
    table = tables[largest]
    counts = np.zeros(sum(map(len, tables)), np.int64)
    counts[: len(table)] = table.types().counts
    new_ids = [
        np.arange(len(each), dtype=np.int32) if i == largest else table.add(each, counts)
        for i, each in enumerate(tables)
    ]
    return table, table.counted(counts[: len(table)]), new_ids


def add_types(table: TypeTable, types: Types, picked: Integers) -> Integers:
    """Put the picked types into a table; their ids there."""
    ids = [np.empty(0, np.int32)]
    for batch in _by_bytes(types, picked):
        lines = types.lines(batch)
        out = np.empty(2 * len(batch) + 1, np.int32)
        table.scan(lines, lines.size - PADDING_BYTES, out, every_line=True)
        ids.append(out[: 2 * len(batch) : 2].copy())
    return np.concatenate(ids).astype(np.int64)


def _rewritten(types: Types, picked: Integers, reader: TextReader) -> Iterator[tuple[Integers, Bytes]]:
    """Some types at a time, and the lines that the reader makes of them; ASCII, which is faster, apart."""
    is_ascii = np.zeros(len(types), np.bool_)
    kernels.mark_ascii(types.arena, types.offsets, is_ascii)
    for chosen in (picked[is_ascii[picked]], picked[~is_ascii[picked]]):
        for batch in _by_bytes(types, chosen):
            lines = types.lines(batch)[:-PADDING_BYTES].tobytes().decode()
            yield batch, padded(reader.rewrite(lines).encode())


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
        leave_memory(spelling.lines, spelling.starts)
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
    places: dict[int, tuple[int, Ids | None]]

    def expansions(self, final_ids: list[Ids]) -> dict[int, Expansion]:
        """What the types of each table become, given the final ids of the words of each part."""
        wholes = [Expansion.of(part, ids) for part, ids in zip(self.parts, final_ids, strict=True)]
        return {
            table: wholes[part] if ids is None else Expansion(wholes[part].single[ids], wholes[part].several)
            for table, (part, ids) in self.places.items()
        }


def spell_tables(
    spelled: dict[int, Spelled], in_memory: dict[int, TypeTable], reader: TextReader, folder: Path
) -> Spellings:
    """Spell what is left in memory after the tables that were spelled; empties both; raises UnicodeDecodeError."""
    places: dict[int, tuple[int, Ids | None]] = {number: (i, None) for i, number in enumerate(spelled)}
    parts = list(spelled.values())
    spelled.clear()
    table, merged, new_ids = merge(list(in_memory.values()))
    places |= {number: (len(parts), ids) for number, ids in zip(in_memory, new_ids, strict=True)}
    in_memory.clear()  # frees what was merged
    last = spell(table, merged, reader)
    parts.append(last.on_disk(folder, "spelling") if parts else last)
    return Spellings([part.words for part in parts], [part.spelling for part in parts], places)
