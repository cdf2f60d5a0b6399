"""Exports of several files, and rules of synonyms."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import httpx
import numpy as np

from app.core.table.arrays import FloatArray
from app.core.table.reading import open_table
from tests.app.models.exports.conftest import WORDS, exported
from tests.published import World, vocabulary_of


def unpacked(content: bytes, folder: Path) -> list[str]:
    """Unpack a tar, and name what was in it."""
    with tarfile.open(fileobj=io.BytesIO(content)) as file:
        members = file.getmembers()
        file.extractall(folder, filter="data")
    assert {(m.mtime, m.uid, m.gid, m.mode) for m in members} == {(0, 0, 0, 0o644)}
    return [member.name for member in members]


def test_the_native_bundle_is_the_folder_of_the_version(client: httpx.Client, world: World, tmp_path: Path) -> None:
    head = client.head("/models/m/versions/2/export", params={"format": "native"})
    content = exported(client, "native", version="2")
    assert int(head.headers["content-length"]) == len(content)
    assert head.headers["content-disposition"] == 'attachment; filename="m-v2.wordkin.tar"'
    assert unpacked(content, tmp_path) == ["manifest.json", "table.safetensors"]
    described = client.get("/models/m/versions/2").json()
    assert open_table(tmp_path, described["manifest_sha256"]).vocabulary.words() == WORDS
    assert client.get("/models/m/versions/2/export?format=native&words=top:3").status_code == 422


def test_the_projector_gets_rows_and_columns(client: httpx.Client, vectors: FloatArray, tmp_path: Path) -> None:
    assert unpacked(exported(client, "projector"), tmp_path) == ["tensors.tsv", "metadata.tsv"]
    assert np.loadtxt(tmp_path / "tensors.tsv", np.float32, delimiter="\t").tobytes() == vectors.tobytes()
    with (tmp_path / "metadata.tsv").open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert heading == ["word", "count"]
    assert rows == [[word, str(n)] for word, n in zip(WORDS, vocabulary_of(WORDS).counts.tolist(), strict=True)]
    assert client.get("/models/spaced/versions/1/export?format=projector").json()["word"] == "tab\tbed"


def test_synonyms_are_the_nearest_words(client: httpx.Client, vectors: FloatArray) -> None:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit.astype(np.float64) @ unit.T.astype(np.float64)
    np.fill_diagonal(scores, -2)
    expected = {}
    for word, row in zip(WORDS, scores, strict=True):
        near = [WORDS[i] for i in np.argsort(-row, kind="stable")[:3] if row[i] >= 0.5]
        if near:
            expected[word] = [word, *near]
    read = {}
    for line in exported(client, "synonyms", k="3", min_score="0.5").decode().splitlines():
        left, right = line.split(" => ")
        read[left.replace("\\", "", 1) if "\\," in left else left] = right.split(", ")
    plain = {word: near for word, near in expected.items() if not {"a,b", "back\\slash"} & set(near)}
    assert len(plain) > 100
    assert {word: read[word] for word in plain} == plain
    assert len(read) == len(expected)


def test_marks_of_the_format_are_escaped(client: httpx.Client) -> None:
    rules = exported(client, "synonyms", k="1", min_score="-1").decode()
    assert "\na\\,b => a\\,b, " in rules
    assert "\nback\\\\slash => back\\\\slash, " in rules


def test_synonyms_of_the_most_frequent_words_are_among_them(client: httpx.Client) -> None:
    rules = exported(client, "synonyms", k="50", min_score="-1", words="top:100").decode().splitlines()
    words = {word.replace("\\", "") for rule in rules for word in rule.partition(" => ")[2].split(", ")}
    assert len(rules) == 100
    assert words == {word.replace("\\", "") for word in WORDS[:100]}
