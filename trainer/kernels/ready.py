"""Imported by the process that jobs are forked from: numba gathers what it knows to compile.

It does so once a process, before the first kernel is compiled or comes from the cache, and takes half a second or more,
as long as many a job. Nothing is compiled here, and no thread is started but those that wait in libraries of matrices,
which expect forks. What there is by now is never garbage, and no job need go through it to find some: that
took a sixteenth of the time in which kernels are compiled.

Where SciPy is installed, which is nothing of ours, numba would import its linear algebra, so that kernels could call
`numpy.dot`. None does, and it took half of the time.
"""

import gc
import sys

from numba.core.registry import cpu_target

NEVER_CALLED = "scipy.linalg.cython_blas"

if is_new := NEVER_CALLED not in sys.modules:
    sys.modules[NEVER_CALLED] = None  # type: ignore[assignment] # as if it were not there
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
if is_new:
    del sys.modules[NEVER_CALLED]
gc.freeze()
