"""Measures of bias of real vectors are the published numbers, where a folder has the vectors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.bias import rows_of

FOLDER = "WORDKIN_BIAS_DIR"


@pytest.mark.skipif(FOLDER not in os.environ, reason=f"{FOLDER} names no folder with the vectors of benchmarks/bias.py")
def test_published_numbers_are_reproduced(tmp_path: Path) -> None:
    rows = list(rows_of(Path(os.environ[FOLDER]), tmp_path))
    assert [row for row in rows if not row.is_met] == []
    assert len(rows) == 45
