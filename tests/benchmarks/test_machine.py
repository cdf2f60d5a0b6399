from __future__ import annotations

import subprocess
import sys

from benchmarks.machine import peak_bytes


def test_the_peak_of_a_program_is_its_own_and_not_its_starters() -> None:
    held = bytearray(300 << 20)
    held[::4096] = b"x" * len(held[::4096])
    command = [sys.executable, "-c", "from benchmarks.machine import peak_bytes; print(peak_bytes())"]
    of_a_child = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert of_a_child < len(held) < peak_bytes()
