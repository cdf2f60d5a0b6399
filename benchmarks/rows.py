"""Results, one form for all: ours beside a peer's, or ours alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of a table. A ratio above 1 means ours is better; `quality` is for readers, `details` for programs."""

    case: str
    ours: float
    unit: str
    peer: str | None = None
    theirs: float | None = None
    ratio: float | None = None
    quality: str = ""
    notes: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def ratio_of(ours: float, theirs: float, *, less: bool) -> float:
    """How much better ours is, where `less` is better or more."""
    better, worse = (theirs, ours) if less else (ours, theirs)
    return better / max(worse, 1e-9)  # nothing at all came back: JSON has no infinity


def row(case: str, ours: float, peer: str, theirs: float, unit: str, *, less: bool = False, quality: str = "") -> Row:  # noqa: PLR0913 (its columns)
    """A row, printed as soon as it is known."""
    ratio = ratio_of(ours, theirs, less=less)
    made = Row(case, round(ours, 2), unit, peer, round(theirs, 2), round(ratio, 2), quality)
    print(f"{case:28} {made.ours:>10} {unit:16} {peer:28} {made.theirs:>10} {made.ratio:>7} x  {quality}", flush=True)
    return made


def as_table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| case | unit | ours | peer | theirs | ratio | quality |", "|---|---|---|---|---|---|---|"]
    for each in rows:
        theirs = f"{each.theirs:,.2f}" if each.theirs is not None else ""
        ratio = f"{each.ratio:.2f}" if each.ratio is not None else ""
        cells = [each.case, each.unit, f"{each.ours:,.2f}", each.peer or "", theirs, ratio, each.quality]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_json(path: Path, machine: str, rows: Sequence[Row]) -> None:
    content = {"machine": machine, "rows": [asdict(each) for each in rows]}
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
