"""What ``wordkin corpora`` and ``wordkin files`` do alike: upload, list by name, show revisions, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.command.options import client_of
from app.command.output import ask_first, say_json, say_more, say_table

Row = Callable[[Mapping[str, Any]], dict[str, Any]]
"""What a table shows of an upload."""
Revision = Annotated[int | None, typer.Option(metavar="NUMBER", help="Only this one, not the newest.")]
Resume = Annotated[
    str | None, typer.Option(metavar="ID", help="Go on with an upload that was cut off, as the command said then.")
]


def send(nouns: str, path: Path, name: str | None, *, resume: str | None, url: str, **asked: str) -> dict[str, Any]:
    """Upload a file, by default under its own name, and go on after lost connections; what the service says of it."""
    from app.command import sending
    from app.command.text_file import name_for, packing_of

    name = name or name_for(path, "--name NAME")
    return sending.send(client_of(url), nouns, name, path, resume=resume, content_encoding=packing_of(path), **asked)


def say_page(nouns: str, noun: str, row: Row, *, limit: int, url: str, as_json: bool) -> None:
    """List them by name."""
    page = client_of(url).get(f"/{nouns}", limit=limit)
    if as_json:
        say_json(page)
    else:
        say_table([row(each) for each in page[nouns]], f"There is no {noun}.")
        say_more(page)


def say_revisions(nouns: str, name: str, row: Row, *, url: str, as_json: bool) -> None:
    """Show the revisions of one, newest first."""
    revisions = client_of(url).get(f"/{nouns}", name, "revisions")
    if as_json:
        say_json(revisions)
    else:
        say_table([row(each) for each in revisions["revisions"]], "There is no revision.")


def delete(nouns: str, noun: str, name: str, revision: int | None, *, yes: bool, url: str) -> None:
    """Delete one with all revisions, or an older revision."""
    ask_first(f"Delete {f'revision {revision} of ' if revision else ''}{noun} {name}?", yes=yes)
    client_of(url).send("DELETE", f"/{nouns}", name, *(["revisions", revision] if revision else []))
