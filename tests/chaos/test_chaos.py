"""A short run of `python -m tests.chaos`, with all that can break."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import Asked, run


@pytest.mark.timeout(900)
def test_nothing_is_lost_whatever_breaks(tmp_path: Path) -> None:
    told = run(Asked(8.0, "postgres", "s3", seed=1), tmp_path)
    assert told.violations == []
    assert (told.figures["orphans"], told.figures["bytes left"]) == (0, 0)
    assert told.figures["versions"] >= 1
    assert told.figures["answers compared"] >= 1
