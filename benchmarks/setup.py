"""What all contestants of a training are given: the text, the questions, threads and epochs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from app.core.text import TextSpec
from benchmarks import machine
from benchmarks.corpora import text_of
from benchmarks.quality import Score, quality
from trainer.corpus.encode import EncodedCorpus, encode

EVALUATION = Path(__file__).parent / "evaluation"
"""Analogies whose words the demo's corpus has."""


@dataclass(frozen=True)
class Setup:
    """What is the same for all contestants. `word2vec_c` is the path of its program, if it is to take part."""

    text: Path
    folder: Path
    evaluation: Path
    threads: int
    epochs: int
    word2vec_c: Path | None
    with_gensim: bool

    @cached_property
    def corpus(self) -> EncodedCorpus:
        return encode(self.text, self.folder, spec=TextSpec(tokenizer="whitespace"), min_count=5, threads=self.threads)

    def quality(self, words: list[str], vectors: Any) -> dict[str, Score]:
        return quality(words, vectors, self.evaluation)


def add_arguments(parser: argparse.ArgumentParser, *, epochs: int) -> None:
    """Those of every benchmark of training."""
    parser.add_argument(
        "--corpus", type=Path, metavar="FILE", help="text, plain, .xz, .gz or .zst; default: the demo's"
    )
    parser.add_argument(
        "--evaluation",
        type=Path,
        metavar="FOLDER",
        default=EVALUATION,
        help="questions-words.txt, EN-WS-353-ALL.txt, EN-SIMLEX-999.txt, whichever there are; default: some analogies",
    )
    parser.add_argument("--quick", action="store_true", help="the first 10 MB of the text")
    parser.add_argument(
        "--epochs", type=int, default=epochs, help=f"of each run (default {epochs}; quality needs more)"
    )
    parser.add_argument("--repeats", type=int, default=1, help="runs of each program, in turns; medians are compared")
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--folder", type=Path, help="keeps the unpacked corpus for the next run")


def setup_of(arguments: argparse.Namespace, folder: Path, **programs: Any) -> Setup:
    text = text_of(folder, source=arguments.corpus, quick=arguments.quick)
    told = {"evaluation": arguments.evaluation, "threads": arguments.threads, "epochs": arguments.epochs}
    return Setup(text, folder, **told, **programs)
