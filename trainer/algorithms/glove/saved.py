"""How a GloVe training went so far, and its checkpoints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.algorithms.glove.cooccurrence import CooccurrenceTable
from trainer.steps.checkpoint import Checkpoints, Saver


@dataclass
class History:
    """Mean costs of the epochs that were run: of the trained cells, and of those held out."""

    costs: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)

    def has_stalled(self, patience: int | None) -> bool:
        """Whether none of the last `patience` epochs had a better held-out cost than all before."""
        if patience is None or len(self.held_out) <= patience:
            return False
        return min(self.held_out[-patience:]) >= min(self.held_out[:-patience])


class Saved:
    """What a checkpoint gave back, and what is saved: the table once it is counted, then parameters with it.

    A table of more than `most_table_bytes` is left out of checkpoints; it is counted again, to the same bits.
    """

    def __init__(self, checkpoints: Checkpoints | None, identity: str, most_table_bytes: int) -> None:
        self._saver, self._identity, self._most_table_bytes = Saver(checkpoints), identity, most_table_bytes
        self._is_saving = checkpoints is not None
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._about_table: dict[str, Any] = {}
        self.table: CooccurrenceTable | None = None
        self.parameters: npt.NDArray[np.float32] | None = None
        self.history = History()
        loaded = checkpoints.load() if checkpoints else None
        if loaded is not None and loaded[1].get("identity") == identity:
            self._take(*loaded)

    def _take(self, arrays: dict[str, npt.NDArray[Any]], state: dict[str, Any]) -> None:
        if "row_starts" in arrays:
            about = state["table"]
            self.table = CooccurrenceTable(
                arrays["row_starts"], arrays["columns"], arrays["counts"], about["window"], about["symmetric"]
            )
        self.parameters = arrays.get("parameters")
        self.history = History(**state["history"])

    def keep(self, table: CooccurrenceTable) -> None:
        """Save the table, unless it came from a checkpoint, and take it along in later saves."""
        if not self._is_saving or table.columns.nbytes + table.counts.nbytes > self._most_table_bytes:
            return
        self._arrays = {"row_starts": table.row_starts, "columns": table.columns, "counts": table.counts}
        self._about_table = {"window": table.window, "symmetric": table.symmetric}
        if self.table is None:
            self._save({} if self.parameters is None else {"parameters": self.parameters}, self.history)

    def save_if_due(self, parameters: npt.NDArray[np.float32], history: History) -> None:
        if self._saver.is_due():
            self._save({"parameters": parameters}, history)

    def _save(self, arrays: dict[str, npt.NDArray[Any]], history: History) -> None:
        state = {"identity": self._identity, "table": self._about_table, "history": asdict(history)}
        self._saver.save(self._arrays | arrays, state)
