"""What is damaged is not opened."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.core import catalog
from app.core.classifier.artefact import CLASSIFIER_FILE, read_classifier
from app.core.errors import TableDamaged
from app.core.records import ModelKind
from app.core.table.manifest import MANIFEST_FILE
from tests.classified import WORDS, sided, train_directly
from tests.published import World


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a classifier and the digest of its manifest."""
    world = World(tmp_path_factory.mktemp("world"))
    world.publish("m", WORDS, sided())
    train_directly(world)
    with world.database.reading() as session:
        version = catalog.get_version(session, "side", 1, ModelKind.CLASSIFIER)
    world.close()
    return world.storage.local_folder(version.prefix, [CLASSIFIER_FILE, MANIFEST_FILE]), version.manifest_sha256


def test_it_is_opened_with_read_only_arrays(stored: tuple[Path, str]) -> None:
    found = read_classifier(*stored)
    assert found.manifest.labels == ("neg", "pos")
    assert (found.weights.shape, found.word_weights) == ((2, 6), None)
    np.testing.assert_allclose(found.weights[0], -found.weights[1])
    with pytest.raises(ValueError, match="read-only"):
        found.weights[0, 0] = 1


def test_what_was_changed_is_refused(stored: tuple[Path, str], tmp_path: Path) -> None:
    folder, digest = stored
    content, said = (folder / CLASSIFIER_FILE).read_bytes(), json.loads((folder / MANIFEST_FILE).read_bytes())
    with pytest.raises(TableDamaged, match="digest it was published with"):
        read_classifier(folder, "0" * 64)
    for arrays, manifest, told in (
        (content[:-1] + b"x", said, "does not have the digest its manifest states"),
        (content, said | {"labels": ["neg", "pos", "more"]}, "weights has other numbers"),
        (content, said | {"features": "sif"}, "there are"),
        (content, said | {"kind": "else"}, "cannot be opened"),
    ):
        (tmp_path / CLASSIFIER_FILE).write_bytes(arrays)
        (tmp_path / MANIFEST_FILE).write_text(json.dumps(manifest))
        with pytest.raises(TableDamaged, match=told):
            read_classifier(tmp_path)
    assert read_classifier(folder, digest).manifest.classifier == "side"
