from __future__ import annotations

import pytest

from app.core.costs import publishing, training
from app.core.costs.publishing import expected_seconds, graph_bytes
from app.core.payloads import CorpusSource, TrainPayload
from app.core.table.limits import IndexLimits
from app.core.text import TextSpec


def test_steps_cost_what_they_multiply() -> None:
    seconds = expected_seconds(100_000, 300, IndexLimits(), threads=2, product_seconds=1e-11)
    assert list(seconds) == ["graph trial", "neighbor table", "graph", "files"]
    assert seconds["neighbor table"] == pytest.approx((100_000**2 / 2 * (300 * 0.6 + 20) + 100_000 * 400_000) * 1e-11)
    assert seconds["graph"] == pytest.approx(100_000 * 300 * 50_000 * 1e-11)
    scans = (100_000 / 512) * (100_000 * 300) * 2.5 * 1e-11
    assert seconds["graph trial"] == pytest.approx(seconds["graph"] / 64 + seconds["graph"] / 16 + scans)
    assert seconds["files"] == pytest.approx((100_000 * 300 * 4 + 100_000 * 50 * 8) / 300e6)


def test_a_graph_takes_memory_for_links_and_for_the_candidates_of_some_words() -> None:
    kept = 128 << 20
    assert graph_bytes(400_000, 100, IndexLimits()) == 400_000 * 450 + (1 << 17) * 1024 + 400_000 * 200
    assert graph_bytes(3_000_000, 300, IndexLimits()) == 3_000_000 * 450 + (1 << 17) * 1024 + kept
    assert graph_bytes(1000, 10, IndexLimits("graph")) == 1000 * (450 + 1024 + 20)
    assert graph_bytes(400_000, 100, IndexLimits("exact")) == graph_bytes(1000, 10, IndexLimits()) == 0


def test_vectors_that_are_turned_are_all_kept_unless_they_take_too_much() -> None:
    assert publishing.turned_bytes(1_000_000, 300) == 600_000_000
    assert publishing.turned_bytes(1 << 20, 512) == 1 << 30
    assert publishing.turned_bytes((1 << 20) + 1, 512) == publishing.PACKED_BYTES


def test_threads_share_table_and_graph() -> None:
    one, two = (expected_seconds(100_000, 300, IndexLimits(), threads=threads) for threads in (1, 2))
    assert two["neighbor table"] == pytest.approx(one["neighbor table"] / 2)
    assert two["graph"] == pytest.approx(one["graph"] / 2)
    assert two["files"] == one["files"]


@pytest.mark.parametrize(
    ("limits", "steps"),
    [
        (IndexLimits(), ["neighbor table", "files"]),
        (IndexLimits("exact", most_scanned=0), ["neighbor table", "files"]),
        (IndexLimits("graph"), ["neighbor table", "graph", "files"]),
        (IndexLimits(most_scanned=0), ["graph trial", "neighbor table", "graph", "files"]),
    ],
)
def test_a_graph_is_expected_where_one_is_built(limits: IndexLimits, steps: list[str]) -> None:
    assert list(expected_seconds(500, 10, limits, threads=2)) == steps


def test_a_large_vocabulary_is_told_to_take_longer_to_publish_than_to_train() -> None:
    """Twice the words of the same text are four times the pairs, as long as all of them are covered."""
    said = {"dim": 64, "epochs": 5, "min_count": 1, "threads": 1}
    corpus = CorpusSource(name="c", key="corpora/c", sha256="0", n_bytes=9_600_000)
    needed = []
    for n_words in (48_000, 96_000):
        chosen = said | {"max_words": n_words}
        payload = TrainPayload(corpus=corpus, algorithm="word2vec", hyperparameters=chosen, text=TextSpec())
        needed.append(training.needs(payload, 40_000_000, 1).seconds)
    pairs = (96_000**2 - 48_000**2) / 2 * (64 * publishing.NUMBER_PRODUCTS + publishing.PAIR_PRODUCTS)
    products = pairs + 48_000 * publishing.WORD_PRODUCTS
    written = 48_000 * (64 * 4 + 50 * 8) / publishing.FILE_BYTES_PER_SECOND
    assert needed[1] - needed[0] == pytest.approx(products * publishing.PRODUCT_SECONDS + written)
