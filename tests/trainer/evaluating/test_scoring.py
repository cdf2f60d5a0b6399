"""Answers to every kind of question: beside gensim's evaluators, a slow reading of the papers, and known answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from app.core.evaluation.results import FoundWords, Outcomes, SetResult
from app.core.evaluation.sets import EvaluationSet, read_questions
from app.core.table.composing import Composed
from app.core.table.manifest import FileOrigin
from app.core.table.vocabulary import WordId
from app.core.text import TextReader, TextSpec
from benchmarks.quality import unit_rows
from tests.published import random_vectors
from trainer.evaluating import scoring
from trainer.evaluating.scoring import evaluate
from trainer.evaluating.words import Vectors

WORDS = [f"w{i}" for i in range(300)]
FILE = FileOrigin(name="f", revision=1, sha256="0" * 64, n_bytes=1)
READER = TextReader(TextSpec(normalization="none", case="lower", tokenizer="whitespace"))


@pytest.fixture
def unit() -> np.ndarray:
    return unit_rows(random_vectors(len(WORDS), 12, seed=5))


@pytest.fixture
def vectors(unit: np.ndarray) -> Vectors:
    ids = {word: i for i, word in enumerate(WORDS)}
    return Vectors(ids.get, unit, READER, 2)


@pytest.fixture
def gensim(unit: np.ndarray) -> KeyedVectors:
    keyed = KeyedVectors(12)
    keyed.add_vectors(WORDS, unit)
    return keyed


def asked(vectors: Vectors, text: str, **said: object) -> tuple[SetResult, Outcomes]:
    wanted = EvaluationSet.model_validate({"file": "f"} | said)
    return evaluate(vectors, read_questions(text.encode(), wanted.type, "f"), wanted, FILE)


def test_similarity_is_gensims(vectors: Vectors, gensim: KeyedVectors, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    pairs = [(WORDS[a], WORDS[b], float(generator.integers(20))) for a, b in generator.integers(300, size=(60, 2))]
    text = "".join(f"{a}\t{b}\t{gold}\n" for a, b, gold in [*pairs, ("gone", "w1", 3.0)])
    (tmp_path / "pairs").write_text(text)
    theirs = gensim.evaluate_word_pairs(str(tmp_path / "pairs"), case_insensitive=False)[1].statistic
    result, outcomes = asked(vectors, text)
    assert result.scores["spearman"].value == pytest.approx(theirs, abs=1e-6)
    assert (result.n, result.n_covered, result.missing) == (61, 60, ["gone"])
    assert result.of_all == pytest.approx(theirs * 60 / 61, abs=1e-6)
    assert outcomes.values[-1] is None


@pytest.mark.parametrize("top", [300, 200])
@pytest.mark.parametrize("at_once", [1 << 24, 1])
def test_analogies_are_gensims(
    vectors: Vectors, gensim: KeyedVectors, tmp_path: Path, top: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "SCORES_AT_ONCE", at_once)
    generator = np.random.default_rng(1)
    lines = [": family"]
    for number, (a, b, c) in enumerate(generator.integers(300, size=(200, 3))):
        if number == 120:
            lines.append(": gram1-plural")
        answer = gensim.most_similar(positive=[WORDS[b], WORDS[c]], negative=[WORDS[a]], topn=1)[0][0]
        lines.append(" ".join([WORDS[a], WORDS[b], WORDS[c], answer if number % 2 else "w7"]))
    lines.append("w1 gone w2 w3")
    (tmp_path / "questions").write_text("\n".join(lines) + "\n")
    value, sections = gensim.evaluate_word_analogies(
        str(tmp_path / "questions"), restrict_vocab=top, case_insensitive=False
    )
    result, outcomes = asked(vectors, "\n".join(lines), max_words=top)
    assert result.scores["accuracy"].value == pytest.approx(value)
    assert [(s.name, s.n) for s in result.sections] == [("family", 120), ("gram1-plural", 81)]
    for section, theirs in zip(result.sections, sections, strict=False):
        assert section.n_covered == len(theirs["correct"]) + len(theirs["incorrect"])
    assert result.scores["syntactic"].value == pytest.approx(result.sections[1].value)
    by_hand = [_by_multiplication(vectors.unit[:top], line) for line in lines if not line.startswith(":")]
    known = [right for right in by_hand if right is not None]
    assert result.scores["accuracy_3cosmul"].value == pytest.approx(np.mean(known))
    assert [value is None for value in outcomes.values] == [right is None for right in by_hand]


def _by_multiplication(unit: np.ndarray, line: str) -> bool | None:
    """3CosMul as Levy and Goldberg (2014) write it, with gensim's epsilon."""
    ids = [WORDS.index(word) if word in WORDS else 999 for word in line.split()]
    if max(ids) >= len(unit):
        return None
    cosines = (1 + unit.astype(np.float64) @ unit[ids[:3]].T) / 2
    scores = cosines[:, 1] * cosines[:, 2] / (cosines[:, 0] + 1e-6)
    scores[ids[:3]] = -1
    return bool(scores.argmax() == ids[3])


def test_outliers_are_least_compact(vectors: Vectors) -> None:
    """The eight words around one centre, and one of another."""
    unit = vectors.unit.copy()
    unit[:8] = unit_rows(np.float32(1) + 0.1 * random_vectors(8, 12))
    unit[8] = -unit[0]
    unit[9] = unit_rows(unit[:8].mean(axis=0, keepdims=True))[0]
    text = ": g\n" + "\n".join(WORDS[:8]) + "\n\nw8\nw9\nw100\n"
    result, outcomes = asked(Vectors(vectors.find, unit, READER, 1), text)
    assert outcomes.values[:2] == [1.0, 0.0]
    assert result.scores["opp"].value < 1


def test_categories_that_lie_apart_are_pure(vectors: Vectors) -> None:
    centers = unit_rows(random_vectors(3, 12, seed=9))
    unit = unit_rows(centers[np.arange(300) % 3] + 0.05 * random_vectors(300, 12))
    text = "".join(f"w{i} c{i % 3}\n" for i in range(60))
    apart = Vectors(vectors.find, unit, READER, 1)
    assert asked(apart, text)[0].scores["purity"].value == 1.0
    wrong = text.replace("w0 c0", "w0 c1") + "gone c1\n"
    result, outcomes = asked(apart, wrong)
    assert result.scores["purity"].value == pytest.approx(59 / 60)
    assert (outcomes.values[0], outcomes.values[-1]) == (0.0, None)


def test_neighbours_are_those_of_a_whole_scan(vectors: Vectors, gensim: KeyedVectors) -> None:
    near = [word for word, _ in gensim.most_similar("w3", topn=10)]
    far = gensim.most_similar("w3", topn=300)[-1][0]
    text = f"w3 {near[0]} {near[4]} {near[5]} {far}\n"
    assert asked(vectors, text, type="neighbors")[1].values == [1.0, 1.0, 1.0, 0.0]
    assert asked(vectors, text, type="neighbors", k=5)[1].values == [1.0, 1.0, 0.0, 0.0]


def test_words_are_read_as_the_version_reads_them(vectors: Vectors) -> None:
    result, _ = asked(vectors, "W1\nw2\ngone\nw3\n")
    assert (result.type, result.scores["share"].value, result.n_covered) == ("words", 0.75, 4)
    assert result.missing == ["gone"]


class Doubling:
    """Composes w5x as w5; nothing else."""

    def __init__(self, unit: np.ndarray) -> None:
        self._unit = unit

    def word_id(self, word: str) -> WordId | None:
        return WordId(WORDS.index(word[:-1])) if word.endswith("!") else None

    def compose(self, word: str) -> Composed | None:
        if not word.endswith("x"):
            return None
        row = self._unit[WORDS.index(word[:-1])].astype(np.float64)
        return Composed(word, row, row, "ngrams", 1.0)


@pytest.mark.parametrize(
    ("kind", "text", "composed", "n_covered"),
    [
        ("similarity", "w1 w2 3\nw3 w4 1\nw5 w6 2\n", {"w1": "w1x", "w6": "w6x"}, 1),
        ("analogy", "w1 w2 w3 w4\nw5 w6 w7 w8\nw9 w10 w11 w12\n", {"w2": "w2x", "w5": "w5x"}, 1),
        ("outlier", "w0\nw1\nw2\n\nw8\n", {"w1": "w1x"}, 0),
        ("categories", "w0 c1\nw1 c1\nw2 c2\n", {"w1": "w1x"}, 2),
        ("words", "w0\nw1\ngone\n", {"w1": "w1x"}, 3),
    ],
)
def test_a_set_that_composes_asks_composed_words_as_others(
    vectors: Vectors, kind: str, text: str, composed: dict[str, str], n_covered: int
) -> None:
    written = " ".join(composed.get(word, word) for word in text.replace("\n", " \n ").split(" "))
    composing = replace(vectors, composer=Doubling(vectors.unit))
    plain, answers = asked(vectors, text, type=kind)
    rejecting, _ = asked(composing, written, type=kind)
    result, outcomes = asked(composing, written, type=kind, oov="compose")
    assert outcomes.values == answers.values
    assert result.scores == plain.scores
    assert result.n_covered == plain.n_covered
    assert rejecting.n_covered == n_covered
    assert result.found == rejecting.found
    assert result.found is not None
    assert result.found.composed == len(composed)
    assert not result.asks_the_same(rejecting)
    assert not result.asks_the_same(plain)


def test_what_is_looked_for_stands_in_the_vocabulary(vectors: Vectors, gensim: KeyedVectors) -> None:
    composing = replace(vectors, composer=Doubling(vectors.unit))
    near = gensim.most_similar(positive=["w1"], topn=2)[1][0]
    result, outcomes = asked(composing, f"w1x w1 {near} {near}x\nw2! gone\n", type="neighbors", k=3, oov="compose")
    assert outcomes.values == [1.0, 1.0, None, None]
    assert result.found == FoundWords(n=6, exact=2, tokenised=1, composed=2)
    result, _ = asked(composing, "w1 w2 w3 w4x\nw1 w2 w3 w4\n", oov="compose")
    assert (result.n_covered, result.missing) == (1, ["w4x"])


def test_what_was_found_before_words_were_counted_is_read(vectors: Vectors) -> None:
    result, _ = asked(vectors, "w1 w2 3\nw3 w4 1\n")
    stored = result.model_dump(mode="json", exclude={"oov", "found"})
    again = SetResult.model_validate(stored)
    assert (again.oov, again.found) == ("reject", None)
    assert again.asks_the_same(result)


def test_nothing_covered_is_no_score(vectors: Vectors) -> None:
    result, outcomes = asked(vectors, "x y 1\ny z 2\nz x 3\n")
    assert (result.scores, result.of_all, result.coverage) == ({}, None, 0.0)
    assert outcomes.values == [None, None, None]
