"""The servers that `benchmarks.serving` compares: ``python -m benchmarks.servers KIND FOLDER PORT [CORE]``.

`ours` is the application as shipped, with three more routes: `/bare` and `/modelled`, what FastAPI does with next to
nothing, and `/one-by-one`, the same analogy searched query by query in FastAPI's thread pool.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from app import tuning
from app.core.settings import Settings
from app.core.table.reading import open_table
from app.main import create_app
from app.serving.answers import Neighbors, named
from app.web.scopes import READ

COMPARED = {"/bare", "/modelled", "/one-by-one"}

NEIGHBORS = named(Neighbors)


def ours(folder: Path) -> FastAPI:
    """The application on a data folder."""
    tuning.for_start()
    app = create_app(Settings(data_dir=folder, log_level="warning"))
    tuning.for_serving()
    example = {"model": "m", "version": 1, "word": "w", "neighbors": [{"word": "w", "score": 0.5}] * 10}

    @app.get("/bare", openapi_extra=READ)
    async def bare() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/modelled", response_model=NEIGHBORS, openapi_extra=READ)
    async def modelled(word: str, k: int = 10) -> Any:  # noqa: ARG001 (parsed, as ours is)
        return NEIGHBORS.model_validate(example)

    @app.get("/one-by-one", openapi_extra=READ)
    def one_by_one(request: Request, a: str, b: str, c: str) -> dict[str, Any]:
        version = request.app.state.registry.loaded(None, "latest")
        ids = [version.term(word).id for word in (a, b, c)]
        x, y, z = version.table.unit_vectors[ids]
        found, scores = _search_alone(version.table.unit_vectors[:], x - y + z)
        words = [version.lookup.word(i) for i in found]
        return {"answers": [{"word": w, "score": s} for w, s in zip(words, scores, strict=True)]}

    # as well placed as the search routes are, behind the first of them: routes are tried one after the other
    app.router.routes[1:1] = [route for route in app.router.routes if getattr(route, "path", "") in COMPARED]
    return app


def _search_alone(unit_vectors: np.ndarray, direction: np.ndarray) -> tuple[list[int], list[float]]:
    import faiss  # noqa: PLC0415 (only one endpoint needs it)

    faiss.omp_set_num_threads(1)
    query = (direction / np.linalg.norm(direction))[None]
    scores, ids = faiss.knn(query, unit_vectors, 13, metric=faiss.METRIC_INNER_PRODUCT)
    return ids[0].tolist(), scores[0].tolist()


async def raw(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 (ASGI's signature)
    """No framework at all."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json"), (b"content-length", b"17")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"hello":"world"}'})


def gensim_service(folder: Path) -> FastAPI:
    """What people write: KeyedVectors behind FastAPI."""
    from gensim.models import KeyedVectors  # noqa: PLC0415 (an optional peer)

    vectors = KeyedVectors.load(str(folder / "gensim.kv"), mmap="r")
    vectors.fill_norms()
    app = FastAPI()

    @app.get("/neighbors")
    def neighbors(word: str, k: int = 10) -> dict[str, Any]:
        found = vectors.most_similar(word, topn=k)
        return {"word": word, "neighbors": [{"word": w, "score": s} for w, s in found]}

    @app.get("/analogy")
    def analogy(a: str, b: str, c: str, k: int = 10) -> dict[str, Any]:
        found = vectors.most_similar(positive=[a, c], negative=[b], topn=k)
        return {"answers": [{"word": w, "score": s} for w, s in found]}

    return app


def write_gensim(folder: Path, table_folder: Path) -> None:
    """The same vectors in gensim's format."""
    from gensim.models import KeyedVectors  # noqa: PLC0415 (an optional peer)

    table = open_table(table_folder)
    vectors = KeyedVectors(table.manifest.dim)
    vectors.add_vectors(table.vocabulary.words(), np.array(table.unit_vectors[:]))
    vectors.save(str(folder / "gensim.kv"))


def ours_from_environment() -> FastAPI:
    """What granian calls in the process it starts."""
    return ours(Path(os.environ["WORDKIN_BENCHMARK_FOLDER"]))


def _run_granian(port: int) -> None:
    from granian.constants import Interfaces  # noqa: PLC0415 (an optional peer)
    from granian.server import Server  # noqa: PLC0415 (an optional peer)

    where = "benchmarks.servers:ours_from_environment"
    Server(
        where, address="127.0.0.1", port=port, interface=Interfaces.ASGI, factory=True, workers=1, log_enabled=False
    ).serve()


def main(kind: str, folder: str, port: str, core: str = "") -> None:
    if core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    if kind == "granian":
        os.environ["WORDKIN_BENCHMARK_FOLDER"] = folder
        _run_granian(int(port))
        return
    app: Any = {"ours": ours, "gensim": gensim_service, "raw": lambda _: raw}[kind](Path(folder))
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", loop="uvloop", http="httptools")


if __name__ == "__main__":
    main(*sys.argv[1:])
