"""The text that all programs train on, unpacked once into a folder of its own."""

from __future__ import annotations

import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

from app.command.demo import build_corpus

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINE_TOKENS = 1000
"""word2vec.c cuts sentences there; of one long line as `corpus_file`, gensim trains on the first 10,000 words only."""
QUICK_BYTES = 10_000_000
UNPACK: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress, ".zst": zstd.decompress}


def text_of(folder: Path, *, source: Path | None = None, quick: bool = False) -> Path:
    """The text of `source`, or the demo's corpus, as lines of a thousand tokens; if `quick`, its first 10 MB."""
    name = source.name.split(".")[0] if source else "bible"
    # a folder of its own: gensim would train nothing on an uncut text that somebody put beside under the same name
    target = folder / "lines" / f"{name}{'-10mb' if quick else ''}.txt"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    if source is None:
        source = folder / "demo.txt"
        build_corpus(source)
    text = UNPACK.get(source.suffix, bytes)(source.read_bytes())
    tokens = text[: QUICK_BYTES if quick else None].split()
    lines = (b" ".join(tokens[i : i + LINE_TOKENS]) for i in range(0, len(tokens), LINE_TOKENS))
    aside = target.with_suffix(".part")
    aside.write_bytes(b"\n".join(lines) + b"\n")
    aside.replace(target)
    return target
