"""Vectors from elsewhere become a version that answers, and what was left out is told."""

from __future__ import annotations

import lzma
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import wait_for
from tests.trainer.work.test_restore import packed

DATA = Path(__file__).resolve().parents[1] / "data"
GLOVE = DATA / "vectors" / "glove.6B.50d.sample.txt.xz"
VERSIONS = DATA / "versions"


def test_a_file_of_glove_becomes_a_version_that_answers(shared: httpx.Client) -> None:
    content = lzma.decompress(GLOVE.read_bytes())
    spoiled = content + b"the " + b"1 " * 49 + b"1\n"
    assert shared.put("/files/glove.txt", content=spoiled).status_code == 201
    submitted = shared.post("/jobs", json={"kind": "import", "model": "glove", "file": "glove.txt"})
    assert submitted.status_code == 202, submitted.text
    path = submitted.headers["location"]
    job = wait_for(lambda: (j := shared.get(path).json())["state"] in {"succeeded", "failed"} and j, 60, "the import")
    assert (job["state"], job["version"], job["progress"]) == ("succeeded", 1, 1.0), job
    (found,) = job["result"]["rows"]["found"]
    assert (found["what"], found["n"], found["first"][0]["word"]) == ("a word that came before", 1, "the")
    near = wait_for(
        lambda: (r := shared.get("/neighbors?model=glove&word=king&k=5")).is_success and r.json(), 30, "serving"
    )
    assert near["neighbors"][0]["word"] in {"prince", "queen"}
    assert shared.get("/words?model=glove&k=1").json()["words"] == [{"word": "the", "count": None, "rank": 1}]
    assert "max_rank" in shared.get("/neighbors?model=glove&word=king&min_count=2").json()["detail"]
    described = shared.get("/models/glove/versions/1").json()
    assert (described["origin"], described["format"], described["counts_known"]) == ("imported", "glove", False)


@pytest.mark.parametrize("published", ["format-1/flat", "format-2/graph"])
def test_an_exported_version_comes_back_and_answers(shared: httpx.Client, published: str) -> None:
    name = published.replace("/", "-")
    assert shared.put(f"/files/{name}", content=packed(VERSIONS / published)).status_code == 201
    submitted = shared.post(
        "/jobs", json={"kind": "import", "model": name, "file": name, "publish": {"alias": "latest"}}
    )
    assert submitted.status_code == 202, submitted.text
    path = submitted.headers["location"]
    job = wait_for(lambda: (j := shared.get(path).json())["state"] in {"succeeded", "failed"} and j, 60, "the import")
    assert (job["state"], job["result"]["format"]) == ("succeeded", "native"), job
    query: dict[str, str | int] = {"model": name, "k": 3}
    words = wait_for(lambda: (r := shared.get("/words", params=query)).is_success and r.json(), 30, "serving")["words"]
    near = shared.get("/neighbors", params=query | {"word": words[0]["word"]}).json()
    assert len(near["neighbors"]) == 3
    assert shared.get(f"/models/{name}/versions/1").json()["origin"] == "trained"
