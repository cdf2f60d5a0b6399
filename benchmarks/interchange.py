"""How fast vectors leave and come in, beside gensim: ``python -m benchmarks.interchange --words 100000 --dim 100``."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from app.core.payloads import FileSource, ImportPayload, RowPolicies
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.table import limits
from app.core.table.digests import digest_of
from app.core.table.reading import Table, open_table
from app.core.text import TextReader, TextSpec
from app.core.vector_files import ExportFormat
from app.models.exports.formats import FORMATS
from app.models.exports.selection import Chosen, Selection
from benchmarks.contest import OURS, Case, Measurement, run
from benchmarks.machine import cores, cpu_name, peak_bytes, versions
from benchmarks.rows import as_table
from benchmarks.world import make, synthetic
from trainer.importing.read import READERS, format_of
from trainer.importing.source import Source
from trainer.publishing import grouping
from trainer.steps.progress import Progress
from trainer.work.context import Context
from trainer.work.kinds import imported

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


def write_made(path: Path, n_words: int, dim: int) -> None:
    """Write a binary file of word2vec with random vectors, some at a time."""
    rng = np.random.default_rng(1)
    with path.open("wb") as file:
        file.write(b"%d %d\n" % (n_words, dim))
        for start in range(0, n_words, 10_000):
            rows = rng.standard_normal((min(10_000, n_words - start), dim), np.float32)
            file.write(b"".join([b"word%d %b" % (i, row.tobytes()) for i, row in enumerate(rows, start)]))


def import_job(folder: Path, file: Path, is_brief: bool) -> None:
    """Publish a file of vectors as a job does, in a process of its own; say what each step took."""
    if is_brief:  # the same memory in much less time: the neighbours of fewer words, and a poor graph
        limits.ALWAYS_COVERED, limits.MOST_PRODUCTS, grouping.FOUND = 2 * limits.BLOCK, 0, 0.0
    scratch, started = folder / "scratch", time.perf_counter()
    scratch.mkdir()

    def report(phase: str) -> Callable[[Progress], None]:
        def tell(progress: Progress) -> None:
            step = f"{phase} {progress.step or ''}"
            if step != steps[-1]:
                steps.append(step)
                print(
                    f"{step}: from {time.perf_counter() - started:.0f} s, at {peak_bytes() / 1e6:,.0f} MB", flush=True
                )

        return tell

    steps = [""]
    settings = Settings(data_dir=folder / "data")
    storage = Storage(settings.storage, cache=settings.cache)
    storage.put_file(file, "files/vectors")
    found = digest_of(file)
    source = FileSource(name="v.bin", revision=1, key="files/vectors", sha256=found.sha256, n_bytes=found.n_bytes)
    text = TextSpec(normalization="none", case="keep", tokenizer="whitespace")
    context = Context("job", 1, "m", storage, "versions/m", scratch, cores(), report, lambda _: None, None)
    imported.run(ImportPayload(file=source, format="auto", text=text), context)
    print(f"{time.perf_counter() - started:.0f} s, {peak_bytes() / 1e6:,.0f} MB: published", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="CASE", help="formats, or import-FORMAT; default: all")
    parser.add_argument("--memory", action="store_true", help="memory and time of importing a made binary file")
    parser.add_argument("--brief", action="store_true", help="with --memory: few words with neighbours, a poor graph")
    asked = parser.parse_args()

    def wanted(case: str) -> bool:
        return not asked.only or case in asked.only

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exported"
        if asked.memory:
            write_made(path, asked.words, asked.dim)
            print(f"{asked.words:,} x {asked.dim}, the file {path.stat().st_size / 1e6:,.0f} MB")
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                pool.submit(import_job, Path(folder), path, asked.brief).result()
            return
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
