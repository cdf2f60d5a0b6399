"""Unit vectors in fewer bytes: codes of a byte or two a number, of which rows are made when they are asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from app.core.table.arrays import CODES, HALVES, UNIT_VECTORS, Arrays, FloatArray
from app.core.table.multiplied import multiplied

Encoding = Literal["int8", "float16"]
ENCODINGS: dict[Encoding, str] = {"int8": CODES, "float16": HALVES}
"""The array that holds each."""
BLOCK = 1 << 12
"""Rows that are made at a time: a few MB, which stay in the cache."""
LARGEST_CODE = 127


class Quantised:
    """Rows of length 1, made of their codes: equal codes make equal rows wherever that is done.

    Each row has a scale of its own, which cancels out in a cosine, so that only the codes are kept.

    Parameters
    ----------
    codes : int8 or float16 (n_words, dim), no row of zeros
    """

    def __init__(self, codes: npt.NDArray[Any]) -> None:
        self.codes = codes
        self._scales = np.empty(len(codes), np.float32)
        for start in range(0, len(codes), BLOCK):
            self._scales[start : start + BLOCK] = _scales(codes[start : start + BLOCK])

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codes.shape

    @property
    def size(self) -> int:
        return self.codes.size

    def __getitem__(self, rows: Any) -> FloatArray:
        """Rows by whatever numpy takes of the first axis; float32, a copy."""
        made: FloatArray = self.codes[rows].astype(np.float32)
        made *= np.asarray(self._scales[rows])[..., None]
        return made

    def products(self, directions: FloatArray, out: FloatArray) -> None:
        """Cosines with float32 (dim, n), or (dim,), into `out`, (n_words, n) or (n_words,)."""
        for start in range(0, len(self), BLOCK):
            multiplied(self[start : start + BLOCK], directions, out[start : start + BLOCK])


UnitVectors = FloatArray | Quantised


def _scales(codes: npt.NDArray[Any]) -> FloatArray:
    """1 by the length of each row; it is summed in float64, where integers are exact."""
    numbers = codes.astype(np.float64)
    scales: FloatArray = (1 / np.sqrt(np.einsum("ij,ij->i", numbers, numbers))).astype(np.float32)
    return scales


def quantise(unit_vectors: FloatArray, encoding: Encoding) -> npt.NDArray[Any]:
    """Codes of unit vectors (n_words, dim): float16, or int8 with the largest number of each row at 127."""
    if encoding == "float16":
        return unit_vectors.astype(np.float16)
    codes = np.empty(unit_vectors.shape, np.int8)
    for start in range(0, len(unit_vectors), BLOCK):
        block = unit_vectors[start : start + BLOCK]
        largest = np.abs(block).max(axis=1, keepdims=True)
        codes[start : start + BLOCK] = np.rint(block * (LARGEST_CODE / largest))
    return codes


def encoded(unit_vectors: FloatArray, encoding: Encoding | None) -> Arrays:
    """The array that a table stores of its unit vectors."""
    if encoding is None:
        return {UNIT_VECTORS: unit_vectors}
    return {ENCODINGS[encoding]: quantise(unit_vectors, encoding)}


def unit_rows(stored: npt.NDArray[Any]) -> FloatArray:
    """Some rows as they are stored, of whichever encoding -> float32 rows."""
    return stored if stored.dtype == np.float32 else Quantised(stored)[:]


def stored_as(arrays: Collection[str]) -> str:
    """The name of the array that has the unit vectors."""
    return next(name for name in (UNIT_VECTORS, *ENCODINGS.values()) if name in arrays)


def unit_vectors_of(arrays: Arrays) -> UnitVectors:
    """The unit vectors of a table: its float32 array itself, or rows that are made of codes."""
    name = stored_as(arrays)
    if name != UNIT_VECTORS:
        return Quantised(arrays[name])
    stored: FloatArray = arrays[name]
    return stored


def products(unit_vectors: UnitVectors, directions: FloatArray, out: FloatArray) -> None:
    """float32 cosines of all rows with `directions` (dim, n), or (dim,), into `out`."""
    if isinstance(unit_vectors, Quantised):
        unit_vectors.products(directions, out)
    else:
        multiplied(unit_vectors, directions, out)
