"""How the cost of training grows: one thing varied at a time, numbers and bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.contest import Measurement
from benchmarks.machine import cores
from benchmarks.rows import Row

Train = Callable[[dict[str, Any], int], Measurement]


def growth(train: Train) -> list[Row]:
    """Train with each change and print tokens per second and seconds; one row each."""
    series: dict[str, list[tuple[str, dict[str, Any], int]]] = {
        "dim": [(str(dim), {}, dim) for dim in (25, 50, 100, 200, 300, 500)],
        "words": [(f"{n:,}", {"max_words": n}, 100) for n in (1_000, 5_000, 20_000)],
        "epochs": [(str(n), {"epochs": n}, 100) for n in (1, 2, 4)],
        "threads": [(str(n), {"threads": n}, 100) for n in range(1, cores() + 1)],
        "window": [(str(n), {"window": n}, 100) for n in (2, 5, 10)],
        "negatives": [(str(n), {"n_negatives": n}, 100) for n in (2, 5, 10, 20)],
    }
    rows = []
    for name, points in series.items():
        found = [(label, train(changes, dim)) for label, changes, dim in points]
        fastest = max(measurement.value for _, measurement in found)
        print(f"\n{name:>10}  thousand tokens/s  seconds")
        for label, measurement in found:
            bar = "#" * round(40 * measurement.value / fastest)
            print(f"{label:>10}  {measurement.value:17,.0f}  {measurement.notes['seconds']:7.2f}  {bar}", flush=True)
            case = f"growth-{name}-{label.replace(',', '')}"
            rows.append(Row(case, measurement.value, "thousand tokens/s", notes=measurement.notes))
    return rows
