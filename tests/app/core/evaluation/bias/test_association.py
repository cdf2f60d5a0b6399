from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from app.core.evaluation.bias.association import ect, mac, ripa, rnd
from tests.oracles import bias as oracle

FloatArray = npt.NDArray[np.float32]


@pytest.fixture
def sets() -> list[FloatArray]:
    """Two groups of six pairs and two sets of attributes, of all lengths."""
    rng = np.random.default_rng(5)
    return [(rng.standard_normal((n, 8)) * rng.uniform(0.5, 4, (n, 1))).astype(np.float32) for n in (6, 6, 9, 5)]


def test_measures_are_those_of_their_formulas(sets: list[FloatArray]) -> None:
    x, y, a, b = sets
    plain_x, plain_y, plain_a, plain_b = (rows.tolist() for rows in sets)
    assert ect(x, y, a) == pytest.approx(oracle.ect(plain_x, plain_y, plain_a), abs=1e-12)
    assert rnd(x, y, a) == pytest.approx(oracle.rnd(plain_x, plain_y, plain_a), abs=1e-12)
    expected = oracle.mac([plain_x, plain_y], [plain_a, plain_b])
    assert mac([x, y], [a, b]) == pytest.approx(expected, abs=1e-12)
    pairs = list(zip(plain_x, plain_y, strict=True))
    assert ripa(np.stack([x, y], axis=1), a) == pytest.approx(oracle.ripa(pairs, plain_a), abs=1e-12)


def test_values_where_nothing_or_everything_is_biased() -> None:
    x, y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    attributes = np.array([[1.0, 0.1], [0.5, 0.5], [0.1, 1.0]])
    assert ect(x, x, attributes) == pytest.approx(1.0)
    assert ect(x, y, attributes) == pytest.approx(-1.0)
    assert rnd(x, y, attributes) == pytest.approx(0.0)
    assert rnd(x, y, attributes[:1]) < 0 < rnd(x, y, attributes[2:])  # nearer to x, nearer to y
    assert mac([x], [x]) == pytest.approx(0.0)
    assert mac([x], [y]) == pytest.approx(1.0)
    assert ripa(np.array([[[3.0, 0.0], [1.0, 0.0]]]), np.array([[2.0, 7.0]])) == pytest.approx(2.0)
