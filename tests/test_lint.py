"""What `make lint` checks, beside the other tests: types take a minute of one core, which would wait for no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHECKS = [["mypy"], ["ruff", "check", "."], ["ruff", "format", "--check", "."], ["lint-imports"]]


@pytest.mark.timeout(900)  # types took more than 300 s of a slow machine, beside the first tests and their kernels
@pytest.mark.parametrize("check", CHECKS, ids=" ".join)
def test_lint(check: list[str]) -> None:
    """Types, style, form and the contracts of imports."""
    command, *rest = check
    program, here = Path(sys.executable).parent / command, os.environ | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run([program, *rest], cwd=ROOT, env=here, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
