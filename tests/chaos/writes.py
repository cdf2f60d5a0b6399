"""Writes that fail, in every process of a fleet: the functions by which the product writes ask a file whether to."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

CONTROL = "CHAOS_WRITES"
"""Names the file that says what fails now; without the file nothing does."""
FOLDER = "WORDKIN_DATA_DIR"
"""Only what is written below it fails."""
KINDS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "fsync": errno.EIO, "rename": errno.EIO}


def fail(control: Path, kind: str, share: float) -> None:
    """Let this share of all writes of a kind fail until `heal`."""
    aside = control.with_suffix(".aside")
    aside.write_text(json.dumps([kind, share]))
    aside.rename(control)


def heal(control: Path) -> None:
    control.unlink(missing_ok=True)


def _fails(*kinds: str) -> int:
    """The number of the error with which a write of one of these kinds ends now; 0: it does not fail."""
    try:
        handle = os.open(os.environ[CONTROL], os.O_RDONLY)
    except (OSError, KeyError):
        return 0
    try:
        kind, share = json.loads(os.read(handle, 1000))
    finally:
        os.close(handle)
    return KINDS[kind] if kind in kinds and random.random() < share else 0


def _is_ours(path: Any) -> bool:
    return isinstance(path, str | Path) and str(path).startswith(os.environ.get(FOLDER, "\0"))


def install() -> None:
    """Put the failing functions into the place of those of the system and of the libraries."""
    _wrap(os, "fsync", lambda _: True, "fsync")
    for name in ("posix_fallocate", "sendfile"):
        _wrap(os, name, lambda *_: True, "full")
    _wrap(os, "mkdir", _is_ours_first, "full", "read-only")
    for name in ("rename", "replace"):
        _wrap(os, name, _is_ours_first, "rename", "read-only")
    _wrap(os, "unlink", _is_ours_first, "read-only")
    _wrap_open()
    _wrap_libraries()


def _is_ours_first(path: Any, *_: Any, **__: Any) -> bool:
    return _is_ours(path)


def _wrap(module: Any, name: str, concerns: Callable[..., bool], *kinds: str) -> None:
    original = getattr(module, name)

    def failing(*given: Any, **named: Any) -> Any:
        if concerns(*given, **named) and (number := _fails(*kinds)):
            raise OSError(number, os.strerror(number), str(given[0]))
        return original(*given, **named)

    setattr(module, name, failing)


def _wrap_open() -> None:
    """A file to be written cannot be opened on a disk that is read-only; on one that is full it takes nothing."""
    original = io.open

    def failing(file: Any, mode: str = "r", *given: Any, **named: Any) -> Any:
        if _is_ours(file) and set(mode) & set("wax+"):
            if number := _fails("read-only"):
                raise OSError(number, os.strerror(number), str(file))
            if _fails("full"):
                return on_a_full_disk(file, mode, *given, **named)
        return original(file, mode, *given, **named)

    io.open = failing
    builtins.open = failing


class _TakesNothing(io.FileIO):
    """A file that is made and keeps its name, for who writes it also renames, locks or removes it."""

    def write(self, _: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.name))


def on_a_full_disk(
    file: Any,
    mode: str,
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
) -> IO[Any]:
    """Open a file as `open` does, to be written where no room is left."""
    raw = _TakesNothing(file, mode.replace("b", "").replace("t", ""))
    if buffering == 0:
        return raw
    buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
    return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)


def _wrap_libraries() -> None:
    """Those that are not written in Python."""
    import obstore  # noqa: PLC0415 (only who installs this needs them)
    import safetensors.numpy  # noqa: PLC0415 (as above)
    from obstore.exceptions import GenericError  # noqa: PLC0415 (as above)
    from safetensors import SafetensorError  # noqa: PLC0415 (as above)

    def wrap(module: Any, name: str, error: type[Exception], *kinds: str) -> None:
        original = getattr(module, name)

        def failing(*given: Any, **named: Any) -> Any:
            if number := _fails(*kinds):
                raise error(f"{os.strerror(number)} (os error {number})")
            return original(*given, **named)

        setattr(module, name, failing)

    is_folder = not os.environ.get("WORDKIN_STORAGE_URL", "file:").partition("file:")[0]
    if is_folder:
        for name, kinds in {
            "put": ("full", "read-only", "rename"),
            "open_writer": ("full", "read-only"),
            "rename": ("rename", "read-only"),
            "delete": ("read-only",),
        }.items():
            wrap(obstore, name, GenericError, *kinds)
    wrap(safetensors.numpy, "save_file", SafetensorError, "full")
