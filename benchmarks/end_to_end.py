"""From a file on disk to a first right answer: ours through the service, over HTTP; the peers as programs that save."""

from __future__ import annotations

import multiprocessing
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from app.command.client import ENDED, Client
from app.command.processes import running
from app.core.settings import Settings
from benchmarks.contest import OURS, Case, Measurement
from benchmarks.setup import Setup
from benchmarks.word2vec_cases import gensim_model, gensim_seconds, word2vec_c_command

DIM = 100
MODEL = "skip-gram-ns"


def end_to_end_case(setup: Setup) -> Case:
    """Upload, encoding, training, neighbour table, publishing and loading are all in our seconds; starting is not."""
    contestants: dict[str, Callable[[int], Measurement]] = {OURS: partial(alone, _ours, setup)}
    if setup.with_gensim:
        contestants["gensim"] = partial(alone, _gensim, setup)
    if setup.word2vec_c:
        contestants["word2vec.c"] = partial(alone, _word2vec_c, setup)
    return Case("end-to-end-d100", "seconds", False, contestants)


def alone(contestant: Callable[..., float], *arguments: Any) -> Measurement:
    """Measure in a process of its own, so that the peak memory of its largest process is the contestant's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, peak_bytes = pool.apply(_measured, (contestant, *arguments))
    return Measurement(seconds, notes={"peak_megabytes": peak_bytes / 1e6})


def _measured(contestant: Callable[..., float], *arguments: Any) -> tuple[float, int]:
    seconds = contestant(*arguments)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return seconds, peak * 1024


def _ours(setup: Setup, seed: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), port=0, log_level="warning")
        with running(settings) as service:
            client = Client(service.url)
            start = time.perf_counter()
            answered(client, setup.text, {"dim": DIM, "epochs": setup.epochs, "seed": seed, "threads": setup.threads})
            seconds = time.perf_counter() - start
            client.close()
    return seconds


def answered(
    client: Client, text: Path, hyperparameters: dict[str, Any], look: Callable[[dict[str, Any]], None] = lambda _: None
) -> None:
    """Upload a text, train by skip-gram, and ask for neighbours; `look` gets the job as it goes on."""
    client.upload("text", text)
    submission = {
        "model": "text",
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
    client.get("/neighbors", model="text", version=job["version"], word="king")


def _gensim(setup: Setup, seed: int) -> float:
    start = time.perf_counter()
    peer = gensim_model(setup, MODEL, DIM, seed)
    peer.build_vocab(corpus_file=str(setup.text))
    gensim_seconds(setup, peer)
    with tempfile.TemporaryDirectory() as folder:
        peer.wv.save(f"{folder}/vectors")
        peer.wv.most_similar("king")
        return time.perf_counter() - start


def _word2vec_c(setup: Setup, seed: int) -> float:
    del seed  # it has none
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = word2vec_c_command(setup, MODEL, DIM, Path(folder) / "vectors")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start
