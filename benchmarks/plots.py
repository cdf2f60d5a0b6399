"""Plots of how something grows, as Mermaid draws them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

COLOURS = '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#4269d0, #d9822b, #3ca951"}}}}%%'
"""Mermaid's own first colour is nearly that of paper."""


def plot(name: str, labels: Sequence[str], unit: str, lines: Mapping[str, Sequence[float]]) -> None:
    """Print a plot of `lines`, by what each is, over the points `labels` of what is varied; a plot has no legend."""
    told = ", ".join(lines)
    highest = max(max(line) for line in lines.values())
    step = 10.0 ** (math.floor(math.log10(highest)) - 1)
    print(
        f"\n```mermaid\n{COLOURS}\nxychart-beta",
        f'title "{unit} by {name}: {told}"',
        f"x-axis {json.dumps(name)} {json.dumps(list(labels))}",
        f'y-axis "{unit}" 0 --> {math.ceil(highest / step) * step:g}',
        *(f"line {[float(f'{value:.4g}') for value in line]}" for line in lines.values()),
        sep="\n    ",
    )
    print("```", flush=True)
