"""Types -> words: each distinct run of bytes is decoded, normalised and tokenised once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.text import TextReader
from trainer.corpus.types import Types, TypeTable, padded
from trainer.kernels.text import expand as kernels
from trainer.kernels.text.encode import LINE_END, PADDING_BYTES
from trainer.steps.arrays import Bytes, Ids, Integers
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


def spell(types: Types, reader: TextReader, table: TypeTable) -> tuple[Types, Spelling]:
    """The distinct words of all types, counted as these were, and those of each; raises UnicodeDecodeError.

    `table` holds these types, or nothing, and then their words, too; those that are no word have a count of 0.
    """
    are_there = len(table) > 0
    lines, order = [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    for picked, rewritten in _rewritten(types, reader):
        order.append(picked)
        if rewritten is None and are_there:
            lines.append(np.column_stack([picked, np.full(len(picked), LINE_END)]).astype(np.int32).ravel())
            continue
        words = types.lines(picked) if rewritten is None else rewritten
        end = words.size - PADDING_BYTES
        ids = np.empty(end + 1, np.int32)
        lines.append(ids[: table.scan(words, end, ids, every_line=True)].copy())
    found = table.types()
    counts = np.zeros(len(found), np.int64)
    starts = np.zeros(len(types), np.int64)
    all_lines = np.concatenate(lines)
    kernels.add_words(all_lines, np.concatenate(order), types.counts, counts, starts)
    return Types(found.arena, found.offsets, counts), Spelling(all_lines, starts)


def merge(tables: list[TypeTable]) -> tuple[TypeTable, Types, list[Integers]]:
    """One table of all types, they with added counts, and for each table the new ids of its types.

    It is the first of the largest, to which the others are added; it cuts no type any more.
    """
    largest = max(range(len(tables)), key=lambda i: len(tables[i]))
    table, parts = tables[largest], [each.types() for each in tables]
    table.cut_nothing()
    new_ids = [
        np.arange(len(part)) if i == largest else add_types(table, part, np.arange(len(part)))
        for i, part in enumerate(parts)
    ]
    merged = table.types()
    counts = np.zeros(len(merged), np.int64)
    for part, ids in zip(parts, new_ids, strict=True):
        counts[ids] += part.counts  # no id twice within a part
    return table, Types(merged.arena, merged.offsets, counts), new_ids


def add_types(table: TypeTable, types: Types, picked: Integers) -> Integers:
    """Put the picked types into a table; their ids there."""
    ids = [np.empty(0, np.int32)]
    for batch in _by_bytes(types, picked):
        lines = types.lines(batch)
        out = np.empty(2 * len(batch) + 1, np.int32)
        table.scan(lines, lines.size - PADDING_BYTES, out, every_line=True)
        ids.append(out[: 2 * len(batch) : 2].copy())
    return np.concatenate(ids).astype(np.int64)


def _rewritten(types: Types, reader: TextReader) -> Iterator[tuple[Integers, Bytes | None]]:
    """Some types at a time, and the lines that the reader makes of them, None where these are the types.

    Plain ones are read byte by byte, without its help.
    """
    is_plain, is_same, is_ascii = (np.zeros(len(types), np.bool_) for _ in range(3))
    of_plain = reader.bytes_of_plain
    if of_plain:
        becomes = np.frombuffer(of_plain, np.uint8)
        kernels.mark_plain(types.arena, types.offsets, becomes, is_plain, is_same)
        yield from ((picked, None) for picked in _by_bytes(types, np.flatnonzero(is_same)))
        for picked in _by_bytes(types, np.flatnonzero(is_plain & ~is_same)):
            yield picked, becomes[types.lines(picked)]
    kernels.mark_ascii(types.arena, types.offsets, is_ascii)
    for chosen in (is_ascii & ~is_plain, ~is_ascii & ~is_plain):
        for picked in _by_bytes(types, np.flatnonzero(chosen)):
            lines = types.lines(picked)[:-PADDING_BYTES].tobytes().decode()
            yield picked, padded(reader.rewrite(lines).encode())


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


def spell_tables(
    on_disk: dict[int, Types], in_memory: dict[int, TypeTable], reader: TextReader, folder: Path
) -> Spellings:
    """Spell all types, with at most one large set of them in memory; empties both; raises UnicodeDecodeError."""
    spellings = Spellings([], [], {})

    def add(types: Types, table: TypeTable, name: str | None) -> None:
        words, spelling = spell(types, reader, table)
        spellings.words.append(words.on_disk(folder, f"{name}.words") if name else words)
        spellings.parts.append(spelling.on_disk(folder, name) if name else spelling)

    for number in list(on_disk):
        spellings.places[number] = len(spellings.parts), None
        types = on_disk.pop(number)
        add(types, TypeTable(n_types=len(types)), f"spelling-{number}")
    table, merged, new_ids = merge(list(in_memory.values()))
    for number, ids in zip(in_memory, new_ids, strict=True):
        spellings.places[number] = len(spellings.parts), ids
    in_memory.clear()  # frees what was merged
    add(merged, table, "spelling" if spellings.parts else None)
    return spellings
