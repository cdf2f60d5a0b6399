"""How a process that does nothing but serve uses its interpreter."""

from __future__ import annotations

import gc
import sys

GIL_SWITCH_SECONDS = 0.0002
"""A search thread needs the interpreter for moments only, some eight times a batch, and so does a thread that loads. At
the default of 5 ms a search waited 35 ms beside a busy event loop, four times as long as it searched."""


def for_start() -> None:
    """Call before the imports: short turns for threads, and no collections, which would find next to nothing.

    Imports took a sixth less time for that. structlog would import rich, where that is installed, to print tracebacks
    in a way that is not ours.
    """
    sys.setswitchinterval(GIL_SWITCH_SECONDS)
    gc.disable()
    sys.modules["rich"] = None  # type: ignore[assignment] # as if it were not there
    import structlog  # noqa: F401, PLC0415 (see above)

    del sys.modules["rich"]


def for_serving() -> None:
    """Call after the imports: collect again, but never among the modules.

    A full collection over all that was imported stops every request for tens of milliseconds.
    """
    gc.freeze()
    gc.enable()
