"""Korean by tokenizer: ``python -m benchmarks.korean --wikipedia FILE --evaluation FOLDER --ratings FILE``.

Each tokenizer reads the same texts with the same settings. A word of several tokens is their mean, for every tokenizer;
analogies are answered among the words of their own section, so that no tokenizer has more wrong answers to choose from.
The classifier's texts and its protocol are those of `benchmarks.transfer`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from app.core.errors import ExtraMissing
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.manifest import CorpusOrigin, TrainedOrigin
from app.core.table.reading import Table, open_table
from app.core.text import TextSpec
from app.core.text.tokenizers.sentencepiece import MODEL, SentencePiece
from benchmarks import machine
from benchmarks.corpora import UNPACK
from benchmarks.transfer import FIELDS, rows_of, write_texts
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.training import train as train_vectors
from trainer.classifying.labelled import read_texts
from trainer.classifying.train import Training, Wanted
from trainer.corpus.encode import encode
from trainer.corpus.pieces import learn_pieces
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore

DIM = 100
N_LABELS = (1_000, 150_000)
WS_353 = "WS353_korean.csv"
ANALOGIES = "word_analogy_korean*.txt"
SETTINGS: dict[str, Any] = {
    "whitespace": "whitespace",
    "words": "words",
    "mecab-ko, stems": {"kind": "mecab-ko"},
    "mecab-ko, all surfaces": {
        "kind": "mecab-ko",
        "form": "surface",
        "drop": ["SF", "SP", "SS", "SE", "SO", "SC", "SY"],
    },
    "kiwi, stems": {"kind": "kiwi"},
    "sentencepiece, unigram": {"kind": "sentencepiece", "n_pieces": 16_000},
    "sentencepiece, bpe": {"kind": "sentencepiece", "n_pieces": 16_000, "model_type": "bpe"},
}
Vectors = npt.NDArray[np.float64]


class Made(NamedTuple):
    """A table, its tokens, and the seconds of the reading, learned pieces among them, and of the training."""

    table: Table
    n_tokens: int
    reading: float
    training: float


def table_of(corpus: Path, folder: Path, spec: TextSpec, epochs: int, threads: int) -> Made:
    """Skip-gram vectors of one tokenizer."""
    start = time.perf_counter()
    resources = {}
    if isinstance(spec.options, SentencePiece):
        resources[MODEL] = learn_pieces(corpus, folder, spec, spec.options, threads)
    encoded = encode(corpus, folder, spec=spec, min_count=5, threads=threads, resources=resources)
    read = time.perf_counter()
    chosen = Word2VecHyperparameters(architecture="skip-gram", epochs=epochs, dim=DIM, threads=threads)
    trained = train_vectors(Work(encoded, folder, threads, ignore, None), chosen)
    end = time.perf_counter()
    version = folder / "version"
    (version / "resources").mkdir(parents=True)
    for name, content in resources.items():
        (version / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in resources.items()}
    said = CorpusOrigin(name="korean", sha256="", n_bytes=0, n_tokens=encoded.n_tokens, n_lines=encoded.n_lines)
    origin = TrainedOrigin(algorithm="word2vec", hyperparameters={}, corpus=said, training={})
    provenance = Provenance(origin, spec.model_copy(update={"resources": digests}))
    publish(version, encoded.vocabulary, dict(trained.arrays), provenance=provenance, threads=threads, report=ignore)
    return Made(open_table(version), encoded.n_tokens, read - start, end - read)


def vector_of(table: Table, word: str) -> Vectors | None:
    """The direction of a word: its own, or that of the mean of its tokens, all of which must be there."""
    ids = [table.lookup.find(token) for token in table.reader.words(word)]
    known = [word_id for word_id in ids if word_id is not None]
    if not known or len(known) < len(ids):
        return None
    mean: Vectors = np.mean([table.vector(word_id).astype(np.float64) for word_id in known], axis=0)
    return mean / np.linalg.norm(mean)


def similarity(table: Table, file: Path) -> tuple[float, float]:
    """Spearman's correlation with the judgements, and the share of the pairs that could be asked."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = [(row[0], row[1], float(row[2])) for row in list(csv.reader(opened))[1:]]
    scored = []
    for first, second, judged in rows:
        a, b = vector_of(table, first), vector_of(table, second)
        if a is not None and b is not None:
            scored.append((float(a @ b), judged))
    cosines, judgements = [each[0] for each in scored], [each[1] for each in scored]
    correlation: Any = spearmanr(cosines, judgements)
    return float(correlation.statistic), len(scored) / len(rows)


def analogies(table: Table, file: Path) -> tuple[float, float]:
    """Share of the questions that are answered rightly among the words of their section, and of those asked."""
    n_right = n_asked = n = 0
    for questions in _sections(file):
        n += len(questions)
        words = sorted({word for question in questions for word in question})
        found = {word: vector for word in words if (vector := vector_of(table, word)) is not None}
        places = {word: i for i, word in enumerate(found)}
        asked = [question for question in questions if all(word in found for word in question)]
        if not asked:
            continue
        n_asked += len(asked)
        rows = np.stack(list(found.values()))
        a, b, c, answer = (np.array([places[question[i]] for question in asked]) for i in range(4))
        scores = (rows[b] - rows[a] + rows[c]) @ rows.T
        for excluded in (a, b, c):
            scores[np.arange(len(asked)), excluded] = -np.inf
        n_right += int((scores.argmax(axis=1) == answer).sum())
    return n_right / max(n_asked, 1), n_asked / n


def _sections(file: Path) -> list[list[list[str]]]:
    sections: list[list[list[str]]] = []
    for line in file.read_text(encoding="utf-8-sig").splitlines():
        words = line.split()
        if line.startswith(":"):
            sections.append([])
        elif len(words) == 4:
            sections[-1].append(words)
    return sections


def accuracies(table: Table, labelled: Path, limit: int | None) -> list[float]:
    """Of a linear classifier on the means of the frozen vectors, by the number of labelled texts."""
    work = Training(table, read_texts(labelled, FIELDS, 10), Wanted("mean", 0.25, 1), ignore)
    sizes = [min(size, len(work.training), limit or size) for size in N_LABELS]
    return [work.scores(work.fitted(size).told).accuracy for size in sizes]


def _print_row(name: str, made: Made, scores: Sequence[float]) -> None:
    told = " | ".join(f"{score:.3f}" for score in scores)
    print(
        f"| {name} | {len(made.table.vocabulary):,} | {made.n_tokens:,} | {told} | {made.reading:.1f} | "
        f"{made.training:.1f} |",
        flush=True,
    )


def _measure(corpus: Path, evaluation: Path | None, labelled: Path | None, arguments: argparse.Namespace) -> None:
    asked = ["WS-353", "coverage", "analogies", "coverage"] if evaluation else [f"NSMC, {n:,} labels" for n in N_LABELS]
    print(f"\n| tokenizer | words | tokens | {' | '.join(asked)} | s reading | s training |")
    print(f"|---{'|---' * (len(asked) + 4)}|")
    for name, tokenizer in SETTINGS.items():
        spec = TextSpec.model_validate({"tokenizer": tokenizer}).here()
        with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
            try:
                made = table_of(corpus, Path(folder), spec, arguments.epochs, arguments.threads)
            except ExtraMissing as error:
                print(f"| {name} | {error.detail} |")
                continue
            if evaluation:
                sets = [next(evaluation.glob(pattern)) for pattern in (WS_353, ANALOGIES)]
                scores = [*similarity(made.table, sets[0]), *analogies(made.table, sets[1])]
            else:
                assert labelled is not None
                scores = accuracies(made.table, labelled, arguments.texts)
            _print_row(name, made, scores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wikipedia", type=Path, help="text that similarity and analogies are asked of")
    parser.add_argument("--evaluation", type=Path, help=f"a folder with {WS_353} and {ANALOGIES}")
    parser.add_argument("--ratings", type=Path, help="review, film, rating and text, with tabs between")
    parser.add_argument("--texts", type=int, help="so many labelled texts at most, and lines of text, for a quick look")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=machine.cores())
    arguments = parser.parse_args()
    print(f"{machine.cpu_name()}, {machine.versions('numpy', 'numba')}, {arguments.threads} threads")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if arguments.wikipedia and arguments.evaluation:
            corpus = folder / "wikipedia.txt"
            corpus.write_bytes(UNPACK.get(arguments.wikipedia.suffix, bytes)(arguments.wikipedia.read_bytes()))
            _measure(corpus, arguments.evaluation, None, arguments)
        if arguments.ratings:
            rows = list(rows_of(arguments.ratings, None))[: arguments.texts and 10 * arguments.texts]
            corpus, labelled = write_texts(rows, folder)
            _measure(corpus, None, labelled, arguments)


if __name__ == "__main__":
    main()
