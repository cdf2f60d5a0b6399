"""Frozen vectors under a linear classifier: ``python -m benchmarks.transfer --ratings nsmc-ratings.tsv.xz``.

Ratings of 1 to 4 are negative, of 9 and 10 positive; repeated texts and those of 140 characters or more are left out,
and each side has 100,000 texts, a quarter of which is held out. Vectors are trained on all texts, without labels. With
``--tokenized`` the words are those of another file, a line for each row of the ratings.
"""

from __future__ import annotations

import argparse
import json
import lzma
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import to_json
from threadpoolctl import threadpool_limits

from app.core.catalog import PublishedVersion
from app.core.classifier.artefact import Classifier
from app.core.classifier.features import FeatureKind
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.manifest import CorpusOrigin, TrainedOrigin
from app.core.table.reading import Table, open_table
from app.core.text import TextSpec
from app.core.text.labelled import LabelledFields
from app.serving.classifying import ServedClassifier
from app.serving.searchers import Searchers
from app.serving.version import ServedVersion
from benchmarks import machine
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.training import train as train_vectors
from trainer.classifying.labelled import Texts, read_texts
from trainer.classifying.train import Trained, Training, Wanted, train
from trainer.corpus.encode import encode
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore

N_OF_A_SIDE = 100_000
TOO_LONG = 140
SHORT = 10
"""Words."""
SIZES = (1_000, 10_000, 150_000)
FIELDS = LabelledFields(text_field="text", label_field="label")


Row = tuple[int, str, bool]


def rows_of(ratings: Path, tokenized: Path | None) -> Iterator[Row]:
    """Rating and text of each row, and whether it is short; the text as it is in the other file, if there is one."""
    opened = lzma.open if ratings.suffix == ".xz" else open
    with opened(ratings, "rt", encoding="utf-8") as file:
        rows = (line.rstrip("\n").split("\t") for line in file)
        if tokenized is None:
            yield from ((int(row[2]), row[3], len(row[3]) < TOO_LONG) for row in rows)
            return
        with tokenized.open(encoding="utf-8") as words:
            for row, line in zip(rows, words, strict=True):
                yield int(row[2]), line.strip(), len(row[3]) < TOO_LONG


def write_texts(rows: Sequence[Row], folder: Path) -> tuple[Path, Path]:
    """All texts, a line each; and the labelled ones in an order drawn by a seed, as JSON Lines."""
    corpus, labelled = folder / "corpus.txt", folder / "labelled.jsonl"
    corpus.write_text("".join(text + "\n" for _, text, _ in rows), encoding="utf-8")
    sides: dict[str, dict[str, None]] = {"negative": {}, "positive": {}}
    for i in np.random.default_rng(1).permutation(len(rows)).tolist():
        rating, text, is_short = rows[i]
        side = "negative" if rating <= 4 else "positive" if rating >= 9 else None
        if side and text and is_short:
            sides[side][text] = None
    with labelled.open("w", encoding="utf-8") as file:
        for label, texts in sides.items():
            kept = [text for text in texts if sum(text in other for other in sides.values()) == 1][:N_OF_A_SIDE]
            file.writelines(json.dumps({"text": text, "label": label}) + "\n" for text in kept)
    return corpus, labelled


def table_of(corpus: Path, folder: Path, spec: TextSpec, threads: int) -> Table:
    """Skip-gram, 100 dimensions, 5 epochs."""
    (version := folder / "version").mkdir()
    encoded = encode(corpus, folder, spec=spec, min_count=5, threads=threads)
    chosen = Word2VecHyperparameters(architecture="skip-gram", epochs=5, dim=100, threads=threads)
    trained = train_vectors(Work(encoded, folder, threads, ignore, None), chosen)
    said = CorpusOrigin(name="reviews", sha256="", n_bytes=0, n_tokens=encoded.n_tokens, n_lines=encoded.n_lines)
    origin = TrainedOrigin(algorithm="word2vec", hyperparameters={}, corpus=said, training={})
    publish(
        version,
        encoded.vocabulary,
        dict(trained.arrays),
        provenance=Provenance(origin, spec),
        threads=threads,
        report=ignore,
    )
    return open_table(version)


def print_row(name: str, accuracies: Sequence[float | None], seconds: float | None = None) -> None:
    told = " | ".join("" if each is None else f"{each:.4f}" for each in accuracies)
    print(f"| {name} | {told} | {'' if seconds is None else f'{seconds:.1f}'} |", flush=True)


def measure(table: Table, texts: Texts, kind: FeatureKind) -> None:
    """A row of one kind of features, with the seconds of the last fit, C chosen."""
    work = Training(table, texts, Wanted(kind, 0.25, 1), ignore)
    accuracies = []
    for size in SIZES:
        start = time.perf_counter()
        accuracies.append(work.scores(work.fitted(min(size, len(work.training))).told).accuracy)
        seconds = time.perf_counter() - start
    print_row(f"{kind}, {work.features.shape[1]} features", accuracies, seconds)


def measure_scikit_learn(table: Table, texts: Texts) -> None:
    """The same features and C, fitted by another program."""
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 (an extra of this benchmark)
    except ImportError:
        print("scikit-learn is not installed")
        return
    work = Training(table, texts, Wanted("mean", 0.25, 1), ignore)
    ours = work.fitted(len(work.training))
    scale = ours.dense.scale
    start = time.perf_counter()
    theirs = LogisticRegression(C=ours.c, tol=1e-8, max_iter=1000)
    theirs.fit((work.features - scale.mean) / scale.deviation, work.classes[work.has_words])
    seconds = time.perf_counter() - start
    told = ours.told.copy()
    told[work.is_answered] = theirs.predict((work.asked - scale.mean) / scale.deviation)
    apart = np.abs(theirs.coef_[0] / 2 - ours.linear.weights[1]).max()
    print_row("mean, scikit-learn", [None, None, work.scores(told).accuracy], seconds)
    print(f"largest difference of a weight: {2 * apart:.2e}, of weights up to {np.abs(theirs.coef_).max():.3f}")


def measure_fasttext(table: Table, texts: Texts, folder: Path, threads: int) -> None:
    """fastText supervised with the same training and held-out texts."""
    try:
        import fasttext  # noqa: PLC0415 (an extra of this benchmark)
    except ImportError:
        print("fastText is not installed")
        return
    work = Training(table, texts, Wanted("mean", 0.25, 1), ignore)
    for n in (1, 2):
        accuracies = []
        for size in SIZES:
            path = folder / "fasttext.txt"
            places = work.training[:size].tolist()
            lines = (f"__label__{texts.classes[i]} {texts.texts[i].lower()}\n" for i in places)
            path.write_text("".join(lines), encoding="utf-8")
            start = time.perf_counter()
            model = fasttext.train_supervised(str(path), dim=100, wordNgrams=n, epoch=5, thread=threads, verbose=0)
            seconds = time.perf_counter() - start
            asked = [texts.texts[i].lower().replace("\n", " ") for i in work.held_out.tolist()]
            told = [int(label[0].removeprefix("__label__")) for label in model.predict(asked)[0]]
            accuracies.append(float((np.array(told) == work.truth).mean()))
        print_row(f"fastText supervised, {n}-grams of words", accuracies, seconds)


def measure_serving(table: Table, trained: Trained, texts: Sequence[str]) -> None:
    """Texts a second of requests of 10,000, from texts to bytes, on one core."""
    with Searchers(1) as pool:
        version = ServedVersion(PublishedVersion("m", 1, "", ""), table, pool)
        said: Any = type("Said", (), {"features": "mean", "labels": ("negative", "positive")})
        served = ServedClassifier(PublishedVersion("c", 1, "", ""), Classifier(said, **trained.arrays), version)
        speeds = []
        for start in range(0, len(texts), 10_000):
            clock, processor = time.perf_counter(), time.process_time()
            to_json(served.classify(texts[start : start + 10_000]))
            n = len(texts[start : start + 10_000])
            speeds.append((n / (time.perf_counter() - clock), n / (time.process_time() - processor)))
    by_clock, by_processor = (sorted(each)[len(each) // 2] for each in zip(*speeds, strict=True))
    n_words = sum(text.count(" ") + 1 for text in texts) / len(texts)
    print(
        f"classify, {n_words:.1f} words a text: {by_clock:,.0f} texts/s by the clock, {by_processor:,.0f} a second "
        "of a processor (medians)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=Path, required=True, help="review, film, rating and text, with tabs between")
    parser.add_argument("--tokenized", type=Path, help="words of each text with blanks between, such as morphemes")
    parser.add_argument("--threads", type=int, default=machine.cores())
    arguments = parser.parse_args()
    print(f"{machine.cpu_name()}, {machine.versions('numpy', 'numba')}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        corpus, labelled = write_texts(list(rows_of(arguments.ratings, arguments.tokenized)), folder)
        spec = TextSpec(tokenizer="whitespace") if arguments.tokenized else TextSpec()
        table = table_of(corpus, folder, spec, arguments.threads)
        texts = read_texts(labelled, FIELDS, 10)
        with threadpool_limits(1):  # as a job has
            trained = train(table, texts, Wanted("mean", 0.25, 1), lambda _: ignore)
        report = trained.report
        print(
            f"{report.n_training:,} texts to train on, {report.n_held_out:,} held out, "
            f"{report.n_abstained / report.n_held_out:.2%} of them without a known word\n"
            "| features | 1,000 | 10,000 | 150,000 | seconds of the last |\n|---|---|---|---|---|"
        )
        print_row("TF-IDF, 1 to 4 characters", [point.tfidf_accuracy for point in report.learning_curve[1:]])
        measure(table, texts, "mean")
        measure_scikit_learn(table, texts)
        measure(table, texts, "sif")
        measure(table, texts, "tfidf")
        measure(table, texts, "mean-max-min")
        measure_fasttext(table, texts, folder, arguments.threads)
        measure_serving(table, trained, texts.texts[:50_000])
        measure_serving(table, trained, [text for text in texts.texts if text.count(" ") < SHORT][:50_000])


if __name__ == "__main__":
    main()
