"""How long trainings take and how much they need, from formulas: before anything of them is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.costs import fasttext, glove, word2vec

EXPECTED: dict[str, Callable[[int, Any, int], dict[str | None, float]]] = {
    "word2vec": word2vec.expected_seconds,
    "glove": glove.expected_seconds,
    "fasttext": fasttext.expected_seconds,
}
"""Seconds of each step of a training, from tokens, hyperparameters and threads; its measured speed corrects them."""
