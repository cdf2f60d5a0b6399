"""Steps that read something else: another version, a lexicon, a list of words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import StepImpossible
from app.core.table.reading import Table
from tests.trainer.deriving.conftest import WORDS, Do, working
from trainer.deriving import others
from trainer.deriving import working as rooms
from trainer.deriving.apply import overlap
from trainer.deriving.vocabulary import prune
from trainer.deriving.working import unit, working_of

Publish = Callable[..., Table]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "BLOCK", 7)
    monkeypatch.setattr(others, "BLOCK", 7)


def test_a_rotated_copy_is_turned_back(do: Do, table: Publish) -> None:
    rotation, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((8, 8)))
    target = working().vectors
    work = working()
    work.vectors = (target @ rotation).astype(np.float32)
    work, facts = do(work, {"m@1": table(WORDS, target)}, step="align", to="m@1")
    np.testing.assert_allclose(work.vectors, target, atol=2e-6 * np.abs(target).max())
    assert facts == {"n_shared": 60, "mean_cosine": pytest.approx(1, abs=1e-6)}


@pytest.mark.parametrize("dims", [(5, 8), (8, 5)])
def test_the_smaller_of_two_is_filled_up(do: Do, table: Publish, dims: tuple[int, int]) -> None:
    mine, theirs = (working(dim=dim).vectors for dim in dims)
    work = working(dim=dims[0])
    work, facts = do(work, {"m": table(WORDS[10:], theirs[10:])}, step="align", to="m")
    assert (work.vectors.shape, facts["n_shared"]) == ((60, 8), 50)
    np.testing.assert_allclose(work.vectors @ work.vectors.T, mine @ mine.T, rtol=1e-4, atol=1e-3)


def test_only_the_most_frequent_words_decide_the_rotation(do: Do, table: Publish) -> None:
    target = working().vectors.copy()
    target[20:] = np.random.default_rng(0).standard_normal((40, 8))
    work, facts = do(working(), {"m": table(WORDS, target)}, step="align", to="m", max_words=20)
    assert facts == {"n_shared": 20, "mean_cosine": pytest.approx(1, abs=1e-6)}
    np.testing.assert_allclose(work.vectors, working().vectors, atol=1e-5)


def test_nothing_in_common_cannot_be_aligned(do: Do, table: Publish) -> None:
    other = {"m": table(["x", "y"], [[1, 0], [0, 1]])}
    with pytest.raises(StepImpossible, match="No word of m is among"):
        do(working(), other, step="align", to="m")


def test_retrofitting_gives_what_its_equation_says(do: Do, tmp_path: Path) -> None:
    path = tmp_path / "lexicon"
    path.write_text("W0 w1 w2 unknown w0\nw2 w0\nw0 w1\nnothing w3\nw5\n")
    original = unit(working().vectors.astype(np.float64))
    expected = original.copy()
    for _ in range(3):
        expected[0] = (2 * original[0] + expected[1] + expected[2]) / 4
        expected[2] = (original[2] + expected[0]) / 2
    work, facts = do(working(), files={"l": path}, step="retrofit", lexicon="l", sweeps=3)
    np.testing.assert_allclose(work.vectors, expected, atol=1e-6)
    assert (facts["n_words_moved"], facts["n_pairs"], len(facts["changes"])) == (2, 3, 3)
    assert facts["changes"][0] > facts["changes"][1] > facts["changes"][2]
    path.write_text("nothing at all\n")
    with pytest.raises(StepImpossible, match="No word of l and a neighbour"):
        do(working(), files={"l": path}, step="retrofit", lexicon="l")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"max_words": 3}, ["w0", "w1", "w2"]),
        ({"min_count": 2500}, ["w0", "w1", "w2", "w3"]),
        ({"pattern": "w1?[05]"}, ["w0", "w5", "w10", "w15"]),
        ({"words": "list"}, ["w1", "w7"]),
        ({"words": "list", "max_words": 5}, ["w1"]),
    ],
)
def test_words_that_all_restrictions_allow_stay_in_their_order(
    do: Do, tmp_path: Path, said: dict[str, object], kept: list[str]
) -> None:
    path = tmp_path / "list"
    path.write_text("w7\nW1 \r\nunknown\n")
    before = working()
    work, facts = do(working(), files={"list": path}, step="prune", **said)
    assert work.words == kept
    ids = [WORDS.index(word) for word in kept]
    assert work.vectors.tolist() == before.vectors[ids].tolist()
    assert (work.counts.tolist(), facts["n_words"]) == (before.counts[ids].tolist(), len(kept))


def test_a_pattern_that_never_ends_is_refused(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{prune.__module__}.PATTERN_SECONDS", 0.05)
    work = working()
    work.words[0] = "a" * 5000 + "!"
    with pytest.raises(StepImpossible, match=r"takes more than 0\.05 s"):
        do(work, step="prune", pattern="(a|aa|aaa)+b+")
    with pytest.raises(StepImpossible, match="None of 60 words"):
        do(working(), step="prune", pattern="nothing")


def test_the_overlap_with_a_parent_is_counted_over_shared_words(table: Publish) -> None:
    parent = table(WORDS, working().vectors)
    assert overlap(parent, WORDS, parent.neighbors) == {"k": 10, "n_words": 60, "mean": 1.0}
    other = table(WORDS, np.random.default_rng(8).standard_normal((60, 8)))
    found = overlap(parent, WORDS, other.neighbors)
    mine, theirs = parent.neighbors.ids[:, :10], other.neighbors.ids[:, :10]
    shares = [len(set(a) & set(b)) / 10 for a, b in zip(mine.tolist(), theirs.tolist(), strict=True)]
    assert found["mean"] == round(sum(shares) / 60, 4)
    assert overlap(parent, ["x", "y"], table(["x", "y"], [[1, 0], [0, 1]]).neighbors)["n_words"] == 0


def test_a_table_is_read_as_it_was_trained(table: Publish) -> None:
    np.testing.assert_allclose(working_of(table(WORDS, working().vectors)).vectors, working().vectors, rtol=1e-6)
