"""What a command prints: tables for people, JSON for programs. Words and names are never markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.command.failures import CommandFailed

console = Console()
errors = Console(stderr=True)

COUNTED = {"lines", "words", "size", "done"}
"""Columns of numbers that are written as people read them."""
WHOLE = {"id", "created"}
"""Columns that are copied or compared, and so never broken."""
PIPE_COLUMNS = 10_000
"""How wide a table may be that no terminal shows; a program that reads lines wants no line cut in two."""


def say(line: str) -> None:
    """Print a line as it is, however long."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def warn(line: str) -> None:
    """Print a line on standard error that no program reads."""
    errors.print(f"[yellow]warning:[/] {escape(line)}", highlight=False, soft_wrap=True)


def note(line: str) -> None:
    """Print a line on standard error, so that standard output has only the answer."""
    errors.print(line, markup=False, highlight=False, soft_wrap=True)


def say_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def say_more(page: Mapping[str, Any]) -> None:
    """Say that a list goes on."""
    if page["next"] is not None:
        note("There are more; --limit NUMBER shows them.")


def is_json_wanted() -> bool:
    return "--json" in sys.argv[1:]


def say_error(error: Exception) -> None:
    """Print what went wrong on standard error, as a problem document where the command was given ``--json``."""
    if is_json_wanted():
        problem = error.problem if isinstance(error, CommandFailed) else CommandFailed(str(error)).problem
        typer.echo(json.dumps(problem, ensure_ascii=False), err=True)
    else:
        errors.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)


def say_table(rows: Sequence[Mapping[str, Any]], if_none: str = "") -> None:
    """Print a row each under the names of their members, numbers to the right; or say that there is none."""
    if not rows:
        note(if_none)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, value in rows[0].items():
        is_number = isinstance(value, int | float) or name in COUNTED
        table.add_column(name, justify="right" if is_number else "left", overflow="fold", no_wrap=name in WHOLE)
    for row in rows:
        table.add_row(*(escape(shown(value)) for value in row.values()))
    screen = console if console.is_terminal else Console(width=PIPE_COLUMNS)
    screen.print(table)


def say_members(members: Mapping[str, Any]) -> None:
    """Print a line for each that is there."""
    for name, value in members.items():
        if value is not None:
            say(f"{name}: {shown(value)}")


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return f"{value:.4f}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def when(timestamp: str) -> str:
    """A time of the service as the clock on the wall shows it."""
    return datetime.fromisoformat(timestamp).astimezone().strftime("%Y-%m-%d %H:%M")


def size(n_bytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.1f} GB"


def number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def ask_first(question: str, *, yes: bool) -> None:
    """End the command unless the user, or ``--yes``, agrees."""
    if not yes:
        typer.confirm(question, abort=True, err=True)
