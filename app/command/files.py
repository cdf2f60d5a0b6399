"""``wordkin files``: see and delete what was uploaded besides corpora."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.command import completion
from app.command.options import DEFAULT_URL, AsJson, Limit, Url, Yes, client_of
from app.command.output import ask_first, say, say_json, say_more, say_table, size, when

app = typer.Typer(help="See and delete files: vectors, word lists, evaluation sets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.files)]


@app.command("list")
def list_files(limit: Limit = 100, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List files by name."""
    page = client_of(url).get("/files", limit=limit)
    if as_json:
        say_json(page)
    else:
        say_table([_row(file) for file in page["files"]], "There is no file.")
        say_more(page)


def _row(file: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": file["name"],
        "revision": file["revision"],
        "size": size(file["n_bytes"]),
        "created": when(file["created_at"]),
    }


@app.command()
def upload(
    path: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Of the file; default: as it is called.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload a file that is no corpus: a lexicon, a list of words; .gz and .zst are unpacked."""
    from app.command.text_file import name_for, packing_of

    name = name or name_for(path)
    stored = client_of(url).upload(name, path, noun="files", content_encoding=packing_of(path))
    if as_json:
        say_json(stored)
    else:
        say(f"{name}@{stored['revision']}")


@app.command()
def show(name: Name, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show the revisions of a file, newest first."""
    revisions = client_of(url).get("/files", name, "revisions")
    if as_json:
        say_json(revisions)
    else:
        say_table([_row(revision) for revision in revisions["revisions"]], "There is no revision.")


@app.command()
def delete(
    name: Name,
    revision: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only this one, not the newest.")] = None,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Delete a file with all revisions, or an older revision. Versions that were made of it stay."""
    told = f"revision {revision} of the file {name}" if revision else f"the file {name} with all its revisions"
    ask_first(f"Delete {told}?", yes=yes)
    client_of(url).send("DELETE", "/files", name, *(["revisions", revision] if revision else []))
