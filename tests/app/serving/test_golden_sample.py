"""A version that this process reads otherwise than the trainer did answers exact words alone, and says why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import TableDamaged
from app.core.table.golden import GOLDEN_FILE, GoldenSample, golden_sample, misread
from app.core.table.reading import Table, open_table
from app.core.text import TextReader, TextSpec
from app.core.text.phrases import PHRASES
from app.core.text.spec import STOP_WORDS
from app.core.text.tokenizers.morphemes import DICTIONARY
from app.core.text.tokenizers.sentencepiece import MODEL
from app.serving.reading import ExactWords, reader_of
from tests.published import World, random_vectors, wait_until, write_version

WORDS = ["king", "queen", "don't", "바다"]
LINES = ["King, QUEEN!", "zzz 바다\tking", "don't"]
IDS = [[0, 1], [-1, 3, 0], [2]]


def version(folder: Path, sample: bytes) -> Path:
    (folder / "resources").mkdir(parents=True)
    (folder / GOLDEN_FILE).write_bytes(sample)
    write_version(folder, WORDS, random_vectors(4, 4))
    return folder


def said(ids: list[list[int]]) -> bytes:
    return json.dumps({"lines": LINES, "ids": ids}).encode()


def test_lines_are_stored_with_the_ids_of_their_words() -> None:
    sample = GoldenSample.of(LINES, TextReader(TextSpec()), {word: i for i, word in enumerate(WORDS)}.get)
    assert sample.ids == IDS
    assert GoldenSample.model_validate_json(sample.content()) == sample


def test_a_sample_that_is_read_alike_is_no_news_and_another_one_is_told(tmp_path: Path) -> None:
    alike = open_table(version(tmp_path / "alike", said(IDS)))
    assert misread(alike, alike.reader) is None
    other = open_table(version(tmp_path / "other", said([IDS[0], [3, 0], [2]])))
    assert misread(other, other.reader) == (
        "1 of 3 lines of its golden sample are not read as they were when it was trained, the first 'zzz 바다\\tking'."
    )
    with pytest.raises(TableDamaged, match="cannot be read"):
        golden_sample(open_table(version(tmp_path / "none", b"[]")))


@pytest.mark.parametrize(
    ("said", "name", "told"),
    [
        ({"tokenizer": "sentencepiece"}, MODEL, "is no model of sentencepiece"),
        ({"tokenizer": {"kind": "mecab-ko", "user_dictionary": "names"}}, DICTIONARY, "user dictionary is not UTF-8"),
        ({"tokenizer": {"kind": "kiwi", "user_dictionary": "names"}}, DICTIONARY, "user dictionary is not UTF-8"),
        ({"stop_words": "names"}, STOP_WORDS, "file of stop words is not UTF-8"),
        ({"phrases": {}}, PHRASES, "list of phrases cannot be read"),
    ],
)
def test_a_resource_that_is_missing_or_damaged_leaves_exact_words(
    said: dict[str, object], name: str, told: str, tmp_path: Path
) -> None:
    """One that was never there, one that is no such file, one that was changed, and one that has gone."""

    def opened(folder: str, resources: dict[str, bytes], digests: dict[str, str]) -> Table:
        text = TextSpec.model_validate(said | {"resources": digests})
        write_version(tmp_path / folder, WORDS, random_vectors(4, 4), text=text, resources=resources)
        return open_table(tmp_path / folder)

    wrong = b"\xff\xfe"
    bare = reader_of(opened("bare", {}, {}))
    assert isinstance(bare, ExactWords)
    assert bare.why.startswith(f"Text is read with {name} here, but came with no files; restore the version")
    odd = reader_of(opened("odd", {name: wrong}, {name: hashlib.sha256(wrong).hexdigest()}))
    assert isinstance(odd, ExactWords)
    assert told in odd.why
    with pytest.raises(TableDamaged, match=f"{name} does not have the digest"):
        reader_of(opened("changed", {name: wrong}, {name: "0" * 64}))
    with pytest.raises(TableDamaged, match=f"{name} cannot be read"):
        reader_of(opened("gone", {}, {name: "0" * 64}))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_readyz_the_model_and_the_answers_say_why(world: World) -> None:
    world.publish("m", WORDS, random_vectors(4, 4), resources={GOLDEN_FILE: said([[0, 1], [0], [2]])})
    why = "Only words as they are stored are found: 1 of 3 lines of its golden sample"
    with world.served() as client:
        assert client.get("/readyz").json()["degraded"]["m@latest"].startswith(why)
        assert client.get("/models/m").json()["degraded"]["latest"].startswith(why)
        assert client.get("/vector", params={"word": "king"}).status_code == 200
        missing = client.get("/vector", params={"word": "King"})
        assert (missing.status_code, missing.json()["missing"]) == (404, ["King"])
        assert "golden sample" in missing.json()["detail"]
        refused = client.get("/text-vector", params={"text": "king queen"})
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/text-not-read")
        assert client.get("/words", params={"prefix": "ki"}).json()["words"][0]["word"] == "king"
        world.publish("m", WORDS, random_vectors(4, 4))
        wait_until(lambda: not client.get("/readyz").json()["degraded"])
        assert client.get("/vector", params={"word": "king", "version": "1"}).status_code == 200
        assert client.get("/readyz").json()["degraded"]["m@1"].startswith(why), "no alias names it"
        assert client.get("/models/m").json()["degraded"]["1"].startswith(why)
