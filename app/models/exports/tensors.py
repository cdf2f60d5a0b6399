"""safetensors, written piece by piece: the library wants whole arrays in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from app.models.exports.selection import Selection

ALIGNMENT = 8
_SIZES = {"F32": 4, "I64": 8, "U8": 1}


@dataclass(frozen=True)
class Tensor:
    """A tensor: its name, its type as the format calls it, its shape, and its bytes in C order, little-endian."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    content: Iterable[bytes]

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * _SIZES[self.dtype]


def head_of(tensors: Sequence[Tensor]) -> bytes:
    """What comes before the bytes of the tensors; larger types must come first, so that all are aligned."""
    described, place = {}, 0
    for tensor in tensors:
        end = place + tensor.n_bytes
        described[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [place, end]}
        place = end
    header = orjson.dumps(described)
    header += b" " * (-len(header) % ALIGNMENT)
    return len(header).to_bytes(8, "little") + header


def file_of(tensors: Sequence[Tensor]) -> Iterator[bytes]:
    """The file, piece by piece."""
    yield head_of(tensors)
    for tensor in tensors:
        yield from tensor.content


def vectors_of(selection: Selection) -> Iterator[bytes]:
    """All vectors as float32."""
    for block in selection.blocks():
        yield block.vectors.astype("<f4", copy=False).tobytes()


def write_safetensors(selection: Selection) -> Iterator[bytes]:
    """``vectors``, ``counts`` where they are known, and the words' UTF-8: ``word_bytes`` cut at ``word_offsets``."""
    n_words, vocabulary = selection.n_words, selection.vocabulary()
    offsets, words = vocabulary.word_offsets.astype("<i8", copy=False), vocabulary.word_bytes
    tensors = [Tensor("word_offsets", "I64", (n_words + 1,), [offsets.tobytes()])]
    if selection.counts_known:
        counts = vocabulary.counts.astype("<i8", copy=False)
        tensors.append(Tensor("counts", "I64", (n_words,), [counts.tobytes()]))
    tensors.append(Tensor("vectors", "F32", (n_words, selection.dim), vectors_of(selection)))
    tensors.append(Tensor("word_bytes", "U8", (len(words),), [words.tobytes()]))
    yield from file_of(tensors)
