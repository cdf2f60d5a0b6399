"""Versions beside each other: whose words, and what is estimated where one lacks a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from app.core.errors import StepImpossible
from app.core.table.arrays import FloatArray
from app.core.table.parts import Ngrams, Parts, Pieces
from app.core.table.reading import Table, open_table
from app.core.text.ngrams import ngram_hashes
from tests.published import vocabulary_of, write_version
from tests.trainer.deriving.conftest import WORDS, Do, working
from trainer.deriving import combining, imputing
from trainer.deriving.working import DoubleArray, Working, unit

Publish = Callable[..., Table]
UNKNOWN = "[UNK]"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combining, "BLOCK", 7)
    monkeypatch.setattr(imputing, "BLOCK", 7)


def of_words(words: list[str], vectors: DoubleArray | FloatArray) -> Working:
    return Working(words, vocabulary_of(words).counts, np.asarray(vectors, np.float32))


def ridge(x: DoubleArray, y: DoubleArray, asked: DoubleArray) -> DoubleArray:
    """Ridge regression with a constant that is not punished, as one least-squares problem of longer matrices."""
    n_in, n_out = x.shape[1], y.shape[1]
    rows = np.vstack(
        [np.hstack([x, np.ones((len(x), 1))]), np.hstack([np.sqrt(imputing.RIDGE) * np.eye(n_in), np.zeros((n_in, 1))])]
    )
    found, *_ = np.linalg.lstsq(rows, np.vstack([y, np.zeros((n_in, n_out))]), rcond=None)
    return np.asarray(np.hstack([asked, np.ones((len(asked), 1))]) @ found)


def test_combined_cosines_are_the_means_of_the_cosines(do: Do, table: Publish) -> None:
    theirs = np.random.default_rng(5).standard_normal((40, 3))
    tables = {"m@2": table(WORDS[:40], theirs)}
    mine = unit(working().vectors.astype(np.float64))
    work, facts = do(working(), tables, **{"step": "combine", "with": ["m@2"], "weights": [1, 2]})
    assert facts == {"n_words": 60, "n_lacking": {"m@2": 20}, "dims": [8, 3]}
    joined, other = unit(work.vectors.astype(np.float64)), unit(theirs)
    expected = (mine[:40] @ mine[:40].T + 4 * other @ other.T) / 5
    np.testing.assert_allclose(joined[:40] @ joined[:40].T, expected, atol=1e-6)
    np.testing.assert_allclose(joined[40:] @ joined[40:].T, mine[40:] @ mine[40:].T, atol=1e-6)
    work, facts = do(working(), tables, **{"step": "combine", "with": ["m@2"], "vocabulary": "intersection", "dim": 4})
    assert (work.words, work.vectors.shape, facts["dims"]) == (WORDS[:40], (40, 4), [8, 3])


def pieces(tmp_path: Path) -> Table:
    """The tokens w and ##1 are pieces, and w0 is a word of the table."""
    tokens = {UNKNOWN: 0, "w0": 1, "w": 2, "##1": 3}
    tokenizer = Tokenizer(models.WordPiece(tokens, unk_token=UNKNOWN))
    parts = Parts(
        Pieces(),
        np.array([[3, 0], [0, 4]], np.float32),
        np.array([2, 3], np.int32),
        np.array([-1, 0, -1, -1], np.int32),
    )
    rows = np.array([[0, 2]], np.float32)
    write_version(tmp_path / "pieces", ["w0"], rows, parts=parts, tokenizer=tokenizer.to_str().encode())
    return open_table(tmp_path / "pieces")


def ngrams(tmp_path: Path) -> Table:
    """The bigrams w0 and 11 are known; w0 is a word with another vector than its n-gram has."""
    found = [ngram_hashes(word, 2, 2)[place] % 1000 for word, place in (("w0", 1), ("w11", 2))]
    keys = np.array(sorted(found), np.int32)
    rows = np.array([[3, 4], [1, 0]], np.float32)[np.argsort(found)]
    parts = Parts(Ngrams(min_n=2, max_n=2, n_buckets=1000), rows, keys)
    write_version(tmp_path / "ngrams", ["w0"], np.array([[0, 2]], np.float32), parts=parts)
    return open_table(tmp_path / "ngrams")


COMPOSED: dict[Callable[[Path], Table], dict[str, list[float]]] = {
    pieces: {"w0": [0, 1], "w1": [0.6, 0.8], "w11": [3 / 73**0.5, 8 / 73**0.5]},
    ngrams: {"w0": [0, 1], "w01": [0.6, 0.8], "w11": [1, 0]},
}


@pytest.mark.parametrize("make", COMPOSED)
def test_a_version_that_composes_words_has_all_that_it_composes(
    do: Do, tmp_path: Path, make: Callable[[Path], Table]
) -> None:
    known, expected = list(COMPOSED[make]), np.array(list(COMPOSED[make].values()))
    words, tables, step = [*known, "w22", "xyz"], {"t": make(tmp_path)}, {"step": "combine", "with": ["t"]}
    work, facts = do(of_words(words, np.eye(5)), tables, **step)
    assert facts == {"n_words": 5, "n_lacking": {"t": 2}, "n_composed": {"t": 2}, "dims": [5, 2]}
    np.testing.assert_allclose(work.vectors, np.c_[np.eye(5), np.r_[expected, np.zeros((2, 2))]], atol=1e-6)
    work, facts = do(of_words(words, np.eye(5)), tables, **step, vocabulary="intersection")
    assert (work.words, facts["n_lacking"], facts["n_composed"]) == (known, {"t": 0}, {"t": 2})
    np.testing.assert_allclose(work.vectors[:, 5:], expected, atol=1e-6)
    work, facts = do(of_words(words, np.eye(5)), tables, **step, vocabulary="union")
    assert [(each["to"], each["n_rows"], each["n_shared"]) for each in facts["imputed"]] == [("t", 2, 3)]
    np.testing.assert_allclose(work.vectors[[work.words.index(word) for word in known], 5:], expected, atol=1e-6)


def test_nothing_in_common_cannot_be_combined(do: Do, table: Publish) -> None:
    other = {"m": table(["x", "y"], [[1, 0], [0, 1]])}
    with pytest.raises(StepImpossible, match="no word in common"):
        do(working(), other, **{"step": "combine", "with": ["m"], "vocabulary": "intersection"})
    with pytest.raises(StepImpossible, match="no word of the first"):
        do(working(), other, **{"step": "combine", "with": ["m"], "vocabulary": "union"})


def test_what_a_version_lacks_is_estimated_from_what_shared_words_have(do: Do, table: Publish) -> None:
    rng = np.random.default_rng(6)
    mine, theirs = (unit(rng.standard_normal((60, dim))) for dim in (5, 3))
    work = of_words(WORDS[:50], mine[:50])
    step = {"step": "combine", "with": ["m@2"], "vocabulary": "union", "weights": [2, 3]}
    work, facts = do(work, {"m@2": table(WORDS[10:], theirs[10:])}, **step)
    assert sorted(work.words) == sorted(WORDS)
    assert (facts["n_words"], facts["n_added"], facts["n_spelled_otherwise"]) == (60, 10, 0)
    told = [{name: each[name] for name in ("to", "from", "n_rows", "n_shared")} for each in facts["imputed"]]
    assert told == [
        {"to": "first", "from": ["m@2"], "n_rows": 10, "n_shared": 40},
        {"to": "m@2", "from": ["first"], "n_rows": 10, "n_shared": 40},
    ]
    rows = work.vectors[[work.words.index(word) for word in WORDS]]
    np.testing.assert_allclose(rows[:50, :5], 2 * mine[:50], atol=1e-6)
    np.testing.assert_allclose(rows[10:, 5:], 3 * theirs[10:], atol=1e-6)
    np.testing.assert_allclose(rows[50:, :5], 2 * ridge(theirs[10:50], mine[10:50], theirs[50:]), atol=1e-6)
    np.testing.assert_allclose(rows[:10, 5:], 3 * ridge(mine[10:50], theirs[10:50], mine[:10]), atol=1e-6)
    fitted = ridge(mine[10:50], theirs[10:50], mine[10:50])
    centered = theirs[10:50] - theirs[10:50].mean(axis=0)
    explained = 1 - ((theirs[10:50] - fitted) ** 2).sum() / (centered**2).sum()
    assert facts["imputed"][1]["explained_variance"] == pytest.approx(explained, rel=1e-3)


def test_a_space_that_another_decides_is_found_again(do: Do, table: Publish) -> None:
    rng = np.random.default_rng(7)
    words = [f"w{i}" for i in range(3000)]
    mine = unit(rng.standard_normal((3000, 4)))
    theirs = mine @ np.linalg.qr(rng.standard_normal((4, 4)))[0]
    work, facts = do(
        of_words(words, mine),
        {"m": table(words[:2900], theirs[:2900])},
        **{"step": "combine", "with": ["m"], "vocabulary": "union"},
    )
    np.testing.assert_allclose(work.vectors[2900:, 4:], theirs[2900:], atol=0.01)
    assert facts["imputed"][0]["explained_variance"] == pytest.approx(1, abs=1e-4)


def test_each_set_of_versions_that_has_a_word_is_learnt_from(do: Do, table: Publish) -> None:
    """Of three versions: w0 is in the first alone, x in the second alone, y in the second and third."""
    rng = np.random.default_rng(8)
    second = table([*WORDS[1:], "x", "y"], rng.standard_normal((61, 3)))
    third = table([*WORDS[1:], "y"], rng.standard_normal((60, 2)))
    step = {"step": "combine", "with": ["b", "c"], "vocabulary": "union"}
    work, facts = do(working(), {"b": second, "c": third}, **step)
    assert {(each["to"], *each["from"], each["n_rows"]) for each in facts["imputed"]} == {
        ("b", "first", 1),
        ("c", "first", 1),
        ("first", "b", 1),
        ("c", "b", 1),
        ("first", "b", "c", 1),
    }
    assert np.abs(work.vectors).sum(axis=1).min() > 0.5


def test_added_words_stand_where_their_count_by_shared_words_puts_them(do: Do, table: Publish) -> None:
    """The shared words occur 120 and 5000 + 2500 times; a spelling that no query has is left out."""
    work = Working(["a", "b", "c"], np.array([100, 20, 10]), np.eye(3, dtype=np.float32))
    other = table(["new", "a", "The", "b", "rare"], np.eye(5))
    assert other.vocabulary.counts.tolist() == [10_000, 5000, 3333, 2500, 2000]
    work, facts = do(work, {"m": other}, **{"step": "combine", "with": ["m"], "vocabulary": "union"})
    assert (work.words, work.counts.tolist()) == (["new", "a", "rare", "b", "c"], [160, 100, 32, 20, 10])
    assert (facts["n_added"], facts["n_spelled_otherwise"], work.counts_known) == (2, 1, False)
    with pytest.raises(StepImpossible, match="prune before you combine"):
        do(work, step="prune", min_count=5)
