"""Some numbers are multiplied first where that takes less time, and nothing that could be near is left out."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.table.arrays import FloatArray
from app.core.table.quantised import Quantised, quantise
from app.core.table.writing import normalise
from tests.published import random_vectors
from trainer.kernels.neighbors.products import AT_A_TIME, ONE
from trainer.publishing import leading
from trainer.publishing.candidates import PANEL
from trainer.publishing.leading import FEWEST_WORDS, Leading, Led, leading_of
from trainer.steps.crew import Crew

N_WORDS = 20_000


def pointing_one_way(n_words: int, dim: int) -> FloatArray:
    """Vectors of which a tenth of all directions, none of them an axis, hold nearly all."""
    spread = np.where(np.arange(dim) < dim // 10, 1.0, 0.03).astype(np.float32)
    directions = np.linalg.qr(random_vectors(dim, dim).astype(np.float64))[0]
    return normalise(((random_vectors(n_words, dim) * spread) @ directions).astype(np.float32))[0]


@pytest.mark.parametrize("encoding", [None, "int8"])
def test_what_few_directions_say_leads(encoding: str | None) -> None:
    unit_vectors = pointing_one_way(N_WORDS, 96)
    found = leading_of(Quantised(quantise(unit_vectors, "int8")) if encoding else unit_vectors, 50)
    assert found
    assert found.n_leading == 96 - 96 // AT_A_TIME * AT_A_TIME + AT_A_TIME
    assert np.allclose(found.rotation.T @ found.rotation, np.eye(96), atol=1e-12)
    lengths = np.linalg.norm((unit_vectors @ found.rotation)[:, : found.n_leading], axis=1)
    assert lengths.min() > 0.9


def test_where_nothing_leads_all_is_multiplied() -> None:
    assert leading_of(normalise(random_vectors(N_WORDS, 96))[0], 50) is None


def test_small_tables_and_long_or_short_vectors_are_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert leading_of(pointing_one_way(FEWEST_WORDS - 1, 96), 50) is None
    assert leading_of(pointing_one_way(N_WORDS, AT_A_TIME), 50) is None
    monkeypatch.setattr(leading, "MOST_DIMENSIONS", 95)
    assert leading_of(pointing_one_way(N_WORDS, 96), 50) is None


def test_what_would_take_too_much_memory_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "LEADING_BYTES", 2 * 96 * N_WORDS - 1)
    assert leading_of(pointing_one_way(N_WORDS, 96), 50) is None


@pytest.mark.parametrize(("dim", "n_leading"), [(7, 3), (100, 36), (96, 64), (33, 32)])
def test_leading_and_trailing_numbers_make_each_score_but_for_the_error(dim: int, n_leading: int) -> None:
    """And the trailing ones can add no more than the product of their lengths."""
    unit_vectors = pointing_one_way(PANEL + 100, dim)
    doubles = unit_vectors.astype(np.float64)
    rotation = np.linalg.eigh(doubles.T @ doubles)[1]
    with Crew(2) as crew:
        led = Led(unit_vectors, Leading(rotation, n_leading), crew)
    panels = [led.of(panel, np.empty(0, np.int32)) for panel in range(2)]
    n_words = len(unit_vectors)
    halves = [panel.leading.view(np.int16).reshape(*panel.leading.shape, 2) for panel in panels]
    first = np.concatenate([each.transpose(0, 2, 1, 3).reshape(PANEL, -1) for each in halves])[:n_words] / ONE
    last = np.concatenate([panel.trailing for panel in panels])[:n_words] / ONE
    assert last.shape[1] % AT_A_TIME == 0
    assert np.abs(first @ first.T + last @ last.T - doubles @ doubles.T).max() <= led.error < 1e-3
    lengths = np.concatenate([panel.lengths for panel in panels])
    assert (lengths[:n_words] >= np.linalg.norm(last, axis=1)).all()
    assert (lengths[:n_words] <= 1.001 * np.linalg.norm(last, axis=1)).all()
    assert (lengths[n_words:] == 0).all()
