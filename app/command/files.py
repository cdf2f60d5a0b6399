"""``wordkin files``: upload, see and delete what is no corpus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command import completion, uploads
from app.command.options import DEFAULT_URL, AsJson, Limit, Url, Yes
from app.command.output import say, say_json, size, when

if TYPE_CHECKING:
    from app.command.client import Client

app = typer.Typer(help="See and delete files: vectors, word lists, evaluation sets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.files)]


@app.command("list")
def list_files(limit: Limit = 100, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List files by name."""
    uploads.say_page("files", "file", _row, limit=limit, url=url, as_json=as_json)


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
    resume: uploads.Resume = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload a file that is no corpus: a lexicon, a list of words; .gz and .zst are unpacked.

    It goes on by itself after a lost connection.
    """
    stored = uploads.send("files", path, name, resume=resume, url=url)
    if as_json:
        say_json(stored)
    else:
        say(f"{stored['name']}@{stored['revision']}")


def send(client: Client, path: Path) -> dict[str, Any]:
    """Upload a file under its own name; what the service says of it."""
    from app.command.text_file import name_for, packing_of

    name = name_for(path, "wordkin files upload FILE --name NAME")
    return client.upload(name, path, noun="files", content_encoding=packing_of(path))


@app.command()
def show(name: Name, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show the revisions of a file, newest first."""
    uploads.say_revisions("files", name, _row, url=url, as_json=as_json)


@app.command()
def delete(name: Name, revision: uploads.Revision = None, yes: Yes = False, url: Url = DEFAULT_URL) -> None:
    """Delete a file with all revisions, or an older revision. Versions that were made of it stay."""
    uploads.delete("files", "file", name, revision, yes=yes, url=url)
