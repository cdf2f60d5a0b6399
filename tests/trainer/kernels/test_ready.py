from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, sys
import trainer.work.kinds
before = set(sys.modules)
import trainer.kernels.ready
ready = set(sys.modules)
import numpy, numba
kernel = numba.njit(lambda numbers: numbers.sum())
numbers = numpy.arange(100.0).reshape(10, 10)
child = os.fork()
assert kernel(numbers) == 4950 and (numbers @ numbers)[0, 0] == 2850 and numpy.linalg.matrix_rank(numbers) == 2
assert not child or os.waitpid(child, 0)[1] == 0
print("numba.np.arraymath" in before, "numba.np.arraymath" in ready, "scipy.linalg" in ready)
import scipy.linalg.cython_blas
"""


def test_a_process_that_forks_jobs_knows_what_can_be_compiled() -> None:
    """Parent and child then compile and multiply, each by itself. SciPy, which takes long, is there for who asks."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == ["False True False"] * 2
