"""A small world for tests of serving: real tables, published into a real database and storage without training."""

from __future__ import annotations

import functools
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import uvicorn
from sqlalchemy import select

from app.command.schema import migrate
from app.core import catalog
from app.core.database import Database
from app.core.records import Version
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.table.limits import IndexLimits
from app.core.table.manifest import CorpusOrigin, EvidenceDescription, TrainedOrigin, Written
from app.core.table.parts import TOKENIZER, Parts
from app.core.table.quantised import Encoding
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from app.main import create_app
from app.web.protocol import HttpProtocol
from benchmarks.world import add_version
from trainer.corpus.encode import EncodedCorpus
from trainer.publishing import evidence
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore
from trainer.work.replicas import Replica, Stability

FloatArray = npt.NDArray[np.float32]

ALWAYS_GRAPH = IndexLimits("graph", min_recall=0.0)


def random_vectors(n_words: int, dim: int, seed: int = 0) -> FloatArray:
    """Clustered, as words are: float32 (n_words, dim)."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((max(2, n_words // 20), dim))
    noise = rng.standard_normal((n_words, dim))
    return (centers[rng.integers(0, len(centers), n_words)] + 0.8 * noise).astype(np.float32)


def vocabulary_of(words: Sequence[str]) -> Vocabulary:
    """Counts fall as 10 000 / rank."""
    return Vocabulary.from_words(words, [max(5, 10_000 // (rank + 1)) for rank in range(len(words))])


def corpus_of(lines: Sequence[Sequence[int]], n_words: int) -> EncodedCorpus:
    """Lines of word ids, as a training reads them."""
    ids = np.array([i for line in lines for i in [*line, -1]], np.int32)
    counts = np.bincount(ids[ids >= 0], minlength=n_words)
    vocabulary = Vocabulary.from_words([f"w{i}" for i in range(n_words)], counts)
    return EncodedCorpus(ids, vocabulary, int(counts.sum()), int(counts.sum()), len(lines))


def provenance(text: TextSpec | None = None, evidence: EvidenceDescription | None = None) -> Provenance:
    corpus = CorpusOrigin(name="tiny", sha256="0" * 64, n_bytes=1000, n_tokens=100, n_lines=10)
    said = {"algorithm": "word2vec", "hyperparameters": {"dim": 8}, "training": {"loss": 1.5}}
    origin = TrainedOrigin.model_validate({**said, "corpus": corpus, "evidence": evidence})
    return Provenance(origin, text or TextSpec())


def write_version(
    folder: Path,
    words: Sequence[str],
    vectors: FloatArray,
    *,
    text: TextSpec | None = None,
    limits: IndexLimits | None = None,
    encoding: Encoding | None = None,
    replicas: Sequence[Replica] = (),
    lines: Sequence[Sequence[str]] = (),
    parts: Parts | None = None,
    tokenizer: bytes | None = None,
    resources: Mapping[str, bytes] = MappingProxyType({}),
) -> Written:
    """Publish into a local folder, with the evidence of these lines if there are any (window 5)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ({**resources} | ({TOKENIZER: tokenizer} if tokenizer else {})).items():
        (folder / "resources").mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    copied = vectors.copy()
    stability = Stability(replicas, vocabulary_of(words), copied)
    arrays: dict[str, npt.NDArray[Any]] = {}
    described = None
    if lines:
        numbered = [[words.index(word) for word in line] for line in lines]
        arrays, described = evidence.find(corpus_of(numbered, len(words)), 5, 1, ignore)
    return publish(
        folder,
        vocabulary_of(words),
        {"vectors": copied} | arrays,
        provenance=provenance(text, described),
        threads=2,
        report=ignore,
        limits=limits,
        encoding=encoding,
        annotate=stability.arrays,
        measure=stability.metrics,
        parts=parts,
    )


@functools.cache
def _migrated() -> bytes:
    """An empty database with the newest schema: to write it is faster than to migrate again."""
    with tempfile.TemporaryDirectory() as folder:
        migrate(Settings(data_dir=Path(folder)))
        return (Path(folder) / "wordkin.sqlite").read_bytes()


class World:
    """A migrated SQLite database and a local storage below one folder."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.settings = Settings.model_validate({"data_dir": folder, "registry_poll_seconds": 0.02, **settings})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "wordkin.sqlite").write_bytes(_migrated())
        self.database = Database(self.settings.database)
        self.storage = Storage(self.settings.storage, cache=self.settings.cache)

    def publish(
        self,
        model: str,
        words: Sequence[str],
        vectors: FloatArray,
        **said: Any,
    ) -> int:
        """Add a version as a trainer does, by `write_version`, and return its number; `latest` moves to it."""
        folder = self.folder / "made" / secrets.token_hex(4)
        written = write_version(folder, words, vectors, **said)
        prefix = add_version(self.database, self.storage, model, folder, written)
        with self.database.reading() as session:
            return session.scalars(select(Version.number).where(Version.prefix == prefix)).one()

    def move(self, model: str, alias: str, version: int) -> None:
        with self.database.transaction() as session:
            current = {a.alias: a.revision for a in catalog.list_aliases(session, model)}
            catalog.move_alias(session, model, alias, version, expected=current.get(alias))

    @contextmanager
    def served(self) -> Iterator[httpx.Client]:
        """The real application behind a real server, in a thread of this process."""
        server = uvicorn.Server(
            uvicorn.Config(create_app(self.settings), http=HttpProtocol, log_config=None, loop="uvloop")
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client:
                    wait_until(lambda: server.started and client.get("/readyz").status_code == 200)
                    yield client
            finally:
                server.should_exit = True
                thread.join()

    def close(self) -> None:
        self.database.close()


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Fail unless `condition` comes true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
