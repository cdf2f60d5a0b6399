"""Tensors of a safetensors file: where they are, by a reader that trusts no header; and a table of one of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from app.core.errors import VectorsUnreadable
from trainer.importing.listed import read_listed
from trainer.importing.matrix import DTYPES, Matrix
from trainer.importing.rows import Collected
from trainer.importing.source import Source

MAX_HEADER_BYTES = 1 << 20
MAX_DIMENSIONS = 8
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Bytes of a number of each type; tensors that are not asked for may have any of them."""
NAMES = ("embeddings", "embedding.weight", "vectors")
"""What the table is called, where a file has several tensors."""


class Tensor(NamedTuple):
    """A tensor and its first byte in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int


def read_safetensors(source: Source) -> Collected:
    """Read the one table, with words from the vocabulary.

    Raises
    ------
    VectorsUnreadable
    """
    return read_listed(matrix_of(source.path, tensors_of(source.path, 0, source.n_bytes)), source)


def tensors_of(path: Path, start: int, n_bytes: int) -> dict[str, Tensor]:
    """All tensors of the part of a file, which they fill one by one, without holes.

    Raises
    ------
    VectorsUnreadable
        With the byte.
    """
    with path.open("rb") as file:
        file.seek(start)
        n_header = int.from_bytes(file.read(8), "little")
        if n_bytes < 10 or not 2 <= n_header <= min(MAX_HEADER_BYTES, n_bytes - 8):
            raise VectorsUnreadable(
                f"At byte {start} safetensors should say the length of its header, up to {MAX_HEADER_BYTES}; it says "
                f"{n_header}, and the file has {n_bytes} bytes.",
                byte=start,
            )
        header = _header(file.read(n_header), start + 8)
    first = start + 8 + n_header
    tensors, place = {}, 0
    for name, (begin, end), tensor in sorted((_entry(*item, first) for item in header.items()), key=lambda e: e[1]):
        if begin != place or end - begin != math.prod(tensor.shape) * SIZES[tensor.dtype]:
            raise VectorsUnreadable(
                f"Byte {first + place}: the tensor {name[:80]!r} should begin there and have the bytes of its shape; "
                f"its header says {begin} to {end} for {tensor.dtype} {list(tensor.shape)}.",
                byte=first + place,
            )
        tensors[name], place = tensor, end
    if first + place != start + n_bytes:
        raise VectorsUnreadable(
            f"Its tensors end at byte {first + place}, the file at byte {start + n_bytes}.", byte=first + place
        )
    return tensors


def matrix_of(path: Path, tensors: Mapping[str, Tensor]) -> Matrix:
    """The table of vectors: by its name, or the only one of two dimensions."""
    tables = {name: tensor for name, tensor in tensors.items() if len(tensor.shape) == 2}
    named = next((name for name in NAMES if name in tables), next(iter(tables)) if len(tables) == 1 else None)
    if named is None:
        found = ", ".join(f"{name[:80]} {list(tensor.shape)}" for name, tensor in list(tensors.items())[:10])
        raise VectorsUnreadable(
            f"Which tensor is the table? Call it `embeddings`, or save it alone. There are: {found or 'none'}.", byte=8
        )
    return as_matrix(path, named, tables[named])


def as_matrix(path: Path, name: str, tensor: Tensor) -> Matrix:
    """A tensor of two dimensions as a matrix, if numbers of its type can be vectors."""
    if tensor.dtype not in DTYPES:
        raise VectorsUnreadable(
            f"Byte {tensor.start}: the tensor {name[:80]!r} is {tensor.dtype}; {', '.join(DTYPES)} can be read.",
            byte=tensor.start,
        )
    n_rows, dim = tensor.shape
    return Matrix(path, tensor.start, tensor.dtype, n_rows, dim)


def _header(content: bytes, place: int) -> dict[str, Any]:
    if not content.startswith(b"{"):
        raise VectorsUnreadable(f"At byte {place} the header of safetensors should begin with {{.", byte=place)
    try:
        header: dict[str, Any] = json.loads(content, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise VectorsUnreadable(
            f"The header of safetensors at byte {place} is no JSON: {error}.", byte=place
        ) from error
    header.pop("__metadata__", None)
    return header


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _entry(name: str, said: Any, first: int) -> tuple[str, tuple[int, int], Tensor]:
    """A line of the header, as numbers that can be right."""
    members: dict[str, Any] = said if isinstance(said, dict) else {}
    dtype, shape, offsets = (members.get(key, []) for key in ("dtype", "shape", "data_offsets"))
    are_sizes = _are_sizes(shape, MAX_DIMENSIONS) and _are_sizes(offsets, 2)
    if not isinstance(dtype, str) or dtype not in SIZES or not are_sizes or len(offsets) != 2:
        raise VectorsUnreadable(
            f"The header of safetensors at byte 8 says of {name[:80]!r} what cannot be read: {str(said)[:80]}.", byte=8
        )
    return name, (offsets[0], offsets[1]), Tensor(dtype, tuple(shape), first + offsets[0])


def _are_sizes(values: Any, most: int) -> bool:
    """Whether these are sizes that a file can have, and not too many."""
    is_list = isinstance(values, list) and len(values) <= most
    return is_list and all(type(value) is int and 0 <= value < 2**48 for value in values)
