"""Training as a whole: what comes out, again and again, and what is refused."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.core.errors import CorpusTooSmall, VectorsNotFinite, VocabularyTooSmall, WordkinError
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.vocabulary import Vocabulary
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec import training as word2vec
from trainer.algorithms.word2vec.input_rows import OneRowAWord
from trainer.algorithms.word2vec.tally import EpochResult
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.checkpoint import Checkpoints, FolderCheckpoints
from trainer.steps.progress import Progress, Report, ignore

COMBINATIONS = [
    (architecture, objective)
    for architecture in ("skip-gram", "cbow")
    for objective in ("negative-sampling", "hierarchical-softmax")
]


def encoded(lines: list[list[str]]) -> EncodedCorpus:
    counts = Counter(word for line in lines for word in line)
    words = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    ids = {word: i for i, word in enumerate(words)}
    stream = [i for line in lines if line for i in [*(ids[word] for word in line), -1]]
    n_tokens = sum(counts.values())
    vocabulary = Vocabulary.from_words(words, [counts[word] for word in words])
    return EncodedCorpus(np.array(stream, np.int32), vocabulary, n_tokens, n_tokens, sum(map(bool, lines)))


def two_topics(n_lines: int = 1500) -> EncodedCorpus:
    """Lines of words a0..a9 or of b0..b9, with a few words that are in both."""
    generator = np.random.default_rng(1)
    lines = []
    for i in range(n_lines):
        topic = "ab"[i % 2]
        line = [f"{topic}{n}" for n in generator.integers(0, 10, 10)]
        lines.append([*line, "the" if i % 3 else "of"])
    return encoded(lines)


def chosen(**given: Any) -> Word2VecHyperparameters:
    small = {"dim": 16, "window": 3, "epochs": 2, "threads": 1, "subsampling_threshold": 0.0, "min_count": 1}
    return Word2VecHyperparameters.model_validate({**small, **given})


@dataclass(frozen=True)
class Result:
    """The vectors, and the facts as the manifest has them."""

    vectors: npt.NDArray[np.float32]
    epochs: list[EpochResult]
    history: list[dict[str, Any]]
    tokens_per_second: float
    stopped_early: bool


def train(
    corpus: EncodedCorpus,
    parameters: Word2VecHyperparameters,
    report: Report = ignore,
    checkpoints: Checkpoints | None = None,
) -> Result:
    trained = word2vec.train(Work(corpus, Path("unused"), 1, report, checkpoints), parameters)
    assert set(trained.arrays) == {"vectors"}
    facts = json.loads(json.dumps(trained.facts))
    epochs = [EpochResult(**epoch) for epoch in facts.pop("epochs")]
    return Result(trained.arrays["vectors"], epochs, **facts)


def topic_gap(corpus: EncodedCorpus, vectors: npt.NDArray[np.float32]) -> float:
    """Mean cosine within a topic less that between topics."""
    words = corpus.vocabulary.words()
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    a, b = (units[[i for i, word in enumerate(words) if word[0] == topic and word[1:].isdigit()]] for topic in "ab")
    return float((a @ a.T).mean() + (b @ b.T).mean() - 2 * (a @ b.T).mean()) / 2


@pytest.mark.parametrize(("architecture", "objective"), COMBINATIONS)
def test_words_of_one_topic_come_together(architecture: str, objective: str) -> None:
    corpus = two_topics()
    result = train(corpus, chosen(architecture=architecture, objective=objective, epochs=5, learning_rate=0.1))
    assert result.vectors.shape == (22, 16)
    assert result.vectors.dtype == np.float32
    assert result.vectors.flags.c_contiguous
    assert topic_gap(corpus, result.vectors) > 0.5
    first, last = result.epochs[0], result.epochs[-1]
    assert last.loss < first.loss
    assert last.held_out_loss < first.held_out_loss


def test_every_token_is_a_center_exactly_once_an_epoch() -> None:
    corpus = two_topics()
    result = train(corpus, chosen(epochs=3, threads=2))
    assert [epoch.n_kept for epoch in result.epochs] == [corpus.n_tokens] * 3
    assert [epoch.n_windows for epoch in result.epochs] == [corpus.n_tokens] * 3


def test_subsampling_draws_anew_each_epoch() -> None:
    corpus = two_topics()
    epochs = train(corpus, chosen(epochs=3, subsampling_threshold=1e-2)).epochs
    share = corpus.vocabulary.counts / corpus.n_tokens
    expected = (corpus.vocabulary.counts * np.minimum(1, np.sqrt(1e-2 / share) + 1e-2 / share)).sum()
    assert [epoch.n_kept for epoch in epochs] == pytest.approx([expected] * 3, rel=0.03)
    assert len({epoch.n_kept for epoch in epochs}) > 1


@pytest.mark.parametrize(("architecture", "objective"), COMBINATIONS)
def test_one_thread_gives_the_same_bytes(architecture: str, objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again, from a read-only copy of the ids, and however the work is cut; another seed gives others."""
    corpus, parameters = two_topics(), chosen(architecture=architecture, objective=objective)
    first = train(corpus, parameters)
    monkeypatch.setattr(word2vec, "LARGEST_CHUNK", 3)
    frozen = corpus.ids.copy()
    frozen.flags.writeable = False
    again = train(EncodedCorpus(frozen, corpus.vocabulary, corpus.n_tokens, corpus.n_tokens, 1), parameters)
    assert first.vectors.tobytes() == again.vectors.tobytes()
    assert [e.held_out_loss for e in first.epochs] == [e.held_out_loss for e in again.epochs]
    assert [e.loss for e in first.epochs] == pytest.approx([e.loss for e in again.epochs], rel=1e-12)
    assert first.vectors.tobytes() != train(corpus, parameters.model_copy(update={"seed": 2})).vectors.tobytes()


@pytest.mark.parametrize(("architecture", "objective"), COMBINATIONS)
def test_threads_stay_within_tolerance(architecture: str, objective: str) -> None:
    """They race, so bytes differ; the losses stay within 3 %, or 5 % with eight, and the topics apart.

    The hardest case: every row is a replica, and all threads change all of them all the time. Of the topics'
    gap the median of three runs counts: on a busy machine a single run has strayed by a little more than a tenth.
    """
    corpus = two_topics(3000)
    parameters = chosen(architecture=architecture, objective=objective, epochs=4, learning_rate=0.1)
    one = train(corpus, parameters)
    for threads, tolerance in ((2, 0.03), (8, 0.05)):
        runs = [train(corpus, parameters.model_copy(update={"threads": threads})) for _ in range(3)]
        losses = [run.epochs[-1].held_out_loss for run in runs]
        gap = statistics.median(topic_gap(corpus, run.vectors) for run in runs)
        assert losses == pytest.approx([one.epochs[-1].held_out_loss] * 3, rel=tolerance)
        assert gap == pytest.approx(topic_gap(corpus, one.vectors), abs=0.1)


class Killed(Exception):
    """The process is gone."""


def interrupted(corpus: EncodedCorpus, parameters: Word2VecHyperparameters, folder: Path, n_saves: int) -> None:
    checkpoints = FolderCheckpoints(folder, 0.0)
    save, seen = checkpoints.save, [0]

    def save_and_die(arrays: Any, state: Any) -> None:
        save(arrays, state)
        seen[0] += 1
        if seen[0] == n_saves:
            raise Killed

    checkpoints.save = save_and_die  # type: ignore[method-assign] # replaced for this test
    with pytest.raises(Killed):
        train(corpus, parameters, checkpoints=checkpoints)


@pytest.mark.parametrize(("architecture", "objective"), COMBINATIONS)
def test_resuming_equals_not_stopping(
    architecture: str, objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed twice, within an epoch and after one: the same bytes and the same losses as in one go."""
    monkeypatch.setattr(word2vec, "LARGEST_CHUNK", 4)
    monkeypatch.setattr("trainer.steps.crew.TICK_SECONDS", 0.001)
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", 1e9)
    corpus, parameters = two_topics(), chosen(architecture=architecture, objective=objective)
    whole = train(corpus, parameters)
    interrupted(corpus, parameters, tmp_path, 1)
    interrupted(corpus, parameters, tmp_path, 2)
    found = FolderCheckpoints(tmp_path, 0.0).load()
    assert found is not None
    assert found[1]["n_blocks"] + len(found[1]["epochs"]) > 0
    resumed = train(corpus, parameters, checkpoints=FolderCheckpoints(tmp_path, 1e9))
    assert resumed.vectors.tobytes() == whole.vectors.tobytes()
    assert [e.held_out_loss for e in resumed.epochs] == [e.held_out_loss for e in whole.epochs]
    assert [e.loss for e in resumed.epochs] == pytest.approx([e.loss for e in whole.epochs], rel=1e-12)
    assert [e["epoch"] for e in resumed.history] == list(range(1, parameters.epochs + 1))
    assert [e["learning_rate"] for e in resumed.history] == [e["learning_rate"] for e in whole.history]


def test_a_checkpoint_of_other_hyperparameters_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.steps.checkpoint.COST_LIMIT", 1e9)
    corpus = two_topics()
    interrupted(corpus, chosen(seed=5), tmp_path, 1)
    fresh = train(corpus, chosen(seed=6), checkpoints=FolderCheckpoints(tmp_path, 1e9))
    assert fresh.vectors.tobytes() == train(corpus, chosen(seed=6)).vectors.tobytes()


def test_reports_go_from_start_to_end_with_losses() -> None:
    seen: list[Progress] = []
    train(two_topics(), chosen(), report=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert seen[-1].held_out_loss is not None
    assert seen[-1].loss == pytest.approx(seen[-1].held_out_loss, rel=0.3)
    assert (seen[-1].tokens_per_second or 0) > 1000


def test_the_history_says_of_each_epoch_what_its_result_says() -> None:
    seen: list[Progress] = []
    parameters = chosen(epochs=4, learning_rate=0.02, min_learning_rate=0.0)
    result = train(two_topics(), parameters, report=seen.append)
    told = [progress.history for progress in seen if progress.history]
    assert [len(history) for history in told] == [1, 2, 3, 4]
    assert [epoch.model_dump() for epoch in told[-1]] == result.history
    assert [epoch["epoch"] for epoch in result.history] == [1, 2, 3, 4]
    assert [epoch["learning_rate"] for epoch in result.history] == pytest.approx([0.02, 0.015, 0.01, 0.005])
    losses = [(epoch["loss"], epoch["held_out_loss"]) for epoch in result.history]
    assert losses == [(epoch.loss, epoch.held_out_loss) for epoch in result.epochs]
    for epoch in result.history:
        assert epoch["tokens_per_second"] * epoch["seconds"] == pytest.approx(two_topics().n_tokens)


def test_what_the_report_raises_ends_the_training() -> None:
    def cancel(progress: Progress) -> None:
        if progress.fraction > 0:
            raise Killed

    with pytest.raises(Killed):
        train(two_topics(), chosen(epochs=1000, threads=2), report=cancel)


def test_first_loss_is_that_of_knowing_nothing() -> None:
    """Output rows start at zero: six coins are log 64 nats."""
    result = train(two_topics(), chosen(epochs=1, learning_rate=1e-9))
    assert result.epochs[0].loss == pytest.approx(6 * np.log(2), rel=1e-4)
    assert result.epochs[0].held_out_loss == pytest.approx(6 * np.log(2), rel=1e-4)


def test_stops_when_the_held_out_loss_stops_falling() -> None:
    """One epoch too many at a learning rate that unlearns; the rule itself is `steps.patience`'s."""
    result = train(two_topics(50), chosen(epochs=60, stop_patience=2, learning_rate=0.3))
    losses = [epoch.held_out_loss for epoch in result.epochs]
    assert result.stopped_early
    assert len(losses) == int(np.argmin(losses)) + 1 + 2 < 60


def test_input_and_output_can_be_added() -> None:
    corpus = two_topics()
    only, both = (train(corpus, chosen(output=output)).vectors for output in ("input", "input+output"))
    assert np.abs(both - only).max() > 0.01


def outcome(lines: list[list[str]], **given: Any) -> type[WordkinError] | Result:
    try:
        return train(encoded(lines), chosen(**given))
    except WordkinError as error:
        return type(error)


@pytest.mark.parametrize(("architecture", "objective"), COMBINATIONS)
def test_degenerate_corpora(architecture: str, objective: str) -> None:
    """A clear error or finite numbers, never NaN."""
    given = {"architecture": architecture, "objective": objective}
    assert outcome([["one"]], **given) is VocabularyTooSmall
    assert outcome([["same"] * 5000], **given) is VocabularyTooSmall
    assert outcome([["a"], ["b"], ["c"]], **given) is CorpusTooSmall
    for lines in ([["a", "b"]], [["a", "b"] * 3000], [["a"] * 5000 + ["b"]], [[str(i) for i in range(500)]]):
        result = outcome(lines, **given)
        assert isinstance(result, Result)
        assert np.isfinite(result.vectors).all()
        assert np.isfinite([epoch.held_out_loss for epoch in result.epochs]).all()


def test_divergence_is_an_error_that_names_itself() -> None:
    corpus, diverged = two_topics(), chosen(epochs=3)
    training = word2vec.Training(Work(corpus, Path("unused"), 1, ignore, None), diverged, OneRowAWord(22, 16))
    training.tables.input_vectors[:] = np.nan
    with pytest.raises(VectorsNotFinite):
        training.run()


def test_the_threads_of_the_work_are_used_where_the_hyperparameters_say_nothing() -> None:
    def crew_of(threads: int | None) -> int:
        work = Work(two_topics(3000), Path("unused"), 3, ignore, None)
        return len(word2vec.Training(work, chosen(threads=threads), OneRowAWord(22, 16)).scratch)

    assert [crew_of(threads) for threads in (None, 1, 2)] == [3, 1, 2]
