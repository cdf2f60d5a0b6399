"""From a file on disk to a first right answer: ours through the service, over HTTP; the peers as programs that save.

``python -m benchmarks.end_to_end --help``.
"""

from __future__ import annotations

import argparse
import importlib.util
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from app.command.client import ENDED, Client
from app.command.processes import running
from app.core.settings import Settings
from benchmarks.contest import OURS, Case, Measurement, alone, run
from benchmarks.machine import cpu_name
from benchmarks.plots import plot
from benchmarks.rows import as_table
from benchmarks.setup import Setup, add_arguments, setup_of
from benchmarks.word2vec_cases import gensim_model, gensim_seconds, word2vec_c_command

DIM = 100
MODEL = "skip-gram-ns"

DIMS, SHARES, MAX_WORDS = (50, 100, 200, 300), (0.25, 0.5, 1.0), (5_000, 20_000, 60_000)
"""Of a growth; a share is one of the text's bytes."""


def end_to_end_case(setup: Setup) -> Case:
    """Upload, encoding, training, neighbour table, publishing and loading are all in our seconds.

    Starting is not: the service has done a small job before, and what the peers import, they have imported.
    """
    contestants: dict[str, Callable[[int], Measurement]] = {OURS: partial(alone, _ours, setup)}
    if setup.with_gensim:
        contestants["gensim"] = partial(alone, _gensim, setup)
    if setup.word2vec_c:
        contestants["word2vec.c"] = partial(alone, _word2vec_c, setup)
    return Case("end-to-end-d100", "seconds", False, contestants)


def _ours(setup: Setup, seed: int) -> Measurement:
    told = _hyperparameters(setup)
    with _service() as client:
        _seconds(client, _few(setup), told)
        return Measurement(_seconds(client, setup.text, told | {"seed": seed}))


def _hyperparameters(setup: Setup) -> dict[str, Any]:
    return {"dim": DIM, "epochs": setup.epochs, "threads": setup.threads}


@contextmanager
def _service() -> Iterator[Client]:
    """A client of a service of its own, which has started."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), port=0, log_level="warning")
        with running(settings) as service, closing(Client(service.url)) as client:
            yield client


def _seconds(client: Client, text: Path, hyperparameters: dict[str, Any]) -> float:
    start = time.perf_counter()
    answered(client, text, hyperparameters)
    return time.perf_counter() - start


def answered(
    client: Client, text: Path, hyperparameters: dict[str, Any], look: Callable[[dict[str, Any]], None] = lambda _: None
) -> None:
    """Upload a text, train by skip-gram, and ask for neighbours; `look` gets the job as it goes on.

    The model is a new one: later versions are turned towards the one before, which no peer does.
    """
    model = f"model-{secrets.token_hex(4)}"
    client.upload("text", text)
    submission = {
        "model": model,
        "corpus": "text",
        "algorithm": "word2vec",
        "hyperparameters": {"architecture": "skip-gram", "min_count": 5, **hyperparameters},
        "text": {"tokenizer": "whitespace"},
    }
    job = client.submit(submission)
    look(job)
    while job["state"] not in ENDED:
        time.sleep(0.1)
        job = client.get(f"/jobs/{job['id']}")
        look(job)
    if job["state"] != "succeeded":
        raise RuntimeError(f"The job has not succeeded: {job}")
    client.get("/neighbors", model=model, version=job["version"], word="king")


def _gensim(setup: Setup, seed: int) -> Measurement:
    import gensim.models  # noqa: F401, PLC0415 (an optional peer; importing takes it a second, which is not timed)

    start = time.perf_counter()
    peer = gensim_model(setup, MODEL, DIM, seed)
    peer.build_vocab(corpus_file=str(setup.text))
    gensim_seconds(setup, peer)
    with tempfile.TemporaryDirectory() as folder:
        peer.wv.save(f"{folder}/vectors")
        peer.wv.most_similar("king")
        return Measurement(time.perf_counter() - start)


def _word2vec_c(setup: Setup, seed: int) -> Measurement:
    del seed  # it has none
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = word2vec_c_command(setup, MODEL, DIM, Path(folder) / "vectors")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return Measurement(time.perf_counter() - start)


def growth(setup: Setup) -> None:
    """Plot our seconds from a file to an answer: one thing varied at a time, the others as they are in the case."""
    told, text, n_bytes = _hyperparameters(setup), setup.text, setup.text.stat().st_size
    series: dict[str, dict[str, tuple[Path, dict[str, Any]]]] = {
        "dim": {str(n): (text, {"dim": n}) for n in DIMS},
        "threads": {str(n): (text, {"threads": n}) for n in range(1, setup.threads + 1)},
        "part of the tokens": {
            f"{share:.0%}": (_beginning(text, setup.folder / f"{share}", int(share * n_bytes)), {}) for share in SHARES
        },
        "max_words": {f"{n:,}": (text, {"max_words": n}) for n in MAX_WORDS},
    }
    few = _few(setup)
    with _service() as client:
        for dim in DIMS:  # kernels are compiled once
            _seconds(client, few, told | {"dim": dim})
        for name, points in series.items():
            seconds = [_seconds(client, some, told | changes) for some, changes in points.values()]
            plot(name, list(points), "seconds", {"from a file to an answer": seconds})


def _few(setup: Setup) -> Path:
    """A twentieth of the text, for a job that is not timed."""
    return _beginning(setup.text, setup.folder / "few", setup.text.stat().st_size // 20)


def _beginning(text: Path, to: Path, n_bytes: int) -> Path:
    """The whole lines of a text's first bytes, in a file of their own."""
    with text.open("rb") as file:
        to.write_bytes(file.read(n_bytes) + file.readline())
    return to


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.end_to_end", description=__doc__)
    add_arguments(parser, epochs=1)
    parser.add_argument("--growth", action="store_true", help="only how it grows: plots by dim, threads, tokens, words")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wordkin-benchmark-") as scratch:
        gensim = not arguments.growth and importlib.util.find_spec("gensim") is not None
        setup = setup_of(arguments, arguments.folder or Path(scratch), word2vec_c=None, with_gensim=gensim)
        print(cpu_name(), f"{setup.threads} threads, {setup.text.name}, {setup.epochs} epochs", flush=True)
        if arguments.growth:
            growth(setup)
        else:
            print(as_table(run(end_to_end_case(setup), arguments.repeats)))


if __name__ == "__main__":
    main()
