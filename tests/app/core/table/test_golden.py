"""What was published once opens for ever: tables that each format's own release has written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from app.core.table.manifest import FORMAT_VERSION, MANIFEST_FILE, TrainedOrigin, parse_manifest
from app.core.table.reading import open_table
from app.serving.index import open_index
from tests.oracles import search as oracle

VERSIONS = Path(__file__).resolve().parents[3] / "data" / "versions"
FOLDERS = {path.parent.relative_to(VERSIONS).as_posix(): path.parent for path in VERSIONS.rglob(MANIFEST_FILE)}
MANIFEST_DIGESTS = {
    "format-1/flat": "990a809a18ce00eaf6c56beb7cda22c27cc277b3668f74091c39d57511011786",
    "format-1/graph": "0cfb6de975ee4a98f99df04907c1ed3419b72290d2bcb37c67e0171503530f05",
    "format-1/graph-with-vectors": "44c08c0a42c1779b68ec282203eafd92feda30e5e97c5ef461e70d1c180deb07",
    "format-2/flat": "b8bd09bd3db0663a542fa9bb7b5ff1cbc8c54bc801eaaa798a47e4a702f74676",
    "format-2/graph": "9e11c56c32fd1c0bc127477c3aa8d8c4f9a8aacd789febfb8802516e8ebd4e1f",
    "format-2/with-resources": "adc84adaa574e77c4cbc7ddce5483fef0ba97e233c28f0320fc507b13b901497",
}
VECTORS = np.random.default_rng(7).standard_normal((40, 8)).astype(np.float32)


def test_there_is_one_of_every_format() -> None:
    assert FOLDERS.keys() == MANIFEST_DIGESTS.keys()
    assert {name.split("/")[0] for name in FOLDERS} == {f"format-{n}" for n in range(1, FORMAT_VERSION + 1)}


@pytest.mark.parametrize("name", MANIFEST_DIGESTS)
def test_a_golden_version_opens_as_it_was_published(name: str) -> None:
    folder = FOLDERS[name]
    assert hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest() == MANIFEST_DIGESTS[name]
    table = open_table(folder, MANIFEST_DIGESTS[name])
    assert (table.lookup.find("왕"), table.lookup.find("quo'te"), table.lookup.find("nothing")) == (3, 11, None)
    assert table.vocabulary.words()[:5] == ["the", "of", "and", "왕", "여왕"]
    assert table.vocabulary.counts[:4].tolist() == [10_000, 5000, 3333, 2500]
    np.testing.assert_allclose([table.vector(i) for i in range(40)], VECTORS, rtol=1e-6)
    expected = oracle.nearest(VECTORS.tolist(), VECTORS[5].tolist(), {5}, 39)
    assert table.neighbors.ids[5].tolist() == [word for word, _ in expected]
    np.testing.assert_allclose(table.neighbors.scores[5], [score for _, score in expected], atol=1e-6)
    manifest = table.manifest
    assert (manifest.n_words, manifest.dim, manifest.counts_known) == (40, 8, True)
    assert isinstance(manifest.origin, TrainedOrigin)
    assert (manifest.origin.algorithm, manifest.origin.hyperparameters) == ("word2vec", {"dim": 8})
    assert (manifest.origin.corpus.n_tokens, manifest.origin.training) == (100, {"loss": 1.5})


@pytest.mark.parametrize("name", MANIFEST_DIGESTS)
def test_a_golden_index_finds_what_it_found(name: str) -> None:
    index = open_index(open_table(FOLDERS[name]))
    assert (index.graph is not None) == ("graph" in name)
    ids, scores = index.nearest(index.table.unit_vectors[5:6].astype(np.float64), 5, index.for_words)
    expected = oracle.nearest(VECTORS.tolist(), VECTORS[5].tolist(), set(), 5)
    assert ids[0].tolist() == [word for word, _ in expected]
    np.testing.assert_allclose(scores[0], [score for _, score in expected], atol=1e-6)


def test_a_resource_is_listed_with_its_digest() -> None:
    folder = FOLDERS["format-2/with-resources"]
    listed = open_table(folder).manifest.files["resources/pieces.model"]
    assert listed.sha256 == hashlib.sha256((folder / "resources" / "pieces.model").read_bytes()).hexdigest()


def test_both_formats_say_the_same_of_a_training() -> None:
    said = [json.loads((FOLDERS[f"format-{n}/flat"] / MANIFEST_FILE).read_bytes()) for n in (1, 2)]
    old, new = map(parse_manifest, said)
    assert (old.format_version, new.format_version) == (1, 2)
    assert (old.origin, old.counts_known, old.n_words) == (new.origin, new.counts_known, new.n_words)
    assert old.arrays is None
    assert new.arrays is not None
    assert new.arrays["unit_vectors"].model_dump() == {"dtype": "float32", "shape": [40, 8]}
