"""A growing table of types (distinct byte strings) over the kernels that fill it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer.kernels.text import encode as kernels
from trainer.kernels.text.eights import PADDING_BYTES
from trainer.kernels.text.encode import LINE_OPEN, N_OUT, N_TOKENS, N_TYPES, POSITION
from trainer.kernels.text.expand import write_lines
from trainer.steps.arrays import Bytes, Ids, Integers
from trainer.steps.disk import Scalar, on_disk
from trainer.steps.memory import leave_memory

_FIRST_TYPES = 1 << 15
_NO_CUT = 1 << 62


@dataclass(frozen=True, eq=False)
class Types:
    """Distinct byte strings and how often each occurs; see `trainer.kernels.text.encode` for the arrays."""

    arena: Bytes
    offsets: Integers
    counts: Integers

    def __len__(self) -> int:
        return len(self.counts)

    def lines(self, picked: Integers) -> Bytes:
        """The picked types with a line end after each, padded for the kernels."""
        n_bytes = int((self.offsets[picked + 1] - self.offsets[picked]).sum()) + len(picked)
        out = np.zeros(n_bytes + PADDING_BYTES, np.uint8)
        write_lines(self.arena, self.offsets, picked, out)
        return out

    def leave_memory(self) -> None:
        """Give back the pages of what is mapped; they are read again when they are needed."""
        leave_memory(self.arena, self.offsets, self.counts)

    def on_disk(self, folder: Path, name: str) -> Types:
        """The same, out of memory."""
        return Types(
            *(on_disk(getattr(self, part), folder / f"{name}.{part}") for part in ("arena", "offsets", "counts"))
        )


class TypeTable:
    """Ids for byte strings in order of first appearance, and how often each was seen.

    Parameters
    ----------
    max_type_bytes : longer runs without white space are cut into types of this length
    n_types : types to make room for at first; the table grows beyond
    seed : of the hash; only tables of the same one can be added
    """

    def __init__(
        self, max_type_bytes: int = _NO_CUT, n_types: int = _FIRST_TYPES, seed: np.uint64 | None = None
    ) -> None:
        n_slots = 1 << max(n_types * 3 // 2, 2).bit_length()
        self._seed = new_seed() if seed is None else seed
        self._slots = np.zeros(2 * n_slots, np.uint64)
        self._arena: Bytes = np.empty(8 * n_slots, np.uint8)
        self._offsets = np.zeros(2 * n_slots // 3 + 1, np.int64)
        self._cursor = np.zeros(5, np.int64)
        self._max_type_bytes = max_type_bytes

    def scan(self, block: Bytes, end: int, out: Ids, *, every_line: bool = False) -> int:
        """Ids of ``block[:end]`` into `out`; returns how many. See `trainer.kernels.text.encode.scan`."""
        self._cursor[POSITION] = self._cursor[N_OUT] = 0
        self._cursor[LINE_OPEN] = True
        while not kernels.scan(
            block, end, self._slots, self._arena, self._offsets, out, self._cursor, self._seed,
            self._max_type_bytes, every_line,
        ):  # fmt: skip
            self._grow()
        return int(self._cursor[N_OUT])

    def cut_nothing(self) -> None:
        """Take runs of any length as one type from now on."""
        self._max_type_bytes = _NO_CUT

    def __len__(self) -> int:
        return int(self._cursor[N_TYPES])

    @property
    def n_tokens(self) -> int:
        return int(self._cursor[N_TOKENS])

    @property
    def n_bytes(self) -> int:
        """Length of all types together."""
        return int(self._offsets[len(self)])

    def types(self) -> Types:
        counts = np.zeros(len(self), np.int64)
        kernels.read_counts(self._slots, counts)
        return self.counted(counts)

    def counted(self, counts: Integers) -> Types:
        """The types with other counts than the table's."""
        return Types(self._arena[: self.n_bytes], self._offsets[: len(self) + 1], counts)

    def add(self, other: TypeTable, counts: Integers) -> Ids:
        """Add the types of another table, of the same seed, and their counts to `counts`; their ids here."""
        while len(self) + len(other) > self._max_types:
            self._add_slots()
        while self.n_bytes + other.n_bytes + PADDING_BYTES > self._arena.size:
            self._arena = _longer(self._arena, 2 * self._arena.size)
        ids = np.empty(len(other), np.int32)
        table = self._slots, self._arena, self._offsets
        added = other._slots, other._arena, other._offsets
        self._cursor[N_TYPES] = kernels.add_table(*added, *table, len(self), counts, self._seed, ids)
        return ids

    @property
    def _max_types(self) -> int:
        return min(self._offsets.size - 1, self._slots.size // 3)

    def _grow(self) -> None:
        if len(self) >= self._max_types:
            self._add_slots()
        else:
            self._arena = _longer(self._arena, 2 * self._arena.size)

    def _add_slots(self) -> None:
        slots = np.zeros(2 * self._slots.size, np.uint64)
        kernels.move_slots(self._slots, slots, self._seed)
        self._slots = slots
        self._offsets = _longer(self._offsets, slots.size // 3 + 1)


def new_seed() -> np.uint64:
    """One that nobody can guess, so that nobody can send text whose types all fall into one slot."""
    return np.uint64(secrets.randbits(64))


def _longer(array: npt.NDArray[Scalar], size: int) -> npt.NDArray[Scalar]:
    longer = np.zeros(size, array.dtype)
    longer[: array.size] = array
    return longer


def padded(text: bytes) -> Bytes:
    """Bytes as a block that the kernels may read."""
    return np.frombuffer(text + bytes(PADDING_BYTES), np.uint8)
