"""GloVe from ids to vectors: reproducible for any threads and interruptions, and right on planted structure."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.core.errors import CorpusTooSmall, VectorsNotFinite, VocabularyTooSmall
from app.core.hyperparameters import GloVeHyperparameters
from app.core.table.vocabulary import Vocabulary
from trainer.algorithms.algorithm import Work
from trainer.algorithms.glove import training as glove
from trainer.algorithms.glove.cooccurrence import CooccurrenceTable
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.checkpoint import FolderCheckpoints
from trainer.steps.progress import Progress, Report, ignore


def corpus_of(lines: list[list[int]]) -> EncodedCorpus:
    ids = np.array([i for line in lines for i in [*line, -1]], np.int32)
    counts = np.bincount(ids[ids >= 0])
    order = np.argsort(-counts, kind="stable")
    rank = np.argsort(order)
    ids = np.where(ids >= 0, rank[ids], -1).astype(np.int32)
    vocabulary = Vocabulary.from_words([f"w{i}" for i in range(len(counts))], counts[order])
    return EncodedCorpus(ids, vocabulary, int(counts.sum()), int(counts.sum()), len(lines))


def zipf_corpus(n_words: int = 300, n_lines: int = 400) -> EncodedCorpus:
    random = np.random.default_rng(5)
    chances = 1 / np.arange(1, n_words + 1)
    text = random.choice(n_words, (n_lines, 30), p=chances / chances.sum())
    text[0, :], text[1:11, :] = np.arange(30), np.arange(300).reshape(10, 30)  # every word at least once
    return corpus_of(text.tolist())


class Result(SimpleNamespace):
    """The facts by name, and the vectors."""


def train(corpus: EncodedCorpus, folder: Path, report: Report = ignore, **chosen: Any) -> Result:
    checkpoints, memory_limit_bytes = chosen.pop("checkpoints", None), chosen.pop("memory_limit_bytes", 2**30)
    given = {"dim": 16, "epochs": 5, "threads": 2, "min_count": 1} | chosen
    hyperparameters = GloVeHyperparameters.model_validate(given)
    hyperparameters = hyperparameters.model_copy(update={"memory_limit_bytes": memory_limit_bytes})  # also very small
    folder.mkdir(parents=True)
    trained = glove.train(Work(corpus, folder, 1, report, checkpoints), hyperparameters)
    assert set(trained.arrays) == {"vectors"}
    return Result(vectors=trained.arrays["vectors"], **json.loads(json.dumps(trained.facts)))


def test_any_number_of_threads_gives_the_same_bits(tmp_path: Path) -> None:
    corpus = zipf_corpus()
    one, two, four = (train(corpus, tmp_path / str(threads), threads=threads) for threads in (1, 2, 4))
    assert one.n_cells > 10_000
    assert len(one.held_out_costs) == 5
    for other in (two, four):
        assert one.vectors.tobytes() == other.vectors.tobytes()
        assert one.costs == other.costs
        assert one.held_out_costs == other.held_out_costs
    assert train(corpus, tmp_path / "seed", seed=2).vectors.tobytes() != one.vectors.tobytes()


def test_a_memory_limit_that_spills_to_disk_gives_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = zipf_corpus()
    expected = train(corpus, tmp_path / "memory").vectors
    monkeypatch.setattr("trainer.algorithms.glove.cooccurrence.SMALLEST_CHUNK", 900)
    result = train(corpus, tmp_path / "disk", memory_limit_bytes=1000)
    assert (tmp_path / "disk" / "grid" / "grid.cells").stat().st_size > 12 * 10_000
    assert result.vectors.tobytes() == expected.tobytes()


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("epoch", [0, 1, 3])
def test_resuming_gives_the_same_bits(tmp_path: Path, epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = zipf_corpus()
    expected = train(corpus, tmp_path / "whole")
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", float("inf"))  # each epoch is saved
    checkpoints = FolderCheckpoints(tmp_path / "checkpoints", every_seconds=0)

    def stop(progress: Progress) -> None:
        if progress.epoch == epoch + 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(corpus, tmp_path / "first", stop, checkpoints=checkpoints)

    def no_count(*_: object, **__: object) -> None:
        pytest.fail("the table is counted again")

    monkeypatch.setattr(glove, "count", no_count)
    seen: list[int | None] = []
    resumed = train(corpus, tmp_path / "second", lambda p: seen.append(p.epoch), checkpoints=checkpoints, threads=1)
    assert min(e for e in seen if e is not None) == epoch + 1, "the first epoch that ended is the one after the saved"
    assert resumed.vectors.tobytes() == expected.vectors.tobytes()
    assert resumed.costs == expected.costs
    assert resumed.held_out_costs == expected.held_out_costs
    assert [e["loss"] for e in resumed.history] == expected.costs


def test_a_table_too_large_for_checkpoints_is_counted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = zipf_corpus()
    expected = train(corpus, tmp_path / "whole")
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", float("inf"))  # each epoch is saved
    checkpoints = FolderCheckpoints(tmp_path / "checkpoints", every_seconds=0)

    def stop(progress: Progress) -> None:
        if progress.epoch == 3:
            raise Interrupted

    def stop_at_once(progress: Progress) -> None:
        if progress.epoch is not None:
            raise Interrupted

    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", float("inf"))
    with pytest.raises(Interrupted):
        train(corpus, tmp_path / "first", stop, checkpoints=checkpoints, memory_limit_bytes=1000)
    saved = checkpoints.load()
    assert saved is not None
    assert set(saved[0]) == {"parameters"}
    with pytest.raises(Interrupted):  # with more memory it goes on, and keeps the table
        train(corpus, tmp_path / "second", stop_at_once, checkpoints=checkpoints)
    saved = checkpoints.load()
    assert saved is not None
    assert set(saved[0]) == {"row_starts", "columns", "counts", "parameters"}
    resumed = train(corpus, tmp_path / "third", checkpoints=checkpoints)
    assert resumed.vectors.tobytes() == expected.vectors.tobytes()


def test_a_checkpoint_of_another_training_is_ignored(tmp_path: Path) -> None:
    corpus = zipf_corpus()
    checkpoints = FolderCheckpoints(tmp_path / "checkpoints", every_seconds=0)
    train(corpus, tmp_path / "other", checkpoints=checkpoints, seed=9)
    expected = train(corpus, tmp_path / "whole").vectors
    assert train(corpus, tmp_path / "this", checkpoints=checkpoints).vectors.tobytes() == expected.tobytes()


def planted(n_topics: int, n_own: int, n_lines: int) -> tuple[EncodedCorpus, np.ndarray[Any, np.dtype[np.int64]]]:
    """Lines of one topic's words with some of all topics, as GloVe learns nothing from pairs that never meet."""
    random = np.random.default_rng(11)
    n_words = n_topics * n_own
    lines = []
    for _ in range(n_lines):
        first = random.integers(n_topics) * n_own
        own, others = random.integers(first, first + n_own, 8), random.integers(0, n_words, 4)
        lines.append(random.permutation(np.concatenate([own, others])).tolist())
    corpus = corpus_of(lines)
    counts = np.bincount([i for line in lines for i in line])
    return corpus, np.repeat(np.arange(n_topics), n_own)[np.argsort(-counts, kind="stable")]


@pytest.mark.parametrize("update", ["standard", "reference"])
@pytest.mark.parametrize("output", ["word+context", "word", "context"])
def test_words_of_a_topic_are_nearest_to_each_other(tmp_path: Path, update: str, output: str) -> None:
    corpus, topics = planted(4, 15, 3000)
    result = train(corpus, tmp_path / "t", glove_update=update, output=output, epochs=30)
    assert result.costs[-1] < result.costs[0] / 2
    unit = result.vectors / np.linalg.norm(result.vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1)
    assert (topics[cosines.argmax(axis=1)] == topics).mean() > 0.95


def test_the_output_is_the_sum_of_both_vectors_or_either(tmp_path: Path) -> None:
    corpus = zipf_corpus()
    both, words, contexts = (
        train(corpus, tmp_path / name, output=name).vectors for name in ("word+context", "word", "context")
    )
    assert both.dtype == np.float32
    assert both.shape == (300, 16)
    assert both.flags.c_contiguous
    assert np.array_equal(both, words + contexts)
    assert not np.array_equal(words, contexts)


def test_one_sided_tables_train_words_and_contexts_apart(tmp_path: Path) -> None:
    """Word 1 follows word 0 only; so w0 . c1 fits log x, and nothing pulls at w1 and c0."""
    corpus = corpus_of([[0, 1]] * 50 + [[2, 0, 1]] * 50)
    kept = {
        name: train(corpus, tmp_path / name, output=name, symmetric=False, window=1, epochs=1).vectors
        for name in ("word", "context")
    }
    untouched = 0.5 / 16
    assert np.abs(kept["word"][1]).max() <= untouched  # id 1 ends every line
    assert np.abs(kept["context"][2]).max() <= untouched  # id 2 begins them
    assert np.abs(kept["word"][0]).max() > untouched / 2


def test_words_without_neighbours_keep_their_random_start(tmp_path: Path) -> None:
    corpus = corpus_of([[0, 1]] * 20 + [[2]] * 5)
    vectors = train(corpus, tmp_path / "t", epochs=20, output="word").vectors
    assert 0 < np.abs(vectors[2]).max() <= 0.5 / 16


def test_x_max_goes_by_the_corpus_and_never_beyond_the_largest_count(tmp_path: Path) -> None:
    assert train(zipf_corpus(), tmp_path / "a", epochs=1).x_max == 10
    small = train(corpus_of([[0, 1], [0, 2], [0, 1]]), tmp_path / "b", epochs=1)
    assert small.x_max == 2
    assert train(zipf_corpus(), tmp_path / "c", epochs=1, x_max=77).x_max == 77
    table = CooccurrenceTable(np.array([0, 1]), np.array([0], np.int32), np.array([10**9], np.uint64), 1, True)
    assert glove.default_x_max(10**9, table) == 100
    assert glove.default_x_max(10**9 - 1, table) == 10


def test_an_x_max_far_above_all_counts_stays_finite(tmp_path: Path) -> None:
    """The C program is known for NaN on small corpora."""
    result = train(corpus_of([[0, 1], [0, 2], [0, 1]]), tmp_path / "a", x_max=1e6, epochs=50)
    assert np.isfinite(result.vectors).all()


def test_too_little_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(VocabularyTooSmall):
        train(corpus_of([[0, 0]]), tmp_path / "a")
    with pytest.raises(CorpusTooSmall):
        train(corpus_of([[0], [1]]), tmp_path / "b")
    with pytest.raises(CorpusTooSmall):
        train(corpus_of([[0, 1]]), tmp_path / "c", min_cooccurrence=2)


def test_divergence_is_an_error_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(VectorsNotFinite) as caught:
        train(zipf_corpus(), tmp_path / "a", glove_update="standard", learning_rate=10, epochs=20)
    assert caught.value.members["epoch"] >= 1


def test_training_stops_when_the_held_out_cost_no_longer_falls(tmp_path: Path) -> None:
    result = train(zipf_corpus(), tmp_path / "a", epochs=200, stop_patience=3)
    assert result.stopped_early
    assert result.epochs_run == len(result.costs) == len(result.held_out_costs) < 200
    best = int(np.argmin(result.held_out_costs))
    assert result.epochs_run == best + 1 + 3


def test_progress_rises_to_one_and_tells_costs(tmp_path: Path) -> None:
    seen: list[Progress] = []
    result = train(zipf_corpus(), tmp_path / "a", seen.append)
    for step in ("co-occurrences", "epochs"):
        fractions = [progress.fraction for progress in seen if progress.step == step]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
    assert result.history == [epoch.model_dump() for epoch in seen[-1].history or ()]
    assert [epoch["epoch"] for epoch in result.history] == [1, 2, 3, 4, 5]
    assert [epoch["loss"] for epoch in result.history] == result.costs
    assert [epoch["held_out_loss"] for epoch in result.history] == result.held_out_costs
    assert {epoch["learning_rate"] for epoch in result.history} == {0.05}
    assert (seen[-1].loss, seen[-1].held_out_loss, seen[-1].epoch) == (result.costs[-1], result.held_out_costs[-1], 5)


def test_what_is_in_one_basket_is_near_whatever_its_place(tmp_path: Path) -> None:
    """Baskets have no order: with equal weights over the whole line, turning them round changes nothing."""
    rng = np.random.default_rng(0)
    kinds = [rng.permutation(30)[:4] if i % 10 == 0 else rng.permutation(15) + 15 * (i % 2) for i in range(400)]
    options: dict[str, Any] = {"window": 100, "distance_weighting": "equal", "dim": 16, "epochs": 30}
    forth = train(corpus_of([basket.tolist() for basket in kinds]), tmp_path / "forth", **options)
    back = train(corpus_of([basket[::-1].tolist() for basket in kinds]), tmp_path / "back", **options)
    assert forth.vectors.tobytes() == back.vectors.tobytes()
    unit = forth.vectors / np.linalg.norm(forth.vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1)
    nearest = np.argsort(-cosines, axis=1)[:, :10]
    assert ((nearest < 15) == (np.arange(30) < 15)[:, None]).all()


def test_a_table_says_how_it_was_counted_also_from_a_checkpoint(tmp_path: Path) -> None:
    corpus = zipf_corpus()
    options: dict[str, Any] = {"window": 30, "distance_weighting": "equal", "epochs": 2}
    checkpoints = FolderCheckpoints(tmp_path / "checkpoints", every_seconds=0)
    expected = train(corpus, tmp_path / "whole", checkpoints=checkpoints, **options)
    saved = checkpoints.load()
    assert saved is not None
    assert saved[1]["table"] == {"window": 30, "symmetric": True, "weighting": "equal"}
    again = train(corpus, tmp_path / "again", checkpoints=checkpoints, **options)
    assert again.vectors.tobytes() == expected.vectors.tobytes()
