"""What a command prints: tables for people, JSON for programs. Words and names are never markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.command.failures import CommandFailed

console = Console()
errors = Console(stderr=True)

PIPE_COLUMNS = 10_000
"""How wide a table may be that no terminal shows; a program that reads lines wants no line cut in two."""

AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON, errors too.")]


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


def say_error(error: Exception) -> None:
    """Print what went wrong on standard error, as a problem document where the command was given ``--json``."""
    if "--json" in sys.argv[1:]:
        problem = error.problem if isinstance(error, CommandFailed) else CommandFailed(str(error)).problem
        typer.echo(json.dumps(problem, ensure_ascii=False), err=True)
    else:
        errors.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)


def say_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row each under the names of their members; numbers to the right."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, value in rows[0].items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(shown(value)) for value in row.values()))
    console.print(table, width=None if console.is_terminal else PIPE_COLUMNS)


def say_members(members: Iterable[tuple[str, Any]]) -> None:
    """Print a line for each that is there."""
    for name, value in members:
        if value is not None:
            say(f"{name}: {shown(value)}")


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return f"{value:.4f}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
