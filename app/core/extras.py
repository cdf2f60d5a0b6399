"""Libraries that a plain installation does not have."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from app.core.errors import ExtraMissing


def load_extra(module: str, extra: str, what: str) -> Any:
    """A module of an extra's library; raises `ExtraMissing`."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ExtraMissing(f"{what} needs an extra: pip install 'wordkin[{extra}]'.", extra=extra) from error


def load_pyarrow(module: str = "pyarrow") -> Any:
    """The library that reads and writes Parquet, or a module of it, slow to import; raises `ExtraMissing`."""
    try:
        import_module("pyarrow")  # first: a module that is loaded is found without it
        return import_module(module)
    except ImportError as error:
        told = "Parquet and Arrow need an extra: pip install 'wordkin[parquet]'."
        raise ExtraMissing(told, extra="parquet") from error
