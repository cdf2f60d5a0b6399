"""Parts of words in a table: they follow the words that leave, and must be what the manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import TableDamaged
from app.core.table.parts import Ngrams, Parts, Pieces, misfit_of_parts
from app.core.table.reading import open_table
from tests.published import random_vectors, write_version

NGRAMS = Ngrams(min_n=2, max_n=3, n_buckets=100)


def keys(*numbers: int) -> Any:
    return np.array(numbers, np.int32)


def test_a_token_whose_word_leaves_takes_its_row_along() -> None:
    words = np.array([[1, 0], [2, 0], [3, 0]], np.float32)
    parts = Parts(Pieces(), np.array([[9, 9], [8, 8]], np.float32), keys(1, 4), keys(2, -1, 0, 1, -1))
    found = parts.renumbered(np.array([0, 2]), words)
    assert found.token_words is not None
    assert found.token_words.tolist() == [1, -1, 0, -1, -1]
    assert (found.keys.tolist(), found.vectors.tolist()) == ([1, 3, 4], [[9, 9], [2, 0], [8, 8]])


def test_n_grams_stay_whoever_leaves() -> None:
    parts = Parts(NGRAMS, np.ones((1, 2), np.float32), keys(7))
    assert parts.renumbered(np.array([1]), np.ones((2, 2), np.float32)) is parts


def test_parts_are_written_and_read(tmp_path: Path) -> None:
    trained = np.array([1, 0], np.uint8)
    parts = Parts(NGRAMS, random_vectors(2, 3), keys(4, 99), trained=trained)
    write_version(tmp_path, ["a", "b"], random_vectors(2, 3), parts=parts)
    table = open_table(tmp_path)
    assert table.manifest.composition == NGRAMS
    assert table.parts is not None
    assert table.parts.vectors.tolist() == parts.vectors.tolist()
    assert (table.parts.keys.tolist(), table.parts.trained is not None) == ([4, 99], True)


def test_tables_of_before_have_none(tmp_path: Path) -> None:
    write_version(tmp_path, ["a", "b"], random_vectors(2, 3))
    assert open_table(tmp_path).parts is None


@pytest.mark.parametrize(
    ("composition", "arrays", "told"),
    [
        (None, {"part_keys": keys(1)}, "belong to no composition"),
        (NGRAMS, {"part_keys": keys(1)}, "ngrams are not of"),
        (NGRAMS, {"part_keys": keys(1, 100), "part_vectors": 0}, "rise from 0 to below 100"),
        (NGRAMS, {"part_keys": keys(2, 2), "part_vectors": 0}, "rise from 0 to below 100"),
        (NGRAMS, {"part_keys": keys(), "part_vectors": 0, "token_words": 0}, "ngrams are not of"),
        (Pieces(), {"part_keys": keys(), "part_vectors": 0}, "pieces are not of"),
        (Pieces(), {"part_keys": keys(), "part_vectors": 0, "token_words": keys()}, "pieces need resources"),
        (NGRAMS, {"part_keys": keys(), "part_vectors": 0}, None),
    ],
)
def test_what_does_not_fit_is_told(composition: Any, arrays: dict[str, Any], told: str | None) -> None:
    found = misfit_of_parts(composition, arrays, ["table.safetensors"])
    assert (found is None) == (told is None)
    assert told is None or told in (found or "")


def test_a_manifest_that_says_otherwise_is_refused(tmp_path: Path) -> None:
    parts = Parts(NGRAMS, random_vectors(2, 3), keys(4, 99))
    write_version(tmp_path, ["a", "b"], random_vectors(2, 3), parts=parts)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"n_buckets": 100', '"n_buckets": 99'))
    with pytest.raises(TableDamaged, match="rise from 0 to below 99"):
        open_table(tmp_path)
