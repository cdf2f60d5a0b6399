"""What vectors of words outside the vocabulary are composed of: rows of a tokenizer's pieces, or of n-grams."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from app.core.table.arrays import PART_KEYS, PART_VECTORS, PARTS_TRAINED, TOKEN_WORDS, Arrays, FloatArray
from app.core.text.ngrams import Unit, sizes_of

TOKENIZER = "resources/tokenizer.json"
MAX_TOKENIZER_BYTES = 64 << 20
IntArray = npt.NDArray[np.int32]


class Pieces(BaseModel):
    """A word is the mean of its tokens, as the version's own ``resources/tokenizer.json`` cuts it; so is a text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pieces"] = "pieces"


class Ngrams(BaseModel):
    """A word is the mean of its n-grams, which stand in the buckets that their hashes name (fastText).

    `jamo` cuts Hangul into initials, vowels and finals, see `app.core.text.ngrams`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["ngrams"] = "ngrams"
    min_n: Annotated[int, Field(ge=1, le=64)]
    max_n: Annotated[int, Field(ge=1, le=64)]
    n_buckets: Annotated[int, Field(ge=1, lt=1 << 31)]
    unit: Unit = "character"

    @classmethod
    def of(cls, chosen: object) -> Ngrams:
        """As something says that has the same names."""
        return cls.model_validate(chosen, from_attributes=True)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """As kernels and hashes take them."""
        return sizes_of(self.min_n, self.max_n, self.unit)


Composition = Annotated[Pieces | Ngrams, Field(discriminator="kind")]


@dataclass(frozen=True, eq=False)
class Parts:
    """The rows.

    Parameters
    ----------
    composition : how words are cut
    vectors : float32 (n_parts, dim)
    keys : int32 (n_parts,), rising: the token or the bucket of each row
    token_words : int32 (n_tokens,), of pieces: the word that a token is, whose row is in the table, or -1
    trained : uint8 (n_parts,), of n-grams: whether a word of the vocabulary has it; None if that is so of all
    """

    composition: Pieces | Ngrams
    vectors: FloatArray
    keys: IntArray
    token_words: IntArray | None = None
    trained: npt.NDArray[np.uint8] | None = None

    @classmethod
    def of(cls, composition: Pieces | Ngrams, arrays: Arrays) -> Parts:
        """Those of a table."""
        others = (arrays.get(name) for name in (TOKEN_WORDS, PARTS_TRAINED))
        return cls(composition, arrays[PART_VECTORS], arrays[PART_KEYS], *others)

    def arrays(self) -> Arrays:
        """As a table stores them."""
        found = {PART_VECTORS: self.vectors, PART_KEYS: self.keys}
        others = {TOKEN_WORDS: self.token_words, PARTS_TRAINED: self.trained}
        return found | {name: array for name, array in others.items() if array is not None}

    def renumbered(self, ids: npt.NDArray[np.int64], vectors: FloatArray) -> Parts:
        """For a table of the words of these ids alone, in their order; a token whose word leaves takes its row along.

        Parameters
        ----------
        ids : int64, words that stay
        vectors : float32 (n_words, dim), of all words before
        """
        if self.token_words is None:
            return self
        numbers = np.full(len(vectors), -1, np.int32)
        numbers[ids] = np.arange(len(ids), dtype=np.int32)
        is_word = self.token_words >= 0
        token_words = np.where(is_word, numbers[self.token_words], np.int32(-1))
        leaving = np.flatnonzero(is_word & (token_words < 0)).astype(np.int32)
        keys = np.concatenate([self.keys, leaving])
        order = np.argsort(keys)
        rows = np.concatenate([self.vectors, vectors[self.token_words[leaving]]])[order]
        return replace(self, vectors=rows, keys=keys[order], token_words=token_words)


def misfit_of_parts(composition: Pieces | Ngrams | None, arrays: Arrays, files: Collection[str]) -> str | None:
    """What keeps a table's parts from being what its manifest says; None if nothing does."""
    found = {name for name in (PART_VECTORS, PART_KEYS, TOKEN_WORDS, PARTS_TRAINED) if name in arrays}
    if composition is None:
        return f"{sorted(found)} belong to no composition of words" if found else None
    needed = {PART_VECTORS, PART_KEYS} | ({TOKEN_WORDS} if composition.kind == "pieces" else set())
    if not needed <= found or (composition.kind == "ngrams" and TOKEN_WORDS in found):
        return f"{composition.kind} are not of {sorted(found)}"
    if composition.kind == "pieces" and TOKENIZER not in files:
        return f"pieces need {TOKENIZER}"
    keys = arrays[PART_KEYS]
    most = len(arrays[TOKEN_WORDS]) if composition.kind == "pieces" else composition.n_buckets
    if len(keys) and (keys[0] < 0 or keys[-1] >= most or not (np.diff(keys) > 0).all()):
        return f"{PART_KEYS} do not rise from 0 to below {most}"
    return None
