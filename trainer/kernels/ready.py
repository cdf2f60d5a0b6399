"""Imported by the process that jobs are forked from: numba gathers what it knows to compile.

It does so once a process, before the first kernel is compiled or comes from the cache, and takes half a second or more,
as long as many a job. Nothing is compiled here, and no thread is started but those that wait in libraries of matrices,
which expect forks. What there is by now is never garbage, and no job need go through it to find some: that
took a sixteenth of the time in which kernels are compiled.
"""

import gc

from numba.core.registry import cpu_target

cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
gc.freeze()
