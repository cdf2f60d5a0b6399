"""Where numba keeps compiled kernels: in a folder of their own for each revision of their sources.

Numba's cache watches the file of the function that it compiled, not the files of what was inlined into it. In one
folder for all revisions it would go on serving an edited callee as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from numba.core import config

SOURCES = Path(__file__).parent
KEPT_SECONDS = 7 * 86400.0
"""A folder of another revision that nobody has used for so long is removed."""


def revision() -> str:
    """A name that changes with any source of the kernels, and with what compiles them."""
    digest = hashlib.sha256(f"{version('numba')} {version('llvmlite')}".encode())
    for path in sorted(SOURCES.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def use_own_folder() -> None:
    """Let numba cache in this revision's folder, from here on; where none can be written, numba looks for a place."""
    name = f"kernels-{revision()}"
    for parent in _parents():
        folder = parent / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)  # says that it is in use
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            config.CACHE_DIR = str(folder)  # type: ignore[attr-defined] # numba sets its options by name
            _remove_unused(parent, name)
            return


def _parents() -> Iterator[Path]:
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(given)
        return
    yield SOURCES / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "wordkin"  # noqa: PTH111 (never raises)


def _remove_unused(parent: Path, name: str) -> None:
    for other in parent.glob("kernels-*"):
        with contextlib.suppress(OSError):  # another process may be removing it, too
            if other.name != name and other.stat().st_mtime < time.time() - KEPT_SECONDS:
                shutil.rmtree(other)
