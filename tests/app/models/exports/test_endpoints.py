"""What every format shares: which version, conditions, heads, refusals, room."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from app.core.errors import WordNotWritable
from app.core.table.reading import open_table
from app.core.vector_files import ExportFormat
from app.models.exports import endpoints
from app.models.exports.formats import FORMATS
from app.models.exports.selection import Chosen, Selection
from tests.app.models.exports.conftest import WORDS, exported
from tests.published import World, random_vectors, wait_until, write_version


def test_a_version_that_is_not_loaded_gives_the_same_and_stays_unloaded(client: httpx.Client, world: World) -> None:
    for form in FORMATS:
        asked = {} if form == "native" else {"words": "top:50"}
        from_disk = exported(client, form, version="1", **asked)
        assert client.get("/models/m").json()["loaded"] == [2]
        assert exported(client, form, version="1", **asked) == from_disk
    wait_until(lambda: not list(world.settings.cache.glob("export-*")))


def test_from_memory_and_from_disk_come_the_same_bytes(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("m", WORDS, random_vectors(len(WORDS), 5))
    with world.served() as client:
        loaded = {form: exported(client, form) for form in FORMATS}
        world.publish("m", WORDS, random_vectors(len(WORDS), 5, seed=3))
        wait_until(lambda: client.get("/models/m").json()["loaded"] == [2])
        assert {form: exported(client, form, version="v1") for form in FORMATS} == loaded
    world.close()


def test_the_etag_stands_for_version_format_and_words(client: httpx.Client) -> None:
    def etag(**asked: str) -> str:
        version = asked.pop("version", "latest")
        return client.head(f"/models/m/versions/{version}/export", params=asked).headers["etag"]

    same = [etag(format="glove", version=version) for version in ("latest", "2", "v2")]
    assert len(set(same)) == 1
    others = {etag(format="glove", version="1"), etag(format="npz"), etag(format="glove", words="top:3")}
    assert len(others | {same[0]}) == 4
    asked = {"format": "glove"}
    known = client.get("/models/m/versions/2/export", params=asked, headers={"If-None-Match": f'"x", {same[0]}'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", same[0])


def test_head_tells_the_name_and_the_type(client: httpx.Client) -> None:
    head = client.head("/models/m/versions/latest/export", params={"format": "word2vec-text", "words": "top:10"})
    assert head.status_code == 200
    assert head.headers["content-type"] == "text/plain; charset=utf-8"
    assert head.headers["content-disposition"] == 'attachment; filename="m-v2-top10.word2vec.txt"'
    assert head.headers["cache-control"] == "no-cache"
    pinned = client.head("/models/m/versions/2/export", params={"format": "npz"})
    assert pinned.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert pinned.headers["content-disposition"] == 'attachment; filename="m-v2.npz"'


@pytest.mark.parametrize("form", ["word2vec-text", "word2vec-binary", "glove", "fasttext-vec"])
def test_white_space_in_words_is_refused_or_replaced(client: httpx.Client, form: ExportFormat) -> None:
    refused = client.get("/models/spaced/versions/1/export", params={"format": form})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/word-not-writable")
    assert refused.json()["word"] == "whole milk"
    written = exported(client, form, "spaced", spaces="replace")
    assert b"whole_milk " in written
    assert b"tab_bed " in written
    assert exported(client, form, "spaced", words="top:1").count(b"milk ") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a_b", "c", "a b"], "the words 'a b' and 'a_b' become equal"),
        (["a\tb", "a b"], r"the words 'a\\tb' and 'a b' become equal"),
    ],
)
def test_words_that_would_become_equal_are_refused(tmp_path: Path, words: list[str], told: str) -> None:
    write_version(tmp_path, words, random_vectors(len(words), 3))
    table, cannot_hold = open_table(tmp_path), FORMATS["glove"].cannot_hold
    with pytest.raises(WordNotWritable, match=told):
        Selection(table, Chosen(replaces_spaces=True), cannot_hold).check()
    Selection(table, Chosen(top=1, replaces_spaces=True), cannot_hold).check()


@pytest.mark.parametrize(
    ("path", "asked", "status", "type_"),
    [
        ("none/versions/1", {"format": "npz"}, 404, "model-not-found"),
        ("m/versions/7", {"format": "npz"}, 404, "version-not-found"),
        ("m/versions/none", {"format": "npz"}, 404, "version-not-found"),
        ("m/versions/1", {"format": "pickle"}, 422, "invalid-request"),
        ("m/versions/1", {"format": "npz", "words": "top:0"}, 422, "invalid-request"),
        ("m/versions/1", {}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_is_refused(
    client: httpx.Client, path: str, asked: dict[str, str], status: int, type_: str
) -> None:
    refused = client.get(f"/models/{path}/export", params=asked)
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{type_}")


def test_more_exports_than_there_is_room_for_are_asked_to_come_again(client: httpx.Client) -> None:
    for _ in range(endpoints.MAX_EXPORTS):  # those before give their room back, whatever their answers were
        assert endpoints._slots.acquire(timeout=20)
    try:
        busy = client.get("/models/m/versions/2/export", params={"format": "npz"})
    finally:
        endpoints._slots.release(endpoints.MAX_EXPORTS)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    assert busy.json()["type"] == "/problems/exports-busy"


def test_a_damaged_table_is_not_exported(tmp_path: Path) -> None:
    world = World(tmp_path)
    for seed in (1, 2):
        world.publish("m", WORDS, random_vectors(len(WORDS), 5, seed))
    with world.served() as client:
        for path in (tmp_path / "storage" / "versions").glob("*/table.safetensors"):
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)
        refused = client.get("/models/m/versions/1/export", params={"format": "npz"})
        assert refused.status_code == 503
        assert "digest" in refused.json()["detail"]
        assert exported(client, "npz", version="2")  # it is in memory
        shutil.rmtree(tmp_path / "storage" / "versions")
        assert client.get("/models/m/versions/1/export", params={"format": "npz"}).status_code == 503
    world.close()


def test_counts_that_are_not_known_are_left_out(world: World) -> None:
    folder = next((world.folder / "made").glob("*/manifest.json")).parent
    table = open_table(folder)
    table.manifest = table.manifest.model_copy(update={"counts_known": False})
    forms: tuple[ExportFormat, ...] = ("jsonl", "npz", "safetensors")
    for form in forms:
        write = FORMATS[form].write
        assert write is not None
        written = b"".join(write(Selection(table, Chosen())))
        assert b"count" not in written
