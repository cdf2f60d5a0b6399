"""The arrays of ``table.safetensors``: one description for whoever writes, opens or checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Spec:
    """An array: its type, its shape by named sizes, and which ids it holds.

    Sizes of one name are equal in all arrays; ``n_words`` and ``dim`` are the manifest's. An array of ids holds numbers
    from `lowest_id` to below ``n_words``.
    """

    dtype: type[np.generic]
    shape: tuple[str, ...]
    lowest_id: int | None = None
    is_optional: bool = False


UNIT_VECTORS, CODES, HALVES = "unit_vectors", "unit_codes", "unit_halves"
AGREEMENT = "neighbor_agreement"
PART_VECTORS, PART_KEYS, TOKEN_WORDS, PARTS_TRAINED = "part_vectors", "part_keys", "token_words", "parts_trained"
PARENT_ROWS = "parent_rows"

ARRAYS: dict[str, Spec] = {
    # one of these three: vectors of length 1, or codes that they are made of, see `quantised`
    UNIT_VECTORS: Spec(np.float32, ("n_words", "dim"), is_optional=True),
    CODES: Spec(np.int8, ("n_words", "dim"), is_optional=True),
    HALVES: Spec(np.float16, ("n_words", "dim"), is_optional=True),
    # lengths before normalisation
    "norms": Spec(np.float32, ("n_words",)),
    # occurrences, non-increasing
    "counts": Spec(np.int64, ("n_words",)),
    # UTF-8, word i from word_offsets[i] to word_offsets[i + 1]
    "word_bytes": Spec(np.uint8, ("n_word_bytes",)),
    "word_offsets": Spec(np.int64, ("n_words + 1",)),
    # an open-addressing table, see `lookup`
    "word_slots": Spec(np.int32, ("n_slots",), lowest_id=-1),
    # ids in the order of the words' bytes
    "word_order": Spec(np.int32, ("n_words",), lowest_id=0),
    # the exact nearest of the most frequent words, see `Neighbors`
    "neighbor_ids": Spec(np.int32, ("n_covered", "n_neighbors"), lowest_id=0),
    "neighbor_scores": Spec(np.float32, ("n_covered", "n_neighbors")),
    # in how many trainings of different seeds each neighbour was found, the published one among them
    AGREEMENT: Spec(np.uint8, ("n_covered", "n_neighbors"), is_optional=True),
    # of each word of the version that the training went on from: its id here, -1 if it was left out
    PARENT_ROWS: Spec(np.int32, ("n_parent_words",), lowest_id=-1, is_optional=True),
    # what text vectors have in common and is taken out of them
    "text_component": Spec(np.float32, ("dim",)),
    # what the corpus showed of the most frequent words, all four or none, see `evidence`
    "context_ids": Spec(np.int32, ("n_explained", "n_contexts"), lowest_id=-1, is_optional=True),
    "context_counts": Spec(np.int64, ("n_explained", "n_contexts"), is_optional=True),
    "pair_totals": Spec(np.int64, ("n_words",), is_optional=True),
    "example_ids": Spec(np.int32, ("n_explained", "n_examples", "n_passage_words"), lowest_id=-1, is_optional=True),
    # what other words are composed of, see `parts`
    PART_VECTORS: Spec(np.float32, ("n_parts", "dim"), is_optional=True),
    PART_KEYS: Spec(np.int32, ("n_parts",), is_optional=True),
    TOKEN_WORDS: Spec(np.int32, ("n_tokens",), lowest_id=-1, is_optional=True),
    PARTS_TRAINED: Spec(np.uint8, ("n_parts",), is_optional=True),
}
EVIDENCE = ("context_ids", "context_counts", "pair_totals", "example_ids")


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The exact nearest neighbours of the most frequent words.

    Parameters
    ----------
    ids : int32 (n_covered, k), neighbours of word ``i`` in row ``i``, nearest first, ties by id; the word itself is not
        among them
    scores : float32 (n_covered, k), their cosines
    """

    ids: npt.NDArray[np.int32]
    scores: FloatArray


def misfit(arrays: Arrays, n_words: int, dim: int) -> str | None:
    """What keeps these arrays from being a table of so many words and dimensions; None if nothing does."""
    sizes = {"n_words": n_words, "n_words + 1": n_words + 1, "dim": dim}
    for name in [*ARRAYS, *(name for name in arrays if name not in ARRAYS)]:
        spec = ARRAYS.get(name)
        if spec is None:
            return f"there is no array {name!r} in this format"
        if name not in arrays:
            if spec.is_optional:
                continue
            return f"the array {name!r} is missing"
        array = arrays[name]
        if array.dtype != spec.dtype or array.ndim != len(spec.shape):
            return (
                f"{name} is {array.dtype} of {array.ndim} dimensions, not {np.dtype(spec.dtype)} of {len(spec.shape)}"
            )
        for size, length in zip(spec.shape, array.shape, strict=True):
            if sizes.setdefault(size, length) != length:
                return f"{name} has {length} for {size}, which is {sizes[size]}"
        if spec.lowest_id is not None and not _within(array, spec.lowest_id, n_words):
            return f"{name} holds ids outside the vocabulary"
    return _misfit_of_vectors(arrays) or _misfit_of_words(arrays, sizes) or _misfit_of_evidence(arrays, sizes)


def _misfit_of_vectors(arrays: Arrays) -> str | None:
    held = [name for name in (UNIT_VECTORS, CODES, HALVES) if name in arrays]
    if len(held) != 1:
        return f"there must be one of {UNIT_VECTORS}, {CODES} and {HALVES}, not {held}"
    if held[0] != UNIT_VECTORS and not arrays[held[0]].any(axis=1).all():
        return f"{held[0]} has a row of zeros"
    return None


def _misfit_of_words(arrays: Arrays, sizes: Mapping[str, int]) -> str | None:
    offsets, slots = arrays["word_offsets"], arrays["word_slots"]
    n_words, n_slots = sizes["n_words"], sizes["n_slots"]
    if offsets[0] != 0 or offsets[-1] != sizes["n_word_bytes"] or not (np.diff(offsets) > 0).all():
        return "word_offsets do not cut word_bytes into words"
    if n_slots <= n_words or n_slots & (n_slots - 1) or np.count_nonzero(slots >= 0) != n_words:
        return "word_slots do not hold each word once in a power of two of slots"
    if sizes["n_covered"] > n_words:
        return "more words have neighbours than there are"
    return None


def _misfit_of_evidence(arrays: Arrays, sizes: Mapping[str, int]) -> str | None:
    found = [name for name in EVIDENCE if name in arrays]
    if found and (len(found) < len(EVIDENCE) or sizes["n_explained"] > sizes["n_words"]):
        return "the evidence is not complete, or of more words than there are"
    if any(arrays[name].size and arrays[name].min() < 0 for name in found if name.endswith(("counts", "totals"))):
        return "the evidence has counts below 0"
    return None


def _within(ids: npt.NDArray[np.int32], lowest: int, n_words: int) -> bool:
    return ids.size == 0 or (int(ids.min()) >= lowest and int(ids.max()) < n_words)
