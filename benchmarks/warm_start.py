"""Going on from a version: the first half of a text, then the second, beside both at once and beside gensim.

Overlap is the share of the ten nearest words, of those that the first half has, which stay; of at most 2,000 words of
each group. `absent` words are not in the second half, `rare` ones stand there less than `min_count` times.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.arrays import FloatArray
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from benchmarks import machine
from benchmarks.corpora import LINE_TOKENS, text_of
from benchmarks.quality import analogies, unit_rows
from trainer.algorithms.algorithm import Start, Trained, Work
from trainer.algorithms.word2vec.training import train
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.steps.progress import ignore

MIN_COUNT, ANCHOR_STRENGTH, K = 5, 0.5, 10
ANALOGIES = "questions-words.txt"


@dataclass(frozen=True, eq=False)
class Parent:
    """What the first half gave."""

    vocabulary: Vocabulary
    trained: Trained

    @property
    def vectors(self) -> FloatArray:
        vectors: FloatArray = self.trained.arrays["vectors"]
        return vectors

    def start(
        self,
        corpus: EncodedCorpus,
        *,
        freeze: bool = False,
        strength: float = ANCHOR_STRENGTH,
        with_outputs: bool = True,
    ) -> Start:
        ids = corpus.known_ids.astype(np.int64)
        shares = self.vocabulary.counts / corpus.vocabulary.counts[ids]
        frozen = np.full(len(ids), freeze)
        others = dict(self.trained.others) if with_outputs else None
        return Start(ids, shares.astype(np.float32), self.vectors, others, frozen, strength, "benchmark")


class Trial:
    """The halves, and what is trained on them."""

    def __init__(self, folder: Path, text: Path, chosen: Word2VecHyperparameters) -> None:
        self.folder, self.chosen = folder, chosen
        self.texts = {"joint": text, "first": folder / "first.txt", "second": folder / "second.txt"}
        with text.open("rb") as lines:
            n_lines = sum(1 for _ in lines)
            lines.seek(0)
            self.texts["first"].write_bytes(b"".join(islice(lines, n_lines // 2)))
            self.texts["second"].write_bytes(b"".join(lines))

    def encoded(self, name: str, known: Vocabulary | None = None) -> EncodedCorpus:
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        spec, threads = TextSpec(tokenizer="whitespace"), self.chosen.threads or 1
        return encode(self.texts[name], scratch, spec=spec, min_count=MIN_COUNT, threads=threads, known=known)

    def trained(self, corpus: EncodedCorpus, start: Start | None = None) -> Trained:
        rate = 0.5 * self.chosen.initial_learning_rate
        chosen = self.chosen.model_copy(update={"learning_rate": rate, "min_learning_rate": rate * 1e-4})
        work = Work(corpus, self.folder, self.chosen.threads or 1, ignore, None, start)
        return train(work, chosen if start else self.chosen)

    @cached_property
    def parent(self) -> Parent:
        corpus = self.encoded("first")
        return Parent(corpus.vocabulary, self.trained(corpus))


class Report:
    """Prints a row for each result."""

    def __init__(self, parent: Parent, second: EncodedCorpus, questions: Path) -> None:
        self._words, self._vectors, self._questions = parent.vocabulary.words(), parent.vectors, questions
        here = np.bincount(second.ids[second.ids >= 0], minlength=len(second.vocabulary))[second.known_ids]
        random = np.random.default_rng(0)
        groups = {"absent": here == 0, "rare": here < MIN_COUNT, "shared": here >= MIN_COUNT}
        self._groups = {name: random.permutation(np.flatnonzero(which))[:2000] for name, which in groups.items()}
        print(f"{len(self._words)} words; " + ", ".join(f"{name} {which.sum()}" for name, which in groups.items()))
        print("| | analogy | of joint | overlap@10: absent | rare | shared | unchanged vectors | seconds |")
        print("|---|---|---|---|---|---|---|---|")
        self.joint = 0.0

    def row(self, name: str, words: list[str], vectors: FloatArray, seconds: float) -> float:
        analogy = analogies(words, vectors, self._questions).value
        ids = {word: i for i, word in enumerate(words)}
        rows = np.array([ids.get(word, -1) for word in self._words])
        told = ["", "", "", ""]
        if (rows >= 0).all():
            same = vectors[rows]
            told = [f"{self._overlap(same, which):.3f}" for which in self._groups.values()]
            told.append(f"{int((same == self._vectors).all(axis=1).sum())}")
        share = f"{analogy / self.joint:.3f}" if self.joint else ""
        print("| " + " | ".join([name, f"{analogy:.4f}", share, *told, f"{seconds:.0f}"]) + " |", flush=True)
        return analogy

    def _overlap(self, vectors: FloatArray, rows: npt.NDArray[np.int64]) -> float:
        before, after = _nearest(self._vectors, rows), _nearest(vectors, rows)
        return float((before[:, :, None] == after[:, None, :]).any(axis=2).mean())


def _nearest(vectors: FloatArray, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    unit = unit_rows(vectors)
    found = []
    for first in range(0, len(rows), 500):
        some = rows[first : first + 500]
        scores = unit[some] @ unit.T
        scores[np.arange(len(some)), some] = -np.inf
        found.append(np.argpartition(-scores, K, axis=1)[:, :K])
    return np.concatenate(found)


def gensim(trial: Trial) -> tuple[list[str], FloatArray]:
    """`build_vocab(update=True)` and `train`, as its documentation has it."""
    from gensim.models import Word2Vec  # noqa: PLC0415 (an optional peer)

    chosen = trial.chosen
    model: Any = Word2Vec(
        vector_size=chosen.dim, sg=1, min_count=MIN_COUNT, workers=chosen.threads, seed=chosen.seed, sample=1e-3
    )
    for name in ("first", "second"):
        text = str(trial.texts[name])
        model.build_vocab(corpus_file=text, update=name == "second")
        total = {"total_words": model.corpus_total_words, "total_examples": model.corpus_count}
        model.train(corpus_file=text, epochs=chosen.epochs, **total)
    return list(model.wv.index_to_key), np.asarray(model.wv.vectors, np.float32)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def run(trial: Trial, questions: Path) -> None:
    parent, seconds = _timed(lambda: trial.parent)
    second = trial.encoded("second", parent.vocabulary)
    report = Report(parent, second, questions)
    report.row("first half", parent.vocabulary.words(), parent.vectors, seconds)
    joint = trial.encoded("joint")
    trained, seconds = _timed(lambda: trial.trained(joint))
    report.joint = report.row("joint", joint.vocabulary.words(), trained.arrays["vectors"], seconds)
    for name, corpus, start in _starts(parent, second):
        trained, seconds = _timed(partial(trial.trained, corpus, start))
        report.row(name, corpus.vocabulary.words(), trained.arrays["vectors"], seconds)
    if find_spec("gensim"):
        (words, vectors), seconds = _timed(lambda: gensim(trial))
        report.row("gensim, both halves", words, vectors, seconds)


def _starts(parent: Parent, second: EncodedCorpus) -> list[tuple[str, EncodedCorpus, Start]]:
    whole = np.arange(len(parent.vocabulary), dtype=np.int32)
    empty = replace(second, ids=np.zeros(0, np.int32), n_tokens=0, vocabulary=parent.vocabulary, known_ids=whole)
    return [
        ("first, then second", second, parent.start(second)),
        ("the same, outputs fitted anew", second, parent.start(second, with_outputs=False)),
        ("the same, the first one's words frozen", second, parent.start(second, freeze=True)),
        ("the same, no anchor", second, parent.start(second, strength=0.0)),
        ("first, then nothing", empty, parent.start(empty)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="text, plain, .xz, .gz or .zst")
    parser.add_argument("evaluation", type=Path, help=f"folder with {ANALOGIES}")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--quick", action="store_true", help="the first 10 MB of the text")
    chosen = parser.parse_args()
    parameters = Word2VecHyperparameters(
        dim=chosen.dim, epochs=chosen.epochs, threads=chosen.threads, min_count=MIN_COUNT
    )
    print(f"lines of {LINE_TOKENS} tokens, skip-gram, dim {chosen.dim}, {chosen.epochs} epochs")
    with tempfile.TemporaryDirectory() as folder:
        text = text_of(Path(folder), source=chosen.corpus, quick=chosen.quick)
        run(Trial(Path(folder), text, parameters), chosen.evaluation / ANALOGIES)


if __name__ == "__main__":
    main()
