"""Contexts and counts are those of a brute-force count, for any threads and parts; passages are runs of the corpus."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.table.evidence import Evidence
from tests.oracles import contexts as oracle
from tests.oracles.glove import cooccurrences
from tests.published import corpus_of
from trainer.kernels import contexts as kernels
from trainer.publishing import evidence
from trainer.steps.progress import Progress, ignore

Lines = list[list[int]]
N_WORDS, N_EXPLAINED, N_COLUMNS, N_CONTEXTS = 60, 40, 30, 8


def lines_of(seed: int, n_lines: int = 120, n_words: int = N_WORDS) -> Lines:
    """Lines of 0 to 30 words, word i in proportion to 1 / (i + 1)."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, n_words + 1)
    draw = [rng.choice(n_words, rng.integers(0, 31), p=shares / shares.sum()).tolist() for _ in range(n_lines)]
    return [line for line in draw if line]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer words than there are, and many parts and looks."""
    monkeypatch.setattr(evidence, "MOST_EXPLAINED", N_EXPLAINED)
    monkeypatch.setattr(evidence, "MOST_CONTEXT_WORDS", N_COLUMNS)
    monkeypatch.setattr(evidence, "N_CONTEXTS", N_CONTEXTS)
    monkeypatch.setattr(evidence, "FEWEST_PLACES", 1)
    monkeypatch.setattr(evidence, "ROWS", 3)


def found(lines: Lines, window: int, threads: int = 2, n_words: int = N_WORDS) -> Evidence:
    arrays, described = evidence.find(corpus_of(lines, n_words), window, threads, ignore)
    return Evidence(described, *arrays.values())


def counted(lines: Lines, window: int) -> dict[tuple[int, int], int]:
    return {pair: int(n) for pair, n in cooccurrences(lines, window, symmetric=True, equal=True).items()}


@pytest.mark.parametrize("window", [1, 2, 5, 40])
def test_the_strongest_contexts_and_their_counts(window: int) -> None:
    lines = lines_of(window)
    counts, told = counted(lines, window), found(lines, window)
    values = oracle.ppmi(counts, 0.75)
    assert told.n_explained == N_EXPLAINED
    for word in range(N_EXPLAINED):
        contexts = told.contexts(word)
        expected = oracle.strongest(counts, 0.75, word, N_COLUMNS, N_CONTEXTS)
        assert [(context.id, context.count) for context in contexts] == expected
        assert [context.ppmi for context in contexts] == pytest.approx([values[word, c] for c, _ in expected])


@pytest.mark.parametrize("window", [1, 5])
def test_a_pair_is_exact_or_bounded(window: int) -> None:
    lines = lines_of(7, n_lines=60)
    counts, told = counted(lines, window), found(lines, window)
    exact = 0
    for pair in [(i, j) for i in range(N_WORDS) for j in range(N_WORDS)]:
        cooccurrence, true = told.cooccurrence(*pair), counts.get(pair, 0)
        assert cooccurrence.count in {None, true}
        assert true <= cooccurrence.at_most
        assert cooccurrence.count is None or cooccurrence.at_most == true
        exact += cooccurrence.count is not None
    kept = sum(len(told.contexts(word)) for word in range(N_EXPLAINED))
    assert exact >= kept > 200


def test_the_result_is_the_same_for_any_threads_and_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpus_of(lines_of(3), N_WORDS)
    first, _ = evidence.find(corpus, 5, 1, ignore)
    monkeypatch.setattr(evidence, "FEWEST_PLACES", 1 << 20)
    monkeypatch.setattr(evidence, "ROWS", 1 << 20)
    for threads in (1, 3):
        again, described = evidence.find(corpus, 5, threads, ignore)
        assert all((again[name] == first[name]).all() for name in first)
        assert described.n_bytes == sum(array.nbytes for array in again.values())


@pytest.mark.parametrize("window", [2, 40])
def test_passages_are_runs_of_lines_that_show_contexts(window: int) -> None:
    lines = lines_of(5)
    told = found(lines, window)
    runs = {
        tuple(line[i:j]) for line in lines for i in range(len(line)) for j in range(i + 1, min(i + 16, len(line)) + 1)
    }
    shown = 0
    for word in range(N_EXPLAINED):
        passages = [tuple(i for i in passage if i >= 0) for passage in told.example_ids[word].tolist()]
        assert {passage for passage in passages if passage} <= runs
        contexts = {context.id for context in told.contexts(word)}
        for passage in filter(None, passages):
            assert any(list(passage) in told.passages(word, context) for context in contexts)
        shown += all(any(told.passages(word, context)) for context in contexts)
    assert shown == N_EXPLAINED if window == 2 else shown > N_EXPLAINED / 2  # of farther pairs, a passage holds some


def test_a_passage_has_the_pair_in_its_middle_and_ends_with_its_line() -> None:
    line = [2, *range(3, 30), 0, 1, *range(30, 50)]
    told = found([line, [0, 1]], 1, n_words=50)
    start = line.index(0)
    assert list(told.passages(0, 1)) == [line[start - 7 : start + 9], [0, 1]]
    assert list(told.passages(1, 0)) == list(told.passages(0, 1))
    assert next(told.passages(0, 29)) == line[start - 7 : start + 9]  # the same shows both
    assert next(told.passages(2, 3)) == line[:16]
    assert list(told.passages(0, 2)) == []


def test_frequent_words_are_looked_at_all_over_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [[0, 1] for _ in range(5000)] + [[0, 2] for _ in range(2500)]
    told = found(lines, 1, n_words=3)
    assert kernels.MOST_LOOKED_AT < 5000
    assert list(told.passages(0, 1)) == [[0, 1]]
    assert list(told.passages(0, 2)) == [[0, 2]]


def test_a_corpus_without_pairs_has_no_evidence() -> None:
    told = found([[0], [1], [0]], 5, n_words=2)
    assert told.contexts(0) == []
    assert (told.cooccurrence(0, 1).count, told.cooccurrence(0, 0).count) == (0, 0)
    assert list(told.passages(0, 1)) == []


def test_progress_goes_to_its_end_and_what_it_raises_ends_the_work() -> None:
    told: list[float] = []
    evidence.find(corpus_of(lines_of(1), N_WORDS), 5, 2, lambda progress: told.append(progress.fraction))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)

    def refuse(progress: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evidence.find(corpus_of(lines_of(1), N_WORDS), 5, 2, refuse)
