"""Chroma as a peer: its own server, asked over its own HTTP by the same load generator.

It does not know vectors by word when it searches, so every request carries its vector: a client that only has words
would need one more request for each question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from app.core.table.reading import Table
from benchmarks import load
from benchmarks.ports import free_ports
from benchmarks.served import Server, answers, running

COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
ALIVE = load.get("/api/v2/heartbeat")
BATCH = 5_000


@dataclass(frozen=True)
class Served:
    """A running server that holds the table."""

    server: Server
    query_path: str

    def query(self, vector: np.ndarray, k: int = 11) -> bytes:
        body = {"query_embeddings": [vector.tolist()], "n_results": k, "include": ["distances"]}
        return load.post(self.query_path, json.dumps(body).encode())

    def ask(self, vector: np.ndarray, k: int = 11) -> list[str]:
        body = {"query_embeddings": [vector.tolist()], "n_results": k, "include": ["distances"]}
        answer = httpx.post(f"http://127.0.0.1:{self.server.port}{self.query_path}", json=body, timeout=60)
        found: list[str] = answer.raise_for_status().json()["ids"][0]
        return found


@dataclass(frozen=True)
class Collection:
    """The table in Chroma's HNSW, built with Chroma's own defaults; no server runs."""

    program: Path
    folder: Path
    identity: str
    table: Table

    @contextmanager
    def served(self, ef_search: int) -> Iterator[Served]:
        """A server that has given its first answer, with this effort: it is read when a server starts."""
        path = f"{COLLECTIONS}/{self.identity}"
        with _running(self.program, self.folder, ALIVE) as server:
            changes = {"new_configuration": {"hnsw": {"ef_search": ef_search}}}
            httpx.put(f"http://127.0.0.1:{server.port}{path}", json=changes).raise_for_status()
        with self.started() as server:
            yield Served(server, f"{path}/query")

    def started(self) -> AbstractContextManager[Server]:
        """A server that has given its first answer."""
        body = {"query_embeddings": [self.table.unit_vectors[0].tolist()], "n_results": 10}
        first = load.post(f"{COLLECTIONS}/{self.identity}/query", json.dumps(body).encode())
        return _running(self.program, self.folder, first)


def load_table(program: Path, folder: Path, table: Table) -> Collection:
    """Put the table into Chroma."""
    with _running(program, folder, ALIVE) as server:
        return Collection(program, folder, _fill(server.port, table), table)


def _fill(port: int, table: Table) -> str:
    words = table.vocabulary.words()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as client:
        made = client.post(COLLECTIONS, json={"name": "words", "configuration": {"hnsw": {"space": "cosine"}}})
        identity: str = made.raise_for_status().json()["id"]
        for start in range(0, len(words), BATCH):
            some = slice(start, start + BATCH)
            body = {"ids": words[some], "embeddings": table.unit_vectors[some].tolist()}
            client.post(f"{COLLECTIONS}/{identity}/add", json=body).raise_for_status()
    return identity


def _running(program: Path, folder: Path, first: bytes) -> AbstractContextManager[Server]:
    (port,) = free_ports(1)
    command = [str(program), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    return running(command, port, lambda: answers(port, first))


def analogy_vectors(table: Table, triples: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """a - b + c for each triple."""
    vectors = []
    for triple in triples:
        a, b, c = (table.unit_vectors[table.lookup.find(word)] for word in triple)
        vectors.append(a - b + c)
    return vectors
