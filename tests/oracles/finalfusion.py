"""Reads finalfusion files by the description of the format: SimpleVocab, NdArray and Norms."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class FinalFusion(NamedTuple):
    words: list[str]
    matrix: npt.NDArray[np.float32]
    norms: npt.NDArray[np.float32]


def read_finalfusion(content: bytes) -> FinalFusion:
    magic, version, n_chunks = struct.unpack_from("<4sII", content)
    assert (magic, version) == (b"FiFu", 0)
    listed = struct.unpack_from(f"<{n_chunks}I", content, 12)
    words: list[str] = []
    matrix: npt.NDArray[np.float32] = np.empty(0, np.float32)
    norms = matrix
    place, found = 12 + 4 * n_chunks, []
    while place < len(content):
        kind, n_bytes = struct.unpack_from("<IQ", content, place)
        start, place = place + 12, place + 12 + n_bytes
        found.append(kind)
        if kind == 1:
            words = _words(content, start, place)
        elif kind == 2:
            rows, columns, number = struct.unpack_from("<QII", content, start)
            matrix = _floats(content, start + 16, place, rows * columns, number).reshape(rows, columns)
        elif kind == 6:
            rows, number = struct.unpack_from("<QI", content, start)
            norms = _floats(content, start + 12, place, rows, number)
    assert place == len(content)
    assert tuple(found) == listed
    return FinalFusion(words, matrix, norms)


def _words(content: bytes, start: int, end: int) -> list[str]:
    (n_words,) = struct.unpack_from("<Q", content, start)
    start, words = start + 8, []
    for _ in range(n_words):
        (length,) = struct.unpack_from("<I", content, start)
        words.append(content[start + 4 : start + 4 + length].decode())
        start += 4 + length
    assert start == end
    return words


def _floats(content: bytes, start: int, end: int, n: int, number: int) -> npt.NDArray[np.float32]:
    padding = 4 - start % 4
    assert number == 10
    assert end - start - padding == 4 * n
    return np.frombuffer(content, "<f4", n, start + padding)
