"""A version that goes on from another one: its words, its rows, its lineage."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.costs import EXPECTED
from app.core.errors import StepImpossible
from app.core.hyperparameters import ALGORITHMS, Word2VecHyperparameters
from app.core.payloads import CorpusSource, StartSource, TrainPayload, VersionSource
from app.core.storage import Storage
from app.core.table.arrays import PARENT_ROWS
from app.core.table.composing import composer_of
from app.core.table.continuation import CONTINUATION_FILE, read_continuation
from app.core.table.parts import Ngrams, Parts
from app.core.table.reading import Table, open_table
from app.core.text import TextSpec
from app.core.text.ngrams import ngram_hashes
from app.models.schemas import VersionDescription
from tests.published import random_vectors, write_version
from tests.trainer.work.conftest import context_in, opened, version_row
from trainer.algorithms import ALGORITHMS as TRAINED_BY
from trainer.algorithms.algorithm import Work
from trainer.corpus.encode import encode
from trainer.steps.progress import ignore
from trainer.work.composed import with_new_words
from trainer.work.forecast import Step
from trainer.work.kinds import train
from trainer.work.messages import Publishes
from trainer.work.start import Parent
from trainer.work.stored import store_version

DIM = 8


def text(words: list[str], n_lines: int, seed: int) -> bytes:
    """Words of one topic, ten of them, stand together."""
    rng = np.random.default_rng(seed)
    topics = len(words) // 10
    lines = [" ".join(words[rng.integers(topics) * 10 + i] for i in rng.integers(10, size=8)) for _ in range(n_lines)]
    return "\n".join(lines).encode()


FIRST = text([f"w{i}" for i in range(40)], 400, 1)
SECOND = text([f"w{i}" for i in range(20)] + [f"new{i}" for i in range(10)], 400, 2)


Expect = Callable[[Mapping[Step, float]], None]


def run(
    storage: Storage,
    folder: Path,
    corpus: bytes,
    start: VersionSource | None = None,
    expect: Expect | None = None,
    **said: Any,
) -> Publishes:
    key = f"corpora/{hashlib.sha256(corpus).hexdigest()[:8]}"
    storage.put_new(corpus, key)
    chosen = Word2VecHyperparameters(dim=DIM, epochs=2, min_count=2, threads=1, subsampling_threshold=0)
    from_version = {"freeze": said.pop("freeze", "none"), "anchor_strength": said.pop("anchor_strength", 0.5)}
    payload = TrainPayload(
        corpus=CorpusSource(name="c", key=key, sha256=hashlib.sha256(corpus).hexdigest(), n_bytes=len(corpus)),
        algorithm="word2vec",
        hyperparameters=chosen.model_dump(mode="json"),
        text=TextSpec(),
        start=StartSource(version=start, **from_version) if start else None,
        align=start,
        **said,
    )
    context = context_in(storage, folder, threads=1)
    return train.run(payload, replace(context, expect=expect) if expect else context)


def of(folder: Path, result: Publishes) -> VersionSource:
    prefix = f"versions/job-{folder.name}"
    return VersionSource(model="m", version=1, prefix=prefix, manifest_sha256=result.manifest_sha256)


class Versions:
    """A first version, and others that go on from it."""

    def __init__(self, storage: Storage, folder: Path, *, continuable: bool) -> None:
        self.storage, self.folder = storage, folder
        result = run(storage, folder / "first", FIRST, continuable=continuable)
        self.parent, self.first = of(folder / "first", result), opened(storage, folder / "first", result)

    def go_on(self, name: str, corpus: bytes = SECOND, **said: Any) -> tuple[Publishes, Table]:
        result = run(self.storage, self.folder / name, corpus, self.parent, **said)
        return result, opened(self.storage, self.folder / name, result)


def bits(table: Table, ids: Any) -> bytes:
    return bytes(table.unit_vectors[ids].tobytes() + table.norms[ids].tobytes())


def test_words_and_counts_are_united_and_the_lineage_says_so(storage: Storage, tmp_path: Path) -> None:
    versions = Versions(storage, tmp_path, continuable=True)
    result, table = versions.go_on("second", evidence=True)
    assert table.evidence is not None
    rows, first = table.arrays[PARENT_ROWS], versions.first
    assert [table.vocabulary.word(i) for i in rows.tolist()] == first.vocabulary.words()
    counts = {word.encode(): (FIRST + b"\n" + SECOND).split().count(word.encode()) for word in table.vocabulary.words()}
    assert table.vocabulary.counts.tolist() == list(counts.values()) == sorted(counts.values(), reverse=True)
    start = VersionDescription.of(version_row(result)).start
    assert start is not None
    assert start.parent == versions.parent.origin()
    assert start.words == {"known": 40, "new": 10, "composed": 0, "left_out": 0, "absent": 20, "frozen": 0}
    assert (start.anchor_strength, start.refitted) == (0.5, False)
    assert result.told["aligned"]["to"]["manifest_sha256"] == versions.parent.manifest_sha256
    assert CONTINUATION_FILE not in table.manifest.files


def test_words_are_swapped_in_what_is_gone_on_with(storage: Storage, tmp_path: Path) -> None:
    """Counts are those of the parent and of all lines that are trained on; its words keep their rows."""
    versions = Versions(storage, tmp_path, continuable=True)
    pairs = (("new1", "new2"), ("w1", "w30"))
    result, table = versions.go_on("second", swap_pairs=pairs, freeze=("w1",))
    partner = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    lines = [line.split() for line in SECOND.decode().split("\n")]
    again = [[partner.get(word, word) for word in line] for line in lines if partner.keys() & line]
    counts = Counter(FIRST.decode().split()) + Counter(word for line in (*lines, *again) for word in line)
    words = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    assert table.vocabulary.words() == words
    assert table.vocabulary.counts.tolist() == [counts[word] for word in words]
    rows, first = table.arrays[PARENT_ROWS], versions.first
    assert [words[i] for i in rows.tolist()] == first.vocabulary.words()
    assert result.told["swapped"]["n_lines_again"] == len(again) > 0
    frozen = first.vocabulary.ids()["w1"]
    assert bits(table, rows[frozen]) == bits(first, frozen)
    _, same = versions.go_on("nothing", b"once\n", swap_pairs=pairs)
    assert same.vocabulary.counts.tolist() == first.vocabulary.counts.tolist()


@pytest.mark.parametrize("continuable", [True, False])
def test_frozen_words_are_published_bit_for_bit(storage: Storage, tmp_path: Path, continuable: bool) -> None:
    versions = Versions(storage, tmp_path, continuable=continuable)
    result, table = versions.go_on("all", freeze="parent")
    assert bits(table, table.arrays[PARENT_ROWS]) == bits(versions.first, slice(None))
    assert result.told["aligned"]["left_out"] == "the words that it went on from stay where they were"
    assert result.manifest["origin"]["start"]["refitted"] is not continuable
    expected: list[float] = []
    _, table = versions.go_on(
        "some", freeze=("W3", "w5"), expect=lambda ahead: expected.append(ahead[Step("training")])
    )
    plain = EXPECTED["word2vec"](400 * 8, Word2VecHyperparameters(dim=DIM, epochs=2 if continuable else 3), 1)
    assert expected[-1] == pytest.approx(plain[None]), "an epoch more, where it is fitted anew"
    rows, ids = table.arrays[PARENT_ROWS], versions.first.vocabulary.ids()
    both = [ids["w3"], ids["w5"]]
    assert bits(table, rows[both]) == bits(versions.first, both)
    assert bits(table, rows[ids["w4"]]) != bits(versions.first, ids["w4"])
    with pytest.raises(StepImpossible, match=r"1 of 2 words are not in m@1: 'new1'\.") as raised:
        versions.go_on("none", freeze=("w1", "new1"))
    assert raised.value.members == {"missing": ["new1"]}


def test_a_corpus_that_adds_nothing_gives_the_same_table(storage: Storage, tmp_path: Path) -> None:
    versions = Versions(storage, tmp_path, continuable=True)
    _, table = versions.go_on("nothing", b"once\n")
    for name in ("unit_vectors", "norms", "counts", "word_bytes", "neighbor_ids", "neighbor_scores"):
        np.testing.assert_array_equal(table.arrays[name], versions.first.arrays[name], strict=True)
    assert table.arrays[PARENT_ROWS].tolist() == list(range(40))


def test_what_is_kept_turns_with_the_vectors(storage: Storage, tmp_path: Path) -> None:
    """So that products of both, which are all that a training knows, stay what they were."""
    versions = Versions(storage, tmp_path, continuable=True)
    products = []
    for align in ("turned", "as it was"):
        said = {} if align == "turned" else {"align": None}
        key = tmp_path / align.replace(" ", "-")
        start = versions.parent
        storage.put_new(SECOND, "corpora/s")
        payload = TrainPayload(
            corpus=CorpusSource(
                name="c", key="corpora/s", sha256=hashlib.sha256(SECOND).hexdigest(), n_bytes=len(SECOND)
            ),
            algorithm="word2vec",
            hyperparameters=Word2VecHyperparameters(dim=DIM, epochs=1, min_count=2, threads=1).model_dump(mode="json"),
            text=TextSpec(),
            start=StartSource(version=start, freeze="none", anchor_strength=0),
            continuable=True,
            **({"align": start} | said),
        )
        table = opened(storage, key, train.run(payload, context_in(storage, key, threads=1)))
        outputs = read_continuation(table.folder, 50, {"output_vectors": DIM})["output_vectors"]
        products.append((table.unit_vectors[:] * table.norms[:, None]) @ outputs.T)
    np.testing.assert_allclose(products[0], products[1], atol=1e-4)


def test_vectors_from_elsewhere_are_gone_on_from(storage: Storage, tmp_path: Path) -> None:
    """Here a version that says it was trained, of which there is nothing but vectors."""
    words = [f"w{i}" for i in range(20)]
    written = write_version(tmp_path / "made", words, random_vectors(20, DIM))
    stored = store_version(storage, "versions/job-made", tmp_path / "made", written)
    result = run(storage, tmp_path / "on", SECOND, of(tmp_path / "made", stored), freeze="parent")
    assert result.manifest["origin"]["start"]["refitted"]
    assert result.manifest["origin"]["start"]["words"]["known"] == 20


@pytest.mark.parametrize("algorithm", ["word2vec", "glove"])
@pytest.mark.parametrize("has_others", [True, False])
def test_new_words_begin_where_the_n_grams_of_the_version_compose_them(
    algorithm: str, has_others: bool, tmp_path: Path
) -> None:
    """Those of which it has half of the n-grams; so small a rate leaves all where it begins."""
    words = ["king", "kings", "berg", "bergs"]
    ngrams = Ngrams(min_n=3, max_n=5, n_buckets=10_007)
    keys = sorted({code % ngrams.n_buckets for word in words for code in ngram_hashes(word, 3, 5)})
    parts = Parts(ngrams, random_vectors(len(keys), DIM, seed=3), np.array(keys, np.int32))
    write_version(tmp_path / "parent", words, random_vectors(4, DIM), parts=parts)
    table = open_table(tmp_path / "parent")
    (tmp_path / "text").write_bytes(b"king bergking kingberg berg zzzzz\n" * 20)
    corpus = encode(tmp_path / "text", tmp_path, spec=TextSpec(), min_count=1, known=table.vocabulary)
    rate = {"learning_rate": 1e-12, "epochs": 1, "dim": DIM, "threads": 1}
    chosen = ALGORITHMS[algorithm].model_validate(rate)
    source = VersionSource(model="m", version=1, prefix="p", manifest_sha256="0" * 64)
    parent = Parent(table, StartSource(version=source, freeze="none", anchor_strength=0.5))
    start = parent.start(corpus, algorithm, chosen)
    if has_others:
        others = {name: np.ones((4, n), np.float32) for name, n in chosen.rows_beside.items()}
        start = with_new_words(replace(parent.start(corpus, "fasttext", chosen), others=others), corpus.vocabulary)
        assert {name: rows[4:].any() for name, rows in (start.others or {}).items()} == dict.fromkeys(others, False)
    found = TRAINED_BY[algorithm](Work(corpus, tmp_path, 1, ignore, None, start), chosen).arrays["vectors"]
    composer, ids = composer_of(table), corpus.vocabulary.ids()
    assert composer is not None
    for word in ("bergking", "kingberg"):
        composed = composer.compose(word)
        assert composed is not None
        np.testing.assert_allclose(found[ids[word]], composed.vector, atol=1e-5)
    np.testing.assert_allclose(found[ids["king"]], table.vector(0), atol=1e-5)
    assert np.abs(found[ids["zzzzz"]]).max() <= 1 / DIM, "which chance has placed"
    counted = parent.origin(start, corpus).words
    assert (counted["known"], counted["new"], counted["composed"]) == (4, 3, 2)
    assert len(parent.start(corpus, "fasttext", chosen).ids) == 4, "which composes words by itself"
