"""``python -m tests.attacks``: attack for longer than a suite may."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from tests.attacks.attack import CALLERS, application, attack, world

PHASES = ("examples", "coverage", "fuzzing", "stateful")


def main(
    examples: int = 100,
    seed: int = 1,
    seconds: int | None = None,
    caller: Annotated[list[str] | None, typer.Option()] = None,
    phase: Annotated[list[str] | None, typer.Option()] = None,
) -> None:
    n_faults = 0
    said: dict[str, Any] = {
        "seed": seed,
        "generation": {"max-examples": examples, "database": "none"},
        "phases": {each: {"enabled": not phase or each in phase} for each in PHASES},
    } | ({"max-time": seconds} if seconds else {})
    for name in caller or CALLERS:
        started = time.monotonic()
        with (
            tempfile.TemporaryDirectory() as folder,
            world(Path(folder)) as made,
            application(made, name) as (app, headers),
        ):
            found = attack(app, headers, said, typer.echo)
        typer.echo(
            f"{name}: {found.n_requests} requests to {len(found.operations)} operations in "
            f"{time.monotonic() - started:.0f} s, {sorted(found.statuses.items())}, {len(found.faults)} faults"
        )
        n_faults += len(found.faults)
    raise typer.Exit(n_faults > 0)


if __name__ == "__main__":
    typer.run(main)
