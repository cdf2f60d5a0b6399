"""The steps against a bias, by the papers' own words, one vector after the other, on tables with a planted one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import StepImpossible
from app.core.steps import Hard
from app.core.text import TextReader, TextSpec
from tests.published import vocabulary_of
from tests.trainer.deriving.conftest import Do
from trainer.deriving import working as rooms
from trainer.deriving.debiasing import equalise, hard, neutralised
from trainer.deriving.erasure import Labels, cross_covariance, eraser
from trainer.deriving.working import Sources, Working, unit

PAIRS = [("she", "he"), ("woman", "man"), ("queen", "king")]
NEUTRAL = [f"job{i}" for i in range(40)]
WORDS = [word for pair in PAIRS for word in pair] + ["dad", "mom"] + NEUTRAL
DIM = 12


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "BLOCK", 7)


def planted() -> Working:
    """The first words of pairs have the first axis, the second ones its opposite, jobs some of it; lengths differ."""
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((len(WORDS), DIM))
    for i in range(0, 8, 2):
        vectors[i + 1] = vectors[i] + 0.1 * rng.standard_normal(DIM)
        vectors[i, 0], vectors[i + 1, 0] = 2, -2
    vectors *= rng.uniform(0.5, 3, len(WORDS))[:, None]
    return Working(list(WORDS), vocabulary_of(WORDS).counts, vectors.astype(np.float32))


def row(work: Working, word: str) -> np.ndarray:
    vector = work.vectors[work.words.index(word)].astype(np.float64)
    return np.asarray(vector / np.linalg.norm(vector))


def direction(work: Working, pairs: list[tuple[str, str]]) -> Any:
    """The greatest eigenvector of the scatter of the pairs, by power iteration."""
    scatter = np.zeros((DIM, DIM))
    for first, second in pairs:
        half = (row(work, first) - row(work, second)) / 2
        scatter += 2 * np.outer(half, half)
    g = row(work, pairs[0][0]) - row(work, pairs[0][1])
    for _ in range(500):
        g = scatter @ g
        g = g / np.linalg.norm(g)
    return g


def test_neutral_words_lose_the_direction_and_pairs_differ_by_it_alone(do: Do) -> None:
    before = planted()
    g = direction(before, PAIRS)
    said = {"step": "hard", "pairs": PAIRS, "equalize": [["dad", "mom"], ["uncle", "aunt"]], "max_missing": 0}
    work, facts = do(planted(), **said)
    for word in NEUTRAL:
        expected = row(before, word) - (row(before, word) @ g) * g
        np.testing.assert_allclose(row(work, word), expected / np.linalg.norm(expected), atol=1e-6)
    for pair in PAIRS:
        for word in pair:
            np.testing.assert_allclose(row(work, word), row(before, word), atol=1e-6)
    mean = (row(before, "dad") + row(before, "mom")) / 2  # the words of pairs are not neutral: they are equalised alone
    shared = mean - (mean @ g) * g
    rest = np.sqrt(1 - shared @ shared) * g
    np.testing.assert_allclose(row(work, "dad"), shared + rest, atol=1e-6)
    np.testing.assert_allclose(row(work, "mom"), shared - rest, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(work.vectors, axis=1), np.linalg.norm(before.vectors, axis=1), rtol=1e-6)
    assert facts["n_neutral"] == 40
    assert facts["equalize"] == {"n": 1, "n_missing": 1, "missing": ["uncle aunt"]}
    cosines = [row(before, word) @ row(work, word) for word in WORDS]
    assert facts["mean_cosine"] == pytest.approx(np.mean(cosines), abs=1e-5)
    assert facts["least_cosine"]["word"] == WORDS[int(np.argmin(cosines))]


def test_pairs_are_equalised_capitalised_too() -> None:
    work = planted()
    work.words[6:8] = "Dad", "Mom"
    reader = TextReader(TextSpec(case="keep"))
    step = Hard(step="hard", pairs=tuple(PAIRS), equalize=(("dad", "mom"),))
    assert hard(work, step, Sources({}, {}, reader))["equalize"] == {"n": 1, "n_missing": 0}
    assert row(work, "Dad") @ direction(planted(), PAIRS) == pytest.approx(
        -row(work, "Mom") @ direction(planted(), PAIRS)
    )


def test_words_that_keep_the_direction_may_be_said(do: Do, tmp_path: Path) -> None:
    (tmp_path / "pairs").write_text("she he\nwoman man\n\n")
    (tmp_path / "specific").write_text(json.dumps([["job0", 0.0, 1.0], "job1", "nobody"]))
    files = {name: tmp_path / name for name in ("pairs", "specific")}
    before = planted()
    g = direction(before, PAIRS[:2])
    work, facts = do(planted(), files=files, step="hard", pairs="pairs", specific="specific")
    np.testing.assert_allclose(row(work, "job1"), row(before, "job1"), atol=1e-6)
    assert max(abs(row(work, word) @ g) for word in [*NEUTRAL[2:], "king", "she"]) < 1e-6
    assert facts["specific"] == {"n": 2, "n_missing": 1, "missing": ["nobody"]}


def test_a_word_that_was_nothing_but_the_direction_leaves(do: Do) -> None:
    work = planted()
    work.vectors[10] = (work.vectors[10] * 0 + 1) * direction(work, PAIRS).astype(np.float32)
    work, facts = do(work, step="hard", pairs=PAIRS)
    assert facts["left_out_as_zeros"] == {"n": 1, "first": [WORDS[10]]}


def test_of_a_pair_the_greater_one_gets_the_plus_even_if_both_were_neutral() -> None:
    g = np.array([1.0, 0.0, 0.0])
    rows = np.array([[0.0, 0.6, 0.8], [0.0, 0.6, 0.8]])
    equalise(rows, np.array([[0, 1]]), np.array([-0.2, 0.1]), g)
    np.testing.assert_allclose(rows, [[0, 0.6, 0.8]] * 2, atol=1e-7)
    rows = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    equalise(rows, np.array([[0, 1]]), np.array([-0.2, 0.1]), g)
    np.testing.assert_allclose(rows, [[-np.sqrt(0.5), 0.5, 0.5], [np.sqrt(0.5), 0.5, 0.5]], atol=1e-12)
    assert neutralised(np.array([[1.0, 1e-8, 0.0]]), g).tolist() == [[0, 0, 0]]


def slow_leace(x: np.ndarray, labelled: np.ndarray, z: np.ndarray) -> np.ndarray:
    """x - W^+ P W (x - mu) as the paper writes it, with pseudo-inverses."""
    mean = x.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(x, rowvar=False, bias=True))
    root = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    whiten = np.linalg.pinv(root)
    cross = sum(np.outer(a - x[labelled].mean(axis=0), b - z.mean(axis=0)) for a, b in zip(x[labelled], z, strict=True))
    colored = whiten @ (cross / len(z))
    projector = colored @ np.linalg.pinv(colored)
    return np.stack([row - np.linalg.pinv(whiten) @ projector @ whiten @ (row - mean) for row in x])


@pytest.mark.parametrize("n_classes", [2, 4])
def test_no_affine_reader_tells_the_group_of_a_word(do: Do, n_classes: int) -> None:
    groups = {f"g{i}": NEUTRAL[i:30:n_classes] for i in range(n_classes)}
    before = planted()
    work, facts = do(planted(), step="leace", groups=groups)
    x = unit(before.vectors.astype(np.float64))
    ids = np.array([WORDS.index(word) for words in groups.values() for word in words])
    z = np.repeat(np.eye(n_classes), [len(words) for words in groups.values()], axis=0)
    expected = unit(slow_leace(x, ids, z))
    np.testing.assert_allclose(unit(work.vectors.astype(np.float64)), expected, atol=1e-5)
    assert facts["n_erased_directions"] == n_classes - 1
    assert facts["max_covariance"] < 1e-12


def test_a_continuous_label_is_erased_from_all_words_but_those_that_stay(do: Do) -> None:
    before = planted()
    g = direction(before, PAIRS)
    work, facts = do(planted(), step="leace", pairs=PAIRS)
    assert facts["max_covariance"] < 1e-12
    np.testing.assert_array_equal(work.vectors[:6], before.vectors[:6])
    x = unit(before.vectors.astype(np.float64))[6:]
    expected = unit(slow_leace(x, np.arange(len(x)), (x @ g)[:, None]))
    np.testing.assert_allclose(unit(work.vectors.astype(np.float64))[6:], expected, atol=1e-5)


def test_the_covariance_is_gone_in_float64_where_vectors_lack_dimensions() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 9)) + 3
    values = rng.standard_normal((50, 2)) + x[:, :2]
    labels = Labels(np.ones(50, bool), np.arange(50) % 3 > 0, values)
    change = eraser(lambda: [(slice(0, 20), x[:20]), (slice(20, 50), x[20:])], labels)
    assert change.rank == 2
    erased = change.erased(x)
    assert np.abs(cross_covariance(lambda: [(slice(0, 50), erased)], labels)).max() < 1e-12
    assert np.linalg.matrix_rank(erased - erased.mean(axis=0)) == 2


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"step": "hard", "pairs": [*PAIRS, ("aunt", "uncle")]}, "pairs: 1 of 4 are not among these words"),
        ({"step": "hard"}, "pairs: 8 of 10 are not among these words, such as girl boy, mother father"),
        ({"step": "leace", "pairs": [("he", "He")]}, "pairs: 1 of 1"),
        ({"step": "leace", "groups": {"a": ["she", "x", "y"], "b": ["he"]}}, "group a: 2 of 3"),
        ({"step": "leace", "groups": {"a": ["she"], "b": ["he"]}, "specific": ["he"]}, "All words of the group b"),
        ({"step": "hard", "pairs": "odd"}, "odd, entry 2: .*only.* is not a pair"),
        ({"step": "hard", "pairs": "broken"}, "broken is no list of words"),
    ],
)
def test_what_cannot_be_done_is_told(do: Do, tmp_path: Path, said: dict[str, Any], told: str) -> None:
    (tmp_path / "odd").write_text("she he\nonly\n")
    (tmp_path / "broken").write_text('["she", "he"')
    files = {name: tmp_path / name for name in ("odd", "broken")}
    with pytest.raises(StepImpossible, match=told):
        do(planted(), files=files, **said)


def test_pairs_of_equal_vectors_and_tables_of_one_vector_show_nothing(do: Do) -> None:
    work = planted()
    work.vectors[1] = work.vectors[0]
    with pytest.raises(StepImpossible, match="no direction"):
        do(work, step="hard", pairs=PAIRS[:1])
    work.vectors[:] = 1
    with pytest.raises(StepImpossible, match="All vectors are the same"):
        do(work, step="leace", groups={"a": ["she"], "b": ["he"]})
