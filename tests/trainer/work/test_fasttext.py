"""A version of fastText composes words, also when it was turned onto the version before."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.hyperparameters import FastTextHyperparameters
from app.core.payloads import CorpusSource, StartSource, TrainPayload, VersionSource
from app.core.storage import Storage
from app.core.table.arrays import PARENT_ROWS
from app.core.table.composing import composer_of
from app.core.table.parts import Ngrams
from app.core.table.reading import Table
from app.core.text import TextSpec
from tests.trainer.work.conftest import context_in, opened
from tests.trainer.work.test_aligned import mean_cosine, of
from trainer.work.kinds import train
from trainer.work.messages import Publishes

CORPUS = b"sea seas seaside ship ships shipping\nking kings kingdom queen queens queenly\n" * 100
MORE = b"sea ship shipyard\nking kingship queen\n" * 100


def run(
    storage: Storage,
    folder: Path,
    seed: int,
    align: dict[str, Any] | None = None,
    corpus: bytes = CORPUS,
    **said: Any,
) -> tuple[Publishes, Table]:
    digest = hashlib.sha256(corpus).hexdigest()
    storage.put_new(corpus, f"corpora/{digest}")
    chosen = FastTextHyperparameters(dim=8, epochs=2, min_count=1, threads=1, seed=seed, subsampling_threshold=0)
    payload = TrainPayload(
        corpus=CorpusSource(name="c", key=f"corpora/{digest}", sha256=digest, n_bytes=len(corpus)),
        algorithm="fasttext",
        hyperparameters=chosen.model_dump(mode="json"),
        text=TextSpec(),
        align=VersionSource.model_validate(align) if align else None,
        **said,
    )
    result = train.run(payload, context_in(storage, folder, threads=1))
    return result, opened(storage, folder, result)


def cosines(table: Table, word: str) -> Any:
    """Of a word that is composed to all words."""
    composer = composer_of(table)
    assert composer is not None
    composed = composer.compose(word)
    assert composed is not None
    return table.unit_vectors[:] @ composed.direction


def test_the_rows_of_n_grams_are_published_and_turn_with_the_words(storage: Storage, tmp_path: Path) -> None:
    first, before = run(storage, tmp_path / "first", 1)
    _, alone = run(storage, tmp_path / "alone", 2)
    _, turned = run(storage, tmp_path / "turned", 2, of("first", first))
    assert turned.manifest.composition == Ngrams(min_n=3, max_n=6, n_buckets=2_000_000)
    assert mean_cosine(before, turned) > mean_cosine(before, alone) + 0.2
    np.testing.assert_allclose(cosines(turned, "seafaring"), cosines(alone, "seafaring"), atol=1e-5)
    assert composer_of(turned).compose("zzzz") is None  # type: ignore[union-attr] # it has one, as asserted above


@pytest.mark.parametrize("continuable", [True, False])
def test_it_goes_on_from_a_version(storage: Storage, tmp_path: Path, continuable: bool) -> None:
    first, before = run(storage, tmp_path / "first", 1, continuable=continuable)
    start = StartSource(version=VersionSource.model_validate(of("first", first)), freeze="parent", anchor_strength=0.5)
    result, after = run(storage, tmp_path / "second", 2, corpus=MORE, start=start)
    assert result.manifest["origin"]["start"]["refitted"] is not continuable
    rows = after.arrays[PARENT_ROWS]
    assert [after.vocabulary.word(i) for i in rows.tolist()] == before.vocabulary.words()
    assert after.unit_vectors[rows].tobytes() == before.unit_vectors[:].tobytes()
    assert sorted(set(after.vocabulary.words()) - set(before.vocabulary.words())) == ["kingship", "shipyard"]
    assert after.parts is not None
    assert before.parts is not None
    known = np.isin(after.parts.keys, before.parts.keys)
    assert after.parts.vectors[known].tobytes() == before.parts.vectors[:].tobytes(), "all are of frozen words"
    assert np.count_nonzero(~known) > 0
