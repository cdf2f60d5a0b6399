"""How long publishing a table will take: counts of multiplications, and how fast a machine does them."""

from __future__ import annotations

from app.core.table.limits import NEIGHBORS_BYTES, IndexLimits, n_covered

GRAPH_TRIAL, NEIGHBOR_TABLE, GRAPH, FILES = "graph trial", "neighbor table", "graph", "files"
"""The steps of publishing, in their order."""

PRODUCT_SECONDS = 2e-11
"""Of one multiplication in a product of matrices on one core, until a trainer tries its own."""
NUMBER_PRODUCTS, PAIR_PRODUCTS, WORD_PRODUCTS = 0.6, 20, 400_000
"""A number of a pair, an integer, takes so much of that; to look at a pair's score takes as long as so many
multiplications, to rank a word's candidates as so many."""
# Fitted to tables of 30,000 and 67,889 words x 100 and 200,000 x 64. Where some numbers say most of a score, a table
# takes less, down to two fifths; nobody knows that before there are vectors.
GRAPH_PRODUCTS = 50_000
"""A graph takes as long for each number of the table as so many multiplications."""
# 52,000 and 50,000 for 219,000 and 400,000 trained words x 100, 26,000 for 124,000 x 300; where near words are hard to
# tell from others, up to five times that, for 400,000 made-up vectors.
CANDIDATE_BYTES = 1024
"""Of the candidates of a word's neighbours, while they are searched for."""
PACKED_BYTES = 128 << 20
"""Of vectors that are kept as they are multiplied."""
LEADING_BYTES = 1 << 30
"""The most that vectors may take as integers of which some are multiplied first; all are kept then."""
GRAPH_WORD_BYTES, GRAPH_WORDS = 450, 1 << 17
"""Of the links of a word while a graph is put together, and how many words have candidates at a time."""
TRIED, TOGETHER = (64, 16), 32
"""One of so many words is in each graph that is tried first: four times as many in the second, as all are of these
twice over. They are groups of so many near words, each found by a scan for one of them."""
SCAN_PRODUCTS = 2.5
"""A number that is scanned takes as long as so many multiplications."""
FILE_BYTES_PER_SECOND = 300e6
"""Written, read for its digest, and put into storage."""


def graph_bytes(n_words: int, dim: int, limits: IndexLimits) -> int:
    """Memory that a graph takes while it is built, if one is; the vectors are read from the file."""
    if not limits.wants_graph(n_words * dim):
        return 0
    return n_words * GRAPH_WORD_BYTES + min(n_words, GRAPH_WORDS) * CANDIDATE_BYTES + packed_bytes(n_words, dim)


def integer_bytes(n_words: int, dim: int) -> int:
    """Of vectors as integers of 16 bits."""
    return n_words * dim * 2


def packed_bytes(n_words: int, dim: int) -> int:
    """Memory that vectors take as they are multiplied for a graph."""
    return min(PACKED_BYTES, integer_bytes(n_words, dim))


def turned_bytes(n_words: int, dim: int) -> int:
    """The same for the neighbour table, if some of their numbers are multiplied first."""
    n_bytes = integer_bytes(n_words, dim)
    return n_bytes if n_bytes <= LEADING_BYTES else PACKED_BYTES


def expected_seconds(
    n_words: int, dim: int, limits: IndexLimits, *, threads: int, product_seconds: float | None = None
) -> dict[str | None, float]:
    """Seconds of each step.

    Parameters
    ----------
    n_words, dim : of the table
    limits : what decides whether there will be a graph
    threads : all that share the work
    product_seconds : of one multiplication on all threads together
    """
    each = product_seconds if product_seconds is not None else PRODUCT_SECONDS / threads
    covered = n_covered(n_words, dim)
    n_bytes = n_words * dim * 4 + covered * NEIGHBORS_BYTES
    n_pairs = covered * (n_words - covered / 2)
    table = (n_pairs * (NUMBER_PRODUCTS * dim + PAIR_PRODUCTS) + covered * WORD_PRODUCTS) * each
    files = n_bytes / FILE_BYTES_PER_SECOND
    if not limits.wants_graph(n_words * dim):
        return {NEIGHBOR_TABLE: table, FILES: files}
    graph = n_words * dim * GRAPH_PRODUCTS * each
    scans = n_words / (TRIED[-1] * TOGETHER) * n_words * dim * SCAN_PRODUCTS * each
    trial = scans + sum(graph / step for step in TRIED)
    tried: dict[str | None, float] = {} if limits.requested == "graph" else {GRAPH_TRIAL: trial}
    return tried | {NEIGHBOR_TABLE: table, GRAPH: graph, FILES: files}
