from __future__ import annotations

import pytest

from trainer.publishing.costs import expected_seconds, scaled
from trainer.publishing.index import IndexLimits


def test_steps_cost_what_they_multiply() -> None:
    seconds = scaled(100_000, 300, IndexLimits(), threads=2, product_seconds=1e-11)
    assert list(seconds) == ["neighbor table", "graph", "files"]
    assert seconds["neighbor table"] == pytest.approx((100_000**2 / 2 * 315 + 100_000 * 400_000) * 1e-11)
    assert seconds["graph"] == pytest.approx(100_000 * 300 * 90_000 * 2e-11)
    assert seconds["files"] == pytest.approx((100_000 * 300 * 4 + 100_000 * 50 * 8) / 300e6)


@pytest.mark.parametrize(
    ("limits", "has_graph"),
    [(IndexLimits(), False), (IndexLimits("exact", most_scanned=0), False), (IndexLimits("graph"), True)],
)
def test_a_graph_is_expected_where_one_is_built(limits: IndexLimits, has_graph: bool) -> None:
    assert ("graph" in expected_seconds(500, 10, 2, limits)) == has_graph
