"""Serving beside limits: a start beside that of the framework alone, memory at rest, filters beside no filter."""

from __future__ import annotations

from pathlib import Path

from app.core.table.reading import Table
from benchmarks import load
from benchmarks.questions import Questions
from benchmarks.rows import Row, row
from benchmarks.served import CONNECTIONS, Bench, serving, start_seconds

K = 60
"""More than are stored, so that all is scanned for."""
START, FILTER = 1.3, 1.5
"""So many times a bare application's start and an unfiltered scan's time are the limits."""
MEGABYTES = 90.0
"""Resident beside the table."""


def at_rest(bench: Bench, folder: Path, table: Table, questions: Questions, size: str) -> list[Row]:
    """The process that users run: until it answers, and what it holds then."""
    ours, bare = start_seconds(
        bench.starts,
        lambda: serving("shipped", folder, questions.first),
        lambda: serving("bare", folder, questions.first),
    )
    with serving("shipped", folder, questions.first) as server:
        resident, pages = server.resident_megabytes(), table.n_bytes / 1e6
    bare_told, told = f"a bare start takes {bare:.2f}", f"{resident:.0f} resident, {pages:.0f} of them the table"
    return [
        row("start", ours, f"{START} x bare FastAPI + numpy", START * bare, "s", less=True, quality=bare_told),
        row("memory", resident - pages, f"limit, {size}", MEGABYTES, "MB", less=True, quality=told),
    ]


def filters(bench: Bench, folder: Path, table: Table, questions: Questions) -> list[Row]:
    """Each filter beside a scan of all words, alone and under load."""
    n_words, counts = table.manifest.n_words, table.vocabulary.counts
    named = questions.words[:64]
    first = table.lookup.word(n_words // 2)
    given = {
        "max-rank": f"max_rank={n_words // 2}",
        "min-count": f"min_count={counts[n_words // 2]}",
        "prefix": f"prefix={first[:2]}",
        "prefix-rare": f"prefix={first[:4]}",
        "allow": "&".join(f"allow={word}" for word in named),
        "deny": "&".join(f"deny={word}" for word in named[:8]),
    }
    rows = []
    with serving("ours", folder, questions.first) as server:
        for connections in (1, CONNECTIONS):
            for name, parameters in given.items():
                free, filtered = (
                    [
                        load.get("/neighbors", word=word, k=K).replace(f"k={K}".encode(), told.encode())
                        for word in questions.words
                    ]
                    for told in (f"k={K}", f"k={K}&{parameters}")
                )
                theirs, ours = bench.compare((server, free), (server, filtered), connections=connections)
                peer = f"a scan for all, by {FILTER}"
                case = f"filter-{name}, {connections} at a time"
                rows.append(row(case, ours.per_second, peer, theirs.per_second / FILTER, "requests/s"))
    return rows
