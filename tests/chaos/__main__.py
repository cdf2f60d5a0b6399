"""``python -m tests.chaos --seconds 600 --database postgres --storage s3``: the last line says what came of it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Asked, run


def main() -> int:
    """0 if nothing was violated; else 1, and what is left is kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=sys.modules["tests.chaos.run"].__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long things break (30)")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--storage", choices=["folder", "s3"], default="folder")
    parser.add_argument("--seed", type=int, default=1, help="what breaks when (1)")
    asked = Asked(**vars(parser.parse_args()))
    folder = Path(tempfile.mkdtemp(prefix="wordkin-chaos-"))
    told = run(asked, folder)
    print(json.dumps(vars(asked) | dict(sorted(told.figures.items())), indent=1))  # noqa: T201 (for who runs it)
    for violation in told.violations:
        print(f"violation: {violation}")  # noqa: T201 (for who runs it)
    if told.violations:
        print(f"what is left: {folder}")  # noqa: T201 (for who runs it)
    print(told.line)  # noqa: T201 (for who runs it)
    return 1 if told.violations else 0


if __name__ == "__main__":
    sys.exit(main())
