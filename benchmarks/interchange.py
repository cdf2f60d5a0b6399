"""How fast vectors leave and come in, beside gensim: ``python -m benchmarks.interchange --words 100000 --dim 100``."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gensim.models import KeyedVectors

from app.core.payloads import RowPolicies
from app.core.table.reading import Table, open_table
from app.core.text import TextReader, TextSpec
from app.core.vector_files import ExportFormat
from app.models.exports.formats import FORMATS
from app.models.exports.selection import Chosen, Selection
from benchmarks.contest import OURS, Case, Measurement, run
from benchmarks.machine import cores, cpu_name, versions
from benchmarks.rows import as_table
from benchmarks.world import make, synthetic
from trainer.importing.read import READERS, format_of
from trainer.importing.source import Source

PEERS: dict[ExportFormat, bool] = {"word2vec-text": False, "word2vec-binary": True}


def timed(work: Callable[[], object], n_words: int, _seed: int) -> Measurement:
    started = time.perf_counter()
    work()
    return Measurement(n_words / (time.perf_counter() - started) / 1000)


def export(table: Table, name: ExportFormat, path: Path) -> None:
    """Write all words to a file."""
    write = FORMATS[name].write
    if write is None:
        raise ValueError(f"{name} is copied, not written")
    selection = Selection(table, Chosen(), FORMATS[name].cannot_hold)
    selection.check()
    with path.open("wb") as file:
        for piece in write(selection):
            file.write(piece)


def import_all(path: Path) -> None:
    """Read all rows, as a job does before it publishes them."""
    reader = TextReader(TextSpec(normalization="none", case="keep", tokenizer="whitespace"))
    READERS[format_of(path)](Source(path, path.stat().st_size, RowPolicies(), reader, cores(), lambda _: None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="CASE", help="formats, or import-FORMAT; default: all")
    asked = parser.parse_args()

    def wanted(case: str) -> bool:
        return not asked.only or case in asked.only

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exported"
        table = open_table(make(Path(folder) / "data", *synthetic(asked.words, asked.dim)))
        peer = KeyedVectors(asked.dim)
        peer.add_vectors(table.vocabulary.words(), table.unit_vectors[:] * table.norms[:, None])
        rows = []
        for name in (name for name, form in FORMATS.items() if form.write and wanted(name)):
            ours = partial(export, table, name, path)
            contestants: dict[str, Callable[[int], Measurement]] = {OURS: partial(timed, ours, asked.words)}
            if name in PEERS:
                theirs = partial(peer.save_word2vec_format, str(path), binary=PEERS[name])
                contestants["gensim"] = partial(timed, theirs, asked.words)
            rows += run(Case(name, "thousand rows/s", True, contestants), asked.repeats)
        for name, is_binary in ((name, peer) for name, peer in PEERS.items() if wanted(f"import-{name}")):
            export(table, name, path)
            read = partial(import_all, path)
            theirs = partial(KeyedVectors.load_word2vec_format, str(path), binary=is_binary)
            contestants = {OURS: partial(timed, read, asked.words), "gensim": partial(timed, theirs, asked.words)}
            rows += run(Case(f"import-{name}", "thousand rows/s", True, contestants), asked.repeats)
    print(cpu_name(), versions("numpy", "orjson", "gensim"))
    print(as_table(rows))


if __name__ == "__main__":
    main()
