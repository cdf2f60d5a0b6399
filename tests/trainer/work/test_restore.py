"""A version as a tar becomes the same version, bit by bit; an index from elsewhere is never opened."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.core.errors import VectorsUnreadable
from app.core.storage import Storage
from app.core.table.digests import digest_of
from app.core.table.limits import IndexLimits
from app.core.table.reading import open_table
from tests.published import random_vectors, write_version
from tests.trainer.work.conftest import opened
from tests.trainer.work.test_imported import run, source
from trainer.publishing.graph import INSERTED
from trainer.publishing.index import build_index
from trainer.steps.progress import ignore
from trainer.work.messages import Publishes

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "versions"
Change = Callable[[dict[str, Any]], object]


def published(folder: Path, limits: IndexLimits | None = None, n_words: int = 60) -> Path:
    words, lines = [f"word{i}" for i in range(n_words)], [["word0", "word1"], ["word2", "word3", "word0"]]
    write_version(folder, words, random_vectors(n_words, 8), limits=limits, lines=lines)
    return folder


def packed(folder: Path) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return stream.getvalue()


def changed(folder: Path, change: Change) -> Path:
    """The version with another manifest, whose digests are those of the files."""
    path = folder / "manifest.json"
    said = json.loads(path.read_bytes())
    for name in said["files"]:
        said["files"][name] = digest_of(folder / name).model_dump()
    change(said)
    path.write_text(json.dumps(said), encoding="utf-8")
    return folder


def restored(storage: Storage, tmp_path: Path, content: bytes, **said: Any) -> Publishes:
    return run(storage, tmp_path / "job", source(storage, "bundle", content), **said)


def test_a_version_comes_back_bit_by_bit(storage: Storage, tmp_path: Path) -> None:
    folder = published(tmp_path / "v")
    result = restored(storage, tmp_path, packed(folder))
    assert (result.told["format"], result.told["identical"], result.told["rows"]["n_words"]) == ("native", True, 60)
    for path in folder.iterdir():
        assert storage.read(f"versions/job-job/{path.name}") == path.read_bytes()
    table = opened(storage, tmp_path / "job", result)
    assert table.vocabulary.word(3) == "word3"
    assert table.evidence is not None
    assert table.evidence.cooccurrence(2, 3).count == 1


def test_a_quantised_version_comes_back_as_it_was(storage: Storage, tmp_path: Path) -> None:
    folder = tmp_path / "v"
    write_version(folder, [f"word{i}" for i in range(60)], random_vectors(60, 8), encoding="float16")
    result = restored(storage, tmp_path, packed(folder))
    assert (result.told["identical"], result.told["rows"]["n_words"]) == (True, 60)
    assert opened(storage, tmp_path / "job", result).arrays["unit_halves"].dtype == np.float16


def test_a_graph_is_built_anew_and_never_opened(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(faiss, "read_index")
    monkeypatch.delattr(faiss, "deserialize_index")
    folder = published(tmp_path / "v", IndexLimits("graph"), n_words=300)
    assert (folder / "index.faiss").exists()
    result = restored(storage, tmp_path, packed(folder))
    assert result.told["identical"] is True
    assert storage.read("versions/job-job/index.faiss") == (folder / "index.faiss").read_bytes()
    assert storage.read("versions/job-job/manifest.json") == (folder / "manifest.json").read_bytes()


def test_a_graph_that_was_inserted_word_by_word_is_built_so_again(storage: Storage, tmp_path: Path) -> None:
    """It comes back as it was: a version tells how its graph was built."""
    folder = published(tmp_path / "v", IndexLimits("graph"), n_words=300)
    vectors, limits = open_table(folder).unit_vectors, IndexLimits("graph")
    built = build_index(folder, vectors, limits, ignore, threads=2, parameters=INSERTED)
    assert built.parameters["ef_construction"] == 100
    changed(folder, lambda said: said.update(index=built.model_dump(mode="json")))
    result = restored(storage, tmp_path, packed(folder))
    assert result.told["identical"] is True
    assert storage.read("versions/job-job/index.faiss") == (folder / "index.faiss").read_bytes()


def test_a_graph_that_is_another_is_replaced(storage: Storage, tmp_path: Path) -> None:
    folder = published(tmp_path / "v", IndexLimits("graph"), n_words=300)
    built = (folder / "index.faiss").read_bytes()
    (folder / "index.faiss").write_bytes(b"cos\nsystem")
    result = restored(storage, tmp_path, packed(changed(folder, lambda said: said)))
    assert result.told["identical"] is False
    assert storage.read("versions/job-job/index.faiss") == built
    assert opened(storage, tmp_path / "job", result).manifest.index.kind == "hnsw"


def test_a_recall_that_is_not_the_graphs_is_replaced(storage: Storage, tmp_path: Path) -> None:
    folder = published(tmp_path / "v", IndexLimits("graph"), n_words=300)
    recall = json.loads((folder / "manifest.json").read_bytes())["index"]["recall_at_10"]
    changed(folder, lambda said: said["index"].update(recall_at_10=0.5))
    result = restored(storage, tmp_path, packed(folder))
    assert (result.told["identical"], result.manifest["index"]["recall_at_10"]) == (False, recall)


def test_an_import_may_ask_for_a_graph(storage: Storage, tmp_path: Path) -> None:
    result = restored(storage, tmp_path, packed(published(tmp_path / "v", n_words=300)), index="graph")
    assert (result.told["identical"], result.manifest["index"]["kind"]) == (False, "hnsw")
    assert opened(storage, tmp_path / "job", result).manifest.index.requested == "graph"


def _spoil(name: str, change: Callable[[np.ndarray], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        arrays = load_file(folder / "table.safetensors")
        change(arrays[name])
        save_file(arrays, folder / "table.safetensors")

    return spoil


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_spoil("unit_vectors", lambda rows: rows[7].fill(2)), "unit vector 7 is not of length 1"),
        (_spoil("unit_vectors", lambda rows: rows[7].fill(np.nan)), "unit vector 7 is not of length 1"),
        (_spoil("norms", lambda norms: norms[3:].fill(0)), "lengths of vectors that are not finite, or not above 0"),
        (_spoil("text_component", lambda component: component.fill(np.inf)), "the component of texts"),
        (_spoil("counts", lambda counts: counts[:].sort()), "the counts of words are not above 0 and ordered"),
        (_spoil("word_bytes", lambda word: word[:1].fill(255)), "'utf-8' codec can't decode"),
        (_spoil("word_bytes", lambda word: word[:10].__setitem__(slice(None), word[5:].repeat(1)[:10])), "comes twice"),
        (_spoil("word_slots", lambda slots: slots[:].sort()), "word_slots are not those of the words"),
        (_spoil("word_order", lambda order: order[:].sort()), "word_order is not the words' order"),
        (_spoil("neighbor_scores", lambda scores: scores[2:3, :1].fill(1)), "are not their cosines"),
        (_spoil("neighbor_ids", lambda ids: ids[2].fill(2)), "a word is its own neighbor"),
        (_spoil("neighbor_ids", lambda ids: ids[2].fill(3)), "or one is listed twice"),
        (_spoil("context_counts", lambda counts: counts.fill(0)), "contexts are not all counted"),
        (_spoil("context_ids", lambda ids: ids[2:3, :1].fill(-1)), "or stand behind those that are missing"),
        (_spoil("context_counts", lambda counts: counts[2:3, :1].fill(9)), "counted more often than its words"),
        (_spoil("pair_totals", lambda totals: totals[:1].fill(-1)), "the evidence has counts below 0"),
        (_spoil("word_offsets", lambda offsets: offsets[1:2].fill(0)), "word_offsets do not cut word_bytes into words"),
    ],
)
def test_a_table_that_is_not_sound_is_refused(
    storage: Storage, tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    folder = published(tmp_path / "v")
    spoil(folder)
    with pytest.raises(VectorsUnreadable, match=told):
        restored(storage, tmp_path, packed(changed(folder, lambda said: said)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda said: said.update(n_words=59), "do not fit each other"),
        (lambda said: said.update(n_words=10**12), "are more than table.safetensors can hold"),
        (lambda said: said.update(model="../m"), "String should match pattern"),
        (lambda said: said["files"]["table.safetensors"].update(sha256="0" * 64), "does not have the digest"),
        (lambda said: said["index"].update(recall_at_10=0.9), "An index that scans finds everything"),
        (lambda said: said["metrics"].update(x=float("nan")), "NaN, which is no number of JSON"),
        (lambda said: said["metrics"].update(x="\0"), "U\\+0000"),
        (lambda said: said["metrics"].update(x="\ud800"), "surrogates not allowed"),
        (lambda said: said.update(format_version=3), "Input should be 1 or 2"),
        (lambda said: said.clear(), "Field required"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(
    storage: Storage, tmp_path: Path, change: Change, told: str
) -> None:
    folder = changed(published(tmp_path / "v"), change)
    with pytest.raises(VectorsUnreadable, match=told):
        restored(storage, tmp_path, packed(folder))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("passwd", "'passwd' of 1 bytes is none of a bundle"),
        ("resources/../../passwd", "is none of a bundle"),
        ("resources/.hidden", "is none of a bundle"),
        ("resources/model", r"\['resources/model'\] is listed in manifest.json or in the tar, and not in both"),
        ("index.faiss", r"\['index.faiss'\] is listed"),
    ],
)
def test_members_that_no_version_has_are_refused(storage: Storage, tmp_path: Path, name: str, told: str) -> None:
    folder = published(tmp_path / "v")
    stream = io.BytesIO(packed(folder))
    with tarfile.open(fileobj=stream, mode="a") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(VectorsUnreadable, match=told):
        restored(storage, tmp_path, stream.getvalue())


def test_a_member_that_comes_twice_or_is_missing_is_refused(storage: Storage, tmp_path: Path) -> None:
    folder = published(tmp_path / "v")
    content = packed(folder)
    once = content[: content.rindex(b"table.safetensors\0")]
    with pytest.raises(VectorsUnreadable, match=r"The bundle has no table\.safetensors"):
        restored(storage, tmp_path, once + bytes(1024))
    with pytest.raises(VectorsUnreadable, match=r"'manifest\.json' .* came before"):
        run(storage, tmp_path / "again", source(storage, "twice", once + content))


@pytest.mark.parametrize("folder", sorted(GOLDEN.glob("*/*")), ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_what_older_releases_published_is_taken_back(storage: Storage, tmp_path: Path, folder: Path) -> None:
    result = restored(storage, tmp_path, packed(folder))
    is_flat = json.loads((folder / "manifest.json").read_bytes())["index"]["kind"] == "flat"
    kept = storage.read("versions/job-job/manifest.json") == (folder / "manifest.json").read_bytes()
    assert (result.told["identical"], kept or not is_flat) == (kept, True)
    assert opened(storage, tmp_path / "job", result).vocabulary.words() == open_table(folder).vocabulary.words()
