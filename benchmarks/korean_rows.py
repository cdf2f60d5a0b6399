"""The rows of `benchmarks.korean`: how each reads its text, and the vectors that it trains."""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import resource
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.hyperparameters import FastTextHyperparameters, Word2VecHyperparameters
from app.core.table.manifest import CorpusOrigin, TrainedOrigin
from app.core.table.reading import Table, open_table
from app.core.text import TextReader, TextSpec
from app.core.text.tokenizers import Resources
from app.core.text.tokenizers.morphemes import MorphemeOptions
from app.core.text.tokenizers.sentencepiece import MODEL, SentencePiece
from trainer.algorithms.algorithm import Trained, Work
from trainer.algorithms.fasttext.training import train as train_fasttext
from trainer.algorithms.word2vec.training import train as train_word2vec
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.corpus.pieces import learn_pieces
from trainer.corpus.source import open_text
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore

DIM = 100
WARM_BYTES = 1 << 20
MARKS = ["SF", "SP", "SS", "SE", "SO", "SC", "SY"]
CHARACTERS: dict[str, Any] = {"unit": "character", "min_n": 1, "max_n": 4}
SETTINGS: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "whitespace": ("whitespace", None),
    "words": ("words", None),
    "words, character n-grams": ("words", CHARACTERS),
    "words, jamo n-grams": ("words", {"unit": "jamo"}),
    "sentencepiece, unigram": ({"kind": "sentencepiece", "n_pieces": 16_000}, None),
    "sentencepiece, bpe": ({"kind": "sentencepiece", "n_pieces": 16_000, "model_type": "bpe"}, None),
    "mecab-ko": ({"kind": "mecab-ko"}, None),
    "mecab-ko, jamo n-grams": ({"kind": "mecab-ko"}, {"unit": "jamo"}),
    "kiwi": ({"kind": "kiwi"}, None),
    "mecab-ko, all surfaces": ({"kind": "mecab-ko", "form": "surface", "drop": MARKS}, None),
}
"""The tokenizer of each row, and what is chosen of fastText; without it, of word2vec. Kiwi and MeCab give stems."""


Facts = dict[str, Any]


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and of processors."""

    clock: float
    processors: float

    @classmethod
    def since(cls, before: Spent) -> Spent:
        now = cls.now()
        return cls(round(now.clock - before.clock, 2), round(now.processors - before.processors, 2))

    def and_before(self, other: Spent) -> Spent:
        return Spent(self.clock + other.clock, self.processors + other.processors)

    @classmethod
    def now(cls) -> Spent:
        of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in of))


class Remembered(TextReader):
    """Has read its lines before, because a tokenizer of morphemes takes longer than all that follows."""

    def __init__(self, spec: TextSpec, corpus: Path, words: Path) -> None:
        super().__init__(spec)
        with corpus.open(encoding="utf-8", newline="\n") as lines, words.open(encoding="utf-8", newline="\n") as read:
            self._read = dict(zip(map(str.strip, lines), read, strict=True))

    def words_of_each(self, texts: Sequence[str]) -> Iterator[list[str]]:
        for text in texts:
            yield self._read[text.strip()].split()


def words_of(corpus: Path, what: str, spec: TextSpec, arguments: argparse.Namespace) -> tuple[Path, Spent]:
    """The corpus as morphemes with blanks between them, made once for all rows of a tokenizer, and what that took."""
    digest = hashlib.sha256(repr(spec.tokenizer).encode()).hexdigest()[:8]
    words, took = (arguments.folder / f"{what}-{digest}.{kind}" for kind in ("txt", "json"))
    if not took.exists():
        begun = Spent.now()
        reader = TextReader(spec, threads=arguments.threads)
        with open_text(corpus, reader, arguments.threads) as opened, words.open("wb") as file:
            shutil.copyfileobj(opened.stream, file)
        for child in multiprocessing.active_children():
            child.join()  # what it took is known then
        took.write_text(json.dumps(vars(Spent.since(begun))), encoding="utf-8")
    return words, Spent(**json.loads(took.read_text(encoding="utf-8")))


def table_of(what: str, corpus: Path, folder: Path, name: str, arguments: argparse.Namespace) -> tuple[Table, Facts]:
    """Skip-gram vectors of a row; and what its reading, learned pieces among them, and its training took."""
    tokenizer, ngrams = SETTINGS[name]
    spec, threads = TextSpec.model_validate({"tokenizer": tokenizer}).here(), arguments.threads
    resources: dict[str, bytes] = {}
    words: Path | None = None
    read, reading = spec, Spent(0, 0)
    if isinstance(spec.options, MorphemeOptions):
        words, reading = words_of(corpus, what, spec, arguments)
        read = TextSpec(tokenizer="whitespace", case="keep", normalization="none")
    begun = Spent.now()
    if isinstance(spec.options, SentencePiece):
        resources[MODEL] = learn_pieces(corpus, folder, spec, spec.options, threads)
    encoded = encode(words or corpus, folder, spec=read, min_count=5, threads=threads, resources=resources)
    reading, begun = Spent.since(begun).and_before(reading), Spent.now()
    trained = train(encoded, folder, ngrams, arguments)
    training = Spent.since(begun)
    table = published(trained, encoded, spec, resources, folder / "version", threads)
    if words:
        table.reader = Remembered(spec, corpus, words)
    facts = {"words": len(encoded.vocabulary), "tokens": encoded.n_tokens}
    return table, facts | {"reading": vars(reading), "training": vars(training)}


def train(
    encoded: EncodedCorpus, folder: Path, ngrams: dict[str, Any] | None, arguments: argparse.Namespace
) -> Trained:
    said = {"architecture": "skip-gram", "epochs": arguments.epochs, "dim": DIM, "threads": arguments.threads}
    work = Work(encoded, folder, arguments.threads, ignore, None)
    if ngrams is None:
        return train_word2vec(work, Word2VecHyperparameters.model_validate(said))
    return train_fasttext(work, FastTextHyperparameters.model_validate(said | ngrams))


def warm(corpus: Path, folder: Path, arguments: argparse.Namespace) -> None:
    """Compile all that is timed, on the beginning of a corpus."""
    part = folder / "part.txt"
    with corpus.open("rb") as file:
        part.write_bytes(b"".join(file.readlines(WARM_BYTES)))
    for ngrams in (None, CHARACTERS):
        encoded = encode(part, folder, spec=TextSpec(), min_count=5, threads=arguments.threads)
        train(encoded, folder, ngrams, arguments)


def published(
    trained: Trained, encoded: EncodedCorpus, spec: TextSpec, resources: Resources, version: Path, threads: int
) -> Table:
    """A version's table, without its neighbours."""
    (version / "resources").mkdir(parents=True)
    for file, content in resources.items():
        (version / file).write_bytes(content)
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in resources.items()}
    corpus = CorpusOrigin(name="korean", sha256="", n_bytes=0, n_tokens=encoded.n_tokens, n_lines=encoded.n_lines)
    origin = TrainedOrigin(algorithm="word2vec", hyperparameters={}, corpus=corpus, training={})
    publish(
        version,
        encoded.vocabulary,
        dict(trained.arrays),
        provenance=Provenance(origin, spec.model_copy(update={"resources": digests})),
        threads=threads,
        report=ignore,
        parts=trained.parts,
    )
    return open_table(version)
