"""``wordkin corpora``: upload, see, preview and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.command import completion, uploads
from app.command.failures import WrongUsage
from app.command.options import DEFAULT_URL, AsJson, Limit, Url, Yes, client_of
from app.command.output import number, say, say_json, say_members, size, when

app = typer.Typer(help="Upload, see and delete corpora.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.corpora)]


@app.command("list")
def list_corpora(limit: Limit = 100, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List corpora by name."""
    uploads.say_page("corpora", "corpus", _row, limit=limit, url=url, as_json=as_json)


def _row(corpus: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": corpus["name"],
        "revision": corpus["revision"],
        "lines": number(corpus["n_lines"]),
        "words": number(corpus["n_words"]),
        "size": size(corpus["n_bytes"]),
        "created": when(corpus["created_at"]),
    }


@app.command()
def upload(
    path: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Of the corpus; default: as the file.")] = None,
    encoding: Annotated[str, typer.Option(metavar="NAME", help="Of the text, such as cp949.")] = "utf-8",
    resume: uploads.Resume = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload a text without training on it; .gz and .zst are unpacked.

    It goes on by itself after a lost connection.
    """
    stored = uploads.send("corpora", path, name, resume=resume, url=url, encoding=encoding)
    if as_json:
        say_json(stored)
    else:
        say(f"{stored['name']}@{stored['revision']}: {size(stored['n_bytes'])}, {number(stored['n_words'])} words")


@app.command()
def show(name: Name, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show the revisions of a corpus, newest first."""
    uploads.say_revisions("corpora", name, _row, url=url, as_json=as_json)


@app.command()
def preview(
    name: Name,
    format_: Annotated[
        str, typer.Option("--format", metavar="KIND", help="plain, jsonl, csv, tsv, tokens or parquet.")
    ] = "plain",
    field: Annotated[str | None, typer.Option("--field", metavar="NAME", help="Field or column with the text.")] = None,
    separator: Annotated[str | None, typer.Option(metavar="CHARACTER", help="Between the items of tokens.")] = None,
    tokenizer: Annotated[
        str | None, typer.Option(metavar="NAME", help="As --tokenizer of train; an object as JSON says more.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show the words of the first lines, as a job will read them."""
    noun = {"jsonl": "field", "csv": "column", "tsv": "column", "parquet": "column"}.get(format_)
    if noun and not field:
        raise WrongUsage(f"--format {format_}: which {noun} has the text? Say it with --field NAME.")
    where = {noun: field} if noun else {}
    where |= {"separator": separator} if separator else {}
    where |= {"tokenizer": tokenizer} if tokenizer else {}
    told = client_of(url).get("/corpora", name, "preview", format=format_, **where)
    if as_json:
        say_json(told)
        return
    for line in told["lines"]:
        say(" ".join(line))
    if told["learned_from"] == "sample":
        say("The tokenizer was learned of the first megabyte; a job learns it of the whole corpus.")
    if told["n_rows"]:
        say_members({"rows": told["n_rows"], "rows without text": told["n_bad_rows"], "names": told["names"]})


@app.command()
def delete(name: Name, revision: uploads.Revision = None, yes: Yes = False, url: Url = DEFAULT_URL) -> None:
    """Delete a corpus with all revisions, or an older revision. Versions that were trained on it stay."""
    uploads.delete("corpora", "corpus", name, revision, yes=yes, url=url)
