"""Reading a corpus: our whole encoding beside the vocabulary passes of gensim and word2vec.c, in seconds."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.core.text import TextSpec
from benchmarks.contest import OURS, Case, Measurement
from benchmarks.setup import Setup
from trainer.corpus.encode import encode


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
