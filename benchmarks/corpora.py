"""The text that all programs train on, unpacked once into a folder of its own."""

from __future__ import annotations

import lzma
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LINE_TOKENS = 1000
"""word2vec.c cuts sentences there; of one long line as `corpus_file`, gensim trains on the first 10,000 words only."""


def enwiki(folder: Path, *, quick: bool, source: Path | None = None) -> Path:
    """The file of enwiki2015-text8 (quick: its first tenth), cut into lines of a thousand tokens."""
    target = folder / ("enwiki-10mb.txt" if quick else "enwiki.txt")
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with lzma.open(source or DATA / "corpora" / "enwiki2015-text8.xz") as packed:
            text = packed.read(10_000_000 if quick else -1)
        tokens = text.split()
        lines = (b" ".join(tokens[i : i + LINE_TOKENS]) for i in range(0, len(tokens), LINE_TOKENS))
        aside = target.with_suffix(".part")
        aside.write_bytes(b"\n".join(lines) + b"\n")
        aside.replace(target)
    return target
