"""Where the processes of jobs come from."""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, SpawnContext

CAN_FORK = sys.platform == "linux"
"""Elsewhere libraries of the system, such as Accelerate of macOS, do not bear it."""
FORKING: ForkServerContext | SpawnContext = (
    multiprocessing.get_context("forkserver") if CAN_FORK else multiprocessing.get_context("spawn")
)
"""Jobs are forked from a process that has imported all they need and run none of it: numba and FAISS hang or abort in
one that is forked after they were used, and to import and ready them takes longer than many a job."""
FORKING.set_forkserver_preload(
    ["trainer.work.child", "trainer.kernels.compiling", "trainer.work.kinds", "trainer.kernels.ready"]
)


def prepare() -> None:
    """Let the process that jobs are forked from import while the first job is waited for."""
    if CAN_FORK:
        forkserver.ensure_running()
