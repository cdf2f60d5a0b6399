"""How a GloVe training went so far, and its checkpoints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy.typing as npt

from app.core.table.arrays import FloatArray
from trainer.algorithms.glove.cooccurrence import CooccurrenceTable
from trainer.steps.checkpoint import Saver


@dataclass
class History:
    """Mean costs of the epochs that were run: of the trained cells, and of those held out."""

    costs: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    """Each as `app.core.history.Epoch`."""


class Saved:
    """What a checkpoint gave back, and what is saved: the table once it is counted, then parameters with it.

    A table of more than `most_table_bytes` is left out of checkpoints; it is counted again, to the same bits.
    """

    def __init__(self, saver: Saver, most_table_bytes: int) -> None:
        self._saver, self._most_table_bytes = saver, most_table_bytes
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._about_table: dict[str, Any] = {}
        self.table: CooccurrenceTable | None = None
        self.parameters: FloatArray | None = None
        self.history = History()
        loaded = saver.load()
        if loaded is not None:
            self._take(*loaded)

    def _take(self, arrays: dict[str, npt.NDArray[Any]], state: dict[str, Any]) -> None:
        if "row_starts" in arrays:
            about = state["table"]
            self.table = CooccurrenceTable(
                arrays["row_starts"],
                arrays["columns"],
                arrays["counts"],
                about["window"],
                about["symmetric"],
                about.get("weighting", "harmonic"),
            )
        self.parameters = arrays.get("parameters")
        self.history = History(**state["history"])

    def keep(self, table: CooccurrenceTable) -> None:
        """Save the table, unless it came from a checkpoint, and take it along in later saves."""
        if not self._saver.is_saving or table.columns.nbytes + table.counts.nbytes > self._most_table_bytes:
            return
        self._arrays = {"row_starts": table.row_starts, "columns": table.columns, "counts": table.counts}
        self._about_table = dict(zip(("window", "symmetric", "weighting"), table.counted, strict=True))
        if self.table is None:
            self._save({} if self.parameters is None else {"parameters": self.parameters}, self.history)

    def save_if_due(self, parameters: FloatArray, history: History) -> None:
        if self._saver.is_due():
            self._save({"parameters": parameters}, history)

    def _save(self, arrays: dict[str, npt.NDArray[Any]], history: History) -> None:
        self._saver.save(self._arrays | arrays, {"table": self._about_table, "history": asdict(history)})
