"""Reading a corpus: our whole encoding beside the vocabulary passes of gensim and word2vec.c; and its memory."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.core.text import TextSpec
from benchmarks.contest import OURS, Case, Measurement, alone
from benchmarks.setup import Setup
from trainer.corpus.encode import encode

N_DISTINCT = 15_000_000
_LETTERS = 6  # of a made-up word
_LINE_WORDS, _PORTION = 1000, 1_000_000
_SPELLED, _IN_TURN = 76_543_211, 9_999_991  # have no divisor with all words, nor with all these: none comes twice


def encode_case(setup: Setup) -> Case:
    """Ours normalises, tokenises and writes ids; the peers only count words between spaces."""

    def ours(_: int) -> Measurement:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            encode(setup.text, Path(folder), spec=TextSpec(), min_count=5, threads=setup.threads)
            return Measurement(time.perf_counter() - start)

    def gensim(_: int) -> Measurement:
        from gensim.models import Word2Vec  # noqa: PLC0415 (an optional peer)

        start = time.perf_counter()
        Word2Vec(min_count=5, vector_size=2).build_vocab(corpus_file=str(setup.text))
        return Measurement(time.perf_counter() - start)

    def word2vec_c(_: int) -> Measurement:
        with tempfile.TemporaryDirectory() as folder:
            command = [str(setup.word2vec_c), "-train", str(setup.text), "-save-vocab", f"{folder}/words"]
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return Measurement(time.perf_counter() - start)

    contestants: dict[str, Callable[[int], Measurement]] = {OURS: ours}
    if setup.with_gensim:
        contestants["gensim build_vocab"] = gensim
    if setup.word2vec_c:
        contestants["word2vec.c vocabulary"] = word2vec_c
    return Case("encode", "seconds", False, contestants)


def distinct_case(setup: Setup) -> Case:
    """Made-up words, each twice, and all of them stay; no peer counts so many in the memory that this is about."""
    text = setup.folder / f"distinct-{N_DISTINCT}.txt"

    def ours(_: int) -> Measurement:
        found = alone(_encoded, text, setup.threads)
        print(
            f"  encode-distinct: peak memory {found.notes['peak_megabytes']:,.0f} MB, mapped files and all", flush=True
        )
        return found

    if not text.exists():
        _write_distinct(text)
    return Case("encode-distinct", "seconds", False, {OURS: ours})


def _encoded(text: Path, threads: int) -> Measurement:
    """Seconds, kernels loaded before."""
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few.txt"
        few.write_text("a few words to load the kernels with\n")
        encode(few, Path(folder), spec=TextSpec(), min_count=1, threads=threads)
        start = time.perf_counter()
        encode(text, Path(folder), spec=TextSpec(), min_count=1, threads=threads)
        return Measurement(time.perf_counter() - start)


def _write_distinct(path: Path) -> None:
    """All words twice, the second time in another order."""
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        for start in range(0, 2 * N_DISTINCT, _PORTION):
            places = np.arange(start, start + _PORTION)
            words = np.where(places < N_DISTINCT, places, places * _IN_TURN % N_DISTINCT) * _SPELLED % 26**_LETTERS
            text = np.full((_PORTION, _LETTERS + 1), ord(" "), np.uint8)
            for i in range(_LETTERS):
                text[:, i] = ord("a") + words // 26**i % 26
            text[_LINE_WORDS - 1 :: _LINE_WORDS, _LETTERS] = ord("\n")
            file.write(text.tobytes())
    aside.replace(path)
