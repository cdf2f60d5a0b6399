"""Corpora over HTTP."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from app.core.settings import Settings

TEXT = "왕은 궁전에 산다\nthe king lives\n".encode()


def problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["type"], body["status"]) == (f"/problems/{slug}", status)
    return body


def stored(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "storage").rglob("*") if path.is_file()]


def test_upload_then_read_list_and_delete(client: TestClient, settings: Settings) -> None:
    created = client.put("/corpora/왕.txt", content=TEXT)
    assert created.status_code == 201
    described = created.json()
    assert described["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert (described["n_bytes"], described["n_lines"], described["n_words"]) == (len(TEXT), 2, 6)
    assert client.get("/corpora/왕.txt").json() == described
    listed = [{**described, "n_bytes_of_all_revisions": len(TEXT)}]
    assert client.get("/corpora").json() == {"corpora": listed, "next": None}
    assert [path.read_bytes() for path in stored(settings)] == [TEXT]
    assert client.delete("/corpora/왕.txt").status_code == 204
    assert stored(settings) == []
    assert problem(client.get("/corpora/왕.txt"), 404, "corpus-not-found")["corpus"] == "왕.txt"
    problem(client.delete("/corpora/왕.txt"), 404, "corpus-not-found")


def test_names_are_composed(client: TestClient) -> None:
    """A decomposed Korean name, as macOS sends it, is the composed one."""
    assert (
        client.put("/corpora/한글".replace("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"), content=TEXT).status_code
        == 201
    )
    assert client.get("/corpora/한글").status_code == 200


def test_same_content_twice_is_once(client: TestClient, settings: Settings) -> None:
    assert client.put("/corpora/c", content=TEXT).status_code == 201
    again = client.put("/corpora/c", content=gzip.compress(TEXT), headers={"Content-Encoding": "gzip"})
    assert again.status_code == 200
    assert len(stored(settings)) == 1


def test_other_content_is_the_next_revision(client: TestClient, settings: Settings) -> None:
    first = client.put("/corpora/c", content=TEXT)
    second = client.put("/corpora/c", content=b"other")
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json()["revision"], second.json()["revision"]) == (1, 2)
    assert first.headers["ETag"] != second.headers["ETag"] == client.get("/corpora/c").headers["ETag"]
    assert client.get("/corpora/c").json() == second.json()
    assert client.get("/corpora/c/revisions").json() == {"revisions": [second.json(), first.json()]}
    assert client.get("/corpora").json()["corpora"][0]["n_bytes_of_all_revisions"] == len(TEXT) + 5
    assert {path.read_bytes() for path in stored(settings)} == {TEXT, b"other"}
    problem(client.delete("/corpora/c/revisions/2"), 409, "newest-revision")
    problem(client.delete("/corpora/c/revisions/3"), 404, "corpus-not-found")
    assert client.delete("/corpora/c/revisions/1").status_code == 204
    assert [path.read_bytes() for path in stored(settings)] == [b"other"]
    assert client.delete("/corpora/c").status_code == 204
    problem(client.get("/corpora/c/revisions"), 404, "corpus-not-found")
    assert stored(settings) == []


def test_an_upload_may_expect_what_is_there(client: TestClient, settings: Settings) -> None:
    only_new, any_old = {"If-None-Match": "*"}, {"If-Match": "*"}
    problem(client.put("/corpora/c", content=TEXT, headers=any_old), 412, "precondition-failed")
    first = client.put("/corpora/c", content=TEXT, headers=only_new)
    assert first.status_code == 201
    problem(client.put("/corpora/c", content=b"other", headers=only_new), 412, "precondition-failed")
    seen = {"If-Match": first.headers["ETag"]}
    assert client.put("/corpora/c", content=b"second", headers=seen).json()["revision"] == 2
    problem(client.put("/corpora/c", content=b"third", headers=seen), 412, "precondition-failed")
    assert client.put("/corpora/c", content=b"third", headers=any_old).json()["revision"] == 3
    problem(client.put("/corpora/c", content=b"x", headers={"If-None-Match": '"1"'}), 422, "invalid-request")
    assert len(stored(settings)) == 3, "what was refused is not kept"


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"", {}, 400, "corpus-empty"),
        (b"abc \xff", {}, 400, "corpus-not-text"),
        (b"x" * ((1 << 20) + 1), {}, 413, "corpus-too-large"),
        (gzip.compress(b"x " * (1 << 20), mtime=0), {"Content-Encoding": "gzip"}, 413, "corpus-too-large"),
        (gzip.compress(TEXT, mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400, "bad-compression"),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400, "bad-compression"),
        (TEXT, {"Content-Encoding": "br"}, 415, "unsupported-encoding"),
        (TEXT, {"Content-Digest": "sha-256=:AAAA:"}, 400, "digest-mismatch"),
        (TEXT, {"Content-Digest": "md5=:AAAA:"}, 400, "bad-digest"),
        (TEXT, {"Content-Digest": "sha-256=:A:"}, 400, "bad-digest"),
    ],
)
def test_bad_uploads_are_refused_and_leave_nothing(
    client: TestClient, settings: Settings, body: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    problem(client.put("/corpora/c", content=body, headers=headers), status, slug)
    assert client.get("/corpora").json()["corpora"] == []
    assert stored(settings) == []


@pytest.mark.parametrize(
    "form", [{"files": {"file": TEXT}}, {"data": {"text": TEXT.decode()}}], ids=["multipart", "data"]
)
def test_a_form_is_not_the_text_itself(client: TestClient, settings: Settings, form: dict[str, Any]) -> None:
    body = problem(client.put("/corpora/c", **form), 415, "form-body")
    assert "use curl -T" in body["detail"]
    assert stored(settings) == []


def test_text_in_another_encoding_is_stored_as_utf8(client: TestClient, settings: Settings) -> None:
    described = client.put("/corpora/c?encoding=CP949", content=TEXT.decode().encode("cp949")).json()
    assert described["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert [path.read_bytes() for path in stored(settings)] == [TEXT]
    assert client.put("/corpora/c?encoding=utf-16", content=TEXT.decode().encode("utf-16")).status_code == 200
    body = problem(client.put("/corpora/d?encoding=cp94", content=TEXT), 422, "invalid-request")
    assert "cp949" in body["suggestions"]


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
@pytest.mark.parametrize("header", ["Content-Digest", "Repr-Digest"])
def test_a_right_digest_is_accepted(client: TestClient, algorithm: str, header: str) -> None:
    sent = gzip.compress(TEXT)
    digest = base64.b64encode(hashlib.new(algorithm.replace("-", ""), sent).digest()).decode()
    headers = {header: f"{algorithm}=:{digest}:", "Content-Encoding": "gzip"}
    assert client.put("/corpora/c", content=sent, headers=headers).status_code == 201


def test_invalid_utf8_is_replaced_when_asked(client: TestClient, settings: Settings) -> None:
    assert client.put("/corpora/c?invalid_utf8=replace", content=b"abc \xff").status_code == 201
    assert [path.read_bytes() for path in stored(settings)] == ["abc \ufffd".encode()]


@pytest.mark.parametrize(
    ("name", "status"), [("a b", 422), (".hidden", 422), ("-x", 422), ("x" * 101, 422), ("a%2Fb", 404)]
)
def test_bad_names_are_refused(client: TestClient, name: str, status: int) -> None:
    assert client.put(f"/corpora/{name}", content=TEXT).status_code == status
    assert client.get("/corpora").json()["corpora"] == []


def test_pages_follow_each_other(client: TestClient) -> None:
    for name in "cab":
        client.put(f"/corpora/{name}", content=TEXT)
    first = client.get("/corpora?limit=2").json()
    assert ([corpus["name"] for corpus in first["corpora"]], first["next"]) == (["a", "b"], "b")
    second = client.get(f"/corpora?limit=2&after={first['next']}").json()
    assert ([corpus["name"] for corpus in second["corpora"]], second["next"]) == (["c"], None)


def test_too_little_space_is_refused_before_anything_is_read(client: TestClient, settings: Settings) -> None:
    full = settings.model_copy(update={"min_free_bytes": 1 << 60})
    client.app.state.settings = full  # type: ignore[attr-defined] # TestClient types its app as a bare ASGI callable
    body = problem(client.put("/corpora/c", content=TEXT), 507, "storage-full")
    assert body["free_bytes"] < 1 << 60


def test_a_preview_shows_how_lines_will_be_read(client: TestClient) -> None:
    client.put("/corpora/c", content=b'id,title\n1,"Red, green"\n2,blue\n3,x\n4,y\n5\n')
    shown = client.get("/corpora/c/preview?format=csv&column=title").json()
    assert shown["lines"] == [["red", "green"], ["blue"], ["x"], ["y"]]
    assert (shown["n_rows"], shown["n_bad_rows"], shown["names"]) == (5, 1, ["id", "title"])
    assert shown["first_bad"] == [{"line": 6, "reason": "has 1 columns"}]
    assert shown["text"]["format"]["column"] == "title"
    plain = client.get("/corpora/c/preview?case=keep").json()
    assert plain["lines"][:2] == [["id", "title"], ["1", "Red", "green"]]


@pytest.mark.parametrize(
    ("asked", "slug", "named"),
    [
        ("format=csv&column=titel", "bad-record", "There are: id, title."),
        ("format=csv", "invalid-request", "column"),
        ("format=csv&column=title&separator=%7C", "invalid-request", "separator"),
        ("format=jsonl&field=title", "bad-record", "is not JSON"),
        ("tokenizer=items", "invalid-request", "belong together"),
        ("format=xml", "invalid-request", "format"),
    ],
)
def test_a_preview_says_what_does_not_fit(client: TestClient, asked: str, slug: str, named: str) -> None:
    client.put("/corpora/c", content=b"id,title\n1,red\n")
    assert named in problem(client.get(f"/corpora/c/preview?{asked}"), 422, slug)["detail"]
    problem(client.get("/corpora/d/preview"), 404, "corpus-not-found")


def test_parquet_is_kept_as_it_is_and_read_by_its_column(client: TestClient) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"title": "Blue lamp"}, {"title": "파란 등"}]), buffer)
    stored = client.put("/corpora/products", content=buffer.getvalue())
    assert (stored.status_code, stored.json()["n_lines"], stored.json()["n_words"]) == (201, None, None)
    assert stored.json()["sha256"] == hashlib.sha256(buffer.getvalue()).hexdigest()
    shown = client.get("/corpora/products/preview?format=parquet&column=title").json()
    assert (shown["lines"], shown["names"], shown["n_rows"]) == ([["blue", "lamp"], ["파란", "등"]], ["title"], 2)
    wrong = client.get("/corpora/products/preview?format=parquet&column=text").json()
    assert wrong["detail"] == "There is no column 'text'. There are: title."
    body: dict[str, Any] = {"model": "m", "corpus": "products", "algorithm": "word2vec"}
    refused = client.post("/jobs", json=body)
    assert (refused.status_code, "say so with the format 'parquet'" in refused.json()["detail"]) == (422, True)
    text = {"format": {"kind": "parquet", "column": "title"}}
    assert client.post("/jobs", json=body | {"text": text}).status_code == 202
