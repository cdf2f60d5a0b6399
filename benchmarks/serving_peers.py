"""Serving beside other services, each at a recall as good as ours or told with its own."""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from app.core.nearest import exact, scores
from app.core.table.reading import Table
from benchmarks import chroma, postgres
from benchmarks.questions import Questions
from benchmarks.rows import Row, row
from benchmarks.served import Bench, Server, serving, start_seconds
from benchmarks.servers import write_gensim

N_RECALL = 100
ENOUGH_RECALL = 0.99
EF_SEARCHES = (40, 100, 200, 400, 1000)
"""From pgvector's default up to its limit; the smallest is taken that finds enough."""


def against_gensim(bench: Bench, folder: Path, table_folder: Path, questions: Questions, size: str) -> list[Row]:
    peer = f"gensim + FastAPI, {size}"
    write_gensim(folder, table_folder)
    our_start, their_start = start_seconds(
        bench.starts,
        lambda: serving("shipped", folder, questions.first),
        lambda: serving("gensim", folder, questions.first),
    )
    measured = []
    for kind in ("ours", "gensim"):  # one after the other: a backlog of one must not slow the other
        with serving(kind, folder, questions.first) as server:
            neighbors, analogies = bench.compare((server, questions.neighbors), (server, questions.analogies()))
            measured.append((neighbors.per_second, analogies.per_second, server.resident_megabytes()))
    ours, theirs = measured
    return [
        row("gensim-neighbors", ours[0], peer, theirs[0], "requests/s", quality="both exact"),
        row("gensim-analogies", ours[1], peer, theirs[1], "requests/s", quality="both exact"),
        row("gensim-memory", ours[2], peer, theirs[2], "MB resident", less=True),
        row("gensim-start", our_start, peer, their_start, "s to first answer", less=True),
    ]


def against_granian(bench: Bench, folder: Path, questions: Questions) -> list[Row]:
    """The same application on another server."""
    if importlib.util.find_spec("granian") is None:
        raise ImportError("granian", name="granian")
    with serving("ours", folder, questions.first) as ours, serving("granian", folder, questions.first) as theirs:
        (n_ours, n_theirs), (a_ours, a_theirs) = (
            bench.compare((ours, asked), (theirs, asked)) for asked in (questions.neighbors, questions.analogies())
        )
    peer = "the same on granian"
    return [
        row("granian-neighbors", n_ours.per_second, peer, n_theirs.per_second, "requests/s"),
        row("granian-neighbors-p99", n_ours.p99, peer, n_theirs.p99, "ms", less=True),
        row("granian-analogies", a_ours.per_second, peer, a_theirs.per_second, "requests/s"),
    ]


def against_pgvector(bench: Bench, folder: Path, table: Table, questions: Questions, size: str) -> list[Row]:
    peer = f"pgvector HNSW, {size}"
    words = [[word] for word in questions.words[:2000]]
    with tempfile.TemporaryDirectory() as data, postgres.served(Path(data), table) as peer_server:

        def recall(statement: str, asked: Sequence[Sequence[str]], ef_search: int) -> float:
            found = [_recall(table, each, peer_server.ask(statement, each, ef_search)) for each in asked[:N_RECALL]]
            return statistics.mean(found)

        def theirs(statement: str, asked: Sequence[Sequence[str]], effort: Effort) -> float:
            return peer_server.per_second(statement, asked, threads=8, seconds=3, ef_search=effort.ef_search)

        n_effort = _enough(lambda ef_search: recall(postgres.NEIGHBORS, words, ef_search))
        a_effort = _enough(lambda ef_search: recall(postgres.ANALOGY, questions.triples, ef_search))
        with serving("ours", folder, questions.first) as ours:
            our_recalls = _our_recalls(ours, table, questions)
            neighbors = bench.load(ours, questions.neighbors)
            their_neighbors = theirs(postgres.NEIGHBORS, words, n_effort)
            analogies = bench.load(ours, questions.analogies())
            their_analogies = theirs(postgres.ANALOGY, questions.triples, a_effort)
        megabytes = table.n_bytes / 1e6, peer_server.n_bytes / 1e6
    n_text, a_text = (f"recall@10 {a:.3f} against {b}" for a, b in zip(our_recalls, (n_effort, a_effort), strict=True))
    return [
        row("pgvector-neighbors", neighbors.per_second, peer, their_neighbors, "requests/s", quality=n_text),
        row("pgvector-analogies", analogies.per_second, peer, their_analogies, "requests/s", quality=a_text),
        row("pgvector-size", megabytes[0], peer, megabytes[1], "MB of table and index", less=True),
    ]


def against_chroma(
    bench: Bench, folder: Path, table: Table, questions: Questions, size: str, program: Path
) -> list[Row]:
    """It is given vectors: it would need one more request to find those of words."""
    peer = f"Chroma, {size}"
    word_vectors = [table.unit_vectors[_id(table, word)] for word in questions.words[:5000]]
    asked = {
        "neighbors": ([[word] for word in questions.words], word_vectors, 11, questions.neighbors),
        "analogies": (questions.triples, chroma.analogy_vectors(table, questions.triples), 13, questions.analogies()),
    }
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as data, ExitStack() as stack:
        collection = chroma.load_table(program, Path(data), table)
        our_start, their_start = start_seconds(
            bench.starts, lambda: serving("shipped", folder, questions.first), collection.started
        )
        ours = stack.enter_context(serving("ours", folder, questions.first))
        our_recalls = _our_recalls(ours, table, questions)
        for our_recall, (what, (words, vectors, k, requests)) in zip(our_recalls, asked.items(), strict=True):

            def recall(ef_search: int, words: Any = words, vectors: Any = vectors, k: int = k) -> float:
                with collection.served(ef_search) as theirs:
                    found = [theirs.ask(vector, k) for vector in vectors[:N_RECALL]]
                return statistics.mean(_recall(table, *each) for each in zip(words, found, strict=False))

            effort = _enough(recall)
            with collection.served(effort.ef_search) as theirs:
                their_requests = [theirs.query(vector, k) for vector in vectors]
                mine, others = bench.compare((ours, requests), (theirs.server, their_requests))
                megabytes = ours.resident_megabytes(), theirs.server.resident_megabytes()
            quality = f"recall@10 {our_recall:.3f} against {effort}; theirs is given vectors"
            rows.append(row(f"chroma-{what}", mine.per_second, peer, others.per_second, "requests/s", quality=quality))
    return [
        *rows,
        row("chroma-memory", megabytes[0], peer, megabytes[1], "MB resident", less=True),
        row("chroma-start", our_start, peer, their_start, "s to first answer", less=True),
    ]


@dataclass(frozen=True)
class Effort:
    """How hard a graph must be searched, and what it finds then."""

    ef_search: int
    recall: float

    def __str__(self) -> str:
        return f"{self.recall:.3f} (ef_search {self.ef_search})"


def _enough(recall: Callable[[int], float]) -> Effort:
    """The smallest effort that finds enough, or the largest."""
    for ef_search in EF_SEARCHES:
        effort = Effort(ef_search, recall(ef_search))
        if effort.recall >= ENOUGH_RECALL:
            break
    return effort


def _our_recalls(server: Server, table: Table, questions: Questions) -> tuple[float, float]:
    """Of what the service answers to the same words and triples."""
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:

        def ask(path: str, **asked: str) -> list[str]:
            answer = client.get(path, params=asked).raise_for_status().json()
            return [each["word"] for each in answer.get("neighbors") or answer["answers"]]

        neighbors = [_recall(table, [w], ask("/neighbors", word=w)) for w in questions.words[:N_RECALL]]
        analogies = [
            _recall(table, [a, b, c], ask("/analogy", a=a, b=b, c=c)) for a, b, c in questions.triples[:N_RECALL]
        ]
    return statistics.mean(neighbors), statistics.mean(analogies)


def _id(table: Table, word: str) -> int:
    word_id = table.lookup.find(word)
    assert word_id is not None
    return word_id


def _recall(table: Table, asked: Sequence[str], found: Sequence[str]) -> float:
    """The share of the ten nearest to a word, or to a - b + c, by exact search, that were found."""
    unit_vectors = table.unit_vectors
    ids = [_id(table, word) for word in asked]
    direction = scores.direction(unit_vectors[ids].astype(np.float64), [1.0, -1.0, 1.0][: len(ids)])
    assert direction is not None
    nearest, _ = exact.nearest(unit_vectors, direction[None], 10 + len(ids))
    right = [table.lookup.word(i) for i in nearest[0].tolist() if i not in ids][:10]
    return len(set(right) & ({*found} - {*asked})) / 10
