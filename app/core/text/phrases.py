"""Frequent pairs of words that are read as one word, such as new_york."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import TokenizerUnusable
from app.core.text.tokenizers import RESOURCES

PHRASES = f"{RESOURCES}/phrases.json"
JOINT = "_"
Pairs = list[tuple[str, str]]
DEFAULT_THRESHOLDS = {"npmi": 0.5, "word2phrase": 100.0}
Counts = npt.NDArray[np.int64]


class Phrases(BaseModel):
    """Which pairs are joined. A phrase of a pass may be part of a longer one in the next.

    `npmi` is the pointwise mutual information of a pair over its greatest value, from -1 to 1 (Bouma 2009);
    `word2phrase` is ``(n(a b) - min_count) / (n(a) n(b))`` times the tokens of the corpus (Mikolov et al. 2013).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scoring: Literal["npmi", "word2phrase"] = "npmi"
    threshold: Annotated[float | None, Field(description="0.5 for npmi, 100 for word2phrase, unless given")] = None
    min_count: Annotated[int, Field(ge=1, description="rarer pairs and words are not joined")] = 10
    passes: Annotated[int, Field(ge=1, le=4, description="two join up to four words")] = 2

    @property
    def least(self) -> float:
        return DEFAULT_THRESHOLDS[self.scoring] if self.threshold is None else self.threshold

    def scores(self, pairs: Counts, first: Counts, second: Counts, n_tokens: int) -> npt.NDArray[np.float64]:
        """How much each pair belongs together.

        Parameters
        ----------
        pairs, first, second : int64 (n,), occurrences of each pair and of its words, none of them 0
        n_tokens : of the corpus

        Returns
        -------
        float64 (n,)
        """
        by_chance = first.astype(np.float64) * second
        if self.scoring == "word2phrase":
            return (pairs - self.min_count) / by_chance * n_tokens
        share = pairs / n_tokens
        greatest = np.where(share < 1, -np.log(share), 1.0)
        return np.log(share * n_tokens**2 / by_chance) / greatest


def written(passes: Sequence[Pairs]) -> bytes:
    """As a version stores what was joined."""
    return json.dumps({"passes": passes}, ensure_ascii=False).encode()


class Joiner:
    """Joins the pairs of each pass from left to right, as the corpus was joined."""

    def __init__(self, content: bytes) -> None:
        try:
            passes = json.loads(content)["passes"]
            self._passes = [{(first, second) for first, second in pairs} for pairs in passes]
        except (ValueError, TypeError, KeyError) as error:
            raise TokenizerUnusable("The list of phrases cannot be read.") from error

    def joined(self, words: list[str]) -> list[str]:
        for pairs in self._passes:
            words = _pass(words, pairs)
        return words


def _pass(words: list[str], pairs: set[tuple[str, str]]) -> list[str]:
    found, i = [], 0
    while i < len(words):
        if (words[i], words[i + 1] if i + 1 < len(words) else "") in pairs:
            found.append(words[i] + JOINT + words[i + 1])
            i += 2
        else:
            found.append(words[i])
            i += 1
    return found
