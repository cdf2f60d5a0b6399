"""A short run of `python -m tests.chaos` on each kind of database and storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import Asked, run


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("database", "storage"), [("sqlite", "folder"), ("postgres", "s3")])
def test_nothing_is_lost_whatever_breaks(tmp_path: Path, database: str, storage: str) -> None:
    told = run(Asked(8.0, database, storage, seed=1), tmp_path)
    assert told.violations == []
    assert (told.figures["orphans"], told.figures["bytes left"]) == (0, 0)
    assert told.figures["versions"] >= 1
    assert told.figures["answers compared"] >= 1
