"""``wordkin export``: a version as a file of another program's format."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO
from urllib.parse import unquote

import typer

from app.command import completion
from app.command.failures import WrongUsage
from app.command.options import DEFAULT_URL, Url, client_of
from app.command.output import errors, say, size

if TYPE_CHECKING:
    import httpx

LATEST = "latest"
STANDARD_OUTPUT = "-"


def export(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL[@VERSION]", autocompletion=completion.models, help="A number or an alias."),
    ],
    format_: Annotated[
        str,
        typer.Option("--format", "-f", metavar="FORMAT", autocompletion=completion.export_formats, help="Of the file."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", dir_okay=False, help="- is standard output. Default: as it is named."
        ),
    ] = None,
    words: Annotated[str | None, typer.Option(metavar="top:N", help="Only the N most frequent words.")] = None,
    spaces: Annotated[
        str | None, typer.Option(metavar="replace", help="Write _ for white space that the format cannot hold.")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", metavar="NUMBER", help="Synonyms of a word, at most.")] = None,
    min_score: Annotated[float | None, typer.Option(metavar="COSINE", help="Of synonyms, the lowest.")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Write a version to a file that other programs read. The file is there when all of it is.

    A pipe is given it as it comes.
    """
    from app.core.names import split_reference

    name, version = split_reference(model)
    asked = {"format": format_, "words": words, "spaces": spaces, "k": k, "min_score": min_score}
    with client_of(url).streamed("/models", name, "versions", version or LATEST, "export", **asked) as response:
        if str(output) == STANDARD_OUTPUT:
            _copy(response, sys.stdout.buffer)
            return
        path = output or _named(response)
        if path.exists() and not path.is_file():
            with path.open("wb") as pipe:
                _copy(response, pipe)
            return
        _write(response, path.resolve())
    say(f"{path}: {size(path.stat().st_size)}")


def _named(response: httpx.Response) -> Path:
    """The file that the service names, here; it must not be there yet."""
    told = response.headers["Content-Disposition"]
    found = re.search(r"filename\*?=(?:UTF-8''|\")([^\";]+)", told)
    path = Path(Path(unquote(found[1]) if found else "export").name)
    if path.exists():
        raise WrongUsage(f"{path} is there already; say --output {path} to replace it.")
    return path


def _write(response: httpx.Response, path: Path) -> None:
    """Write beside the file and give it its name at the end; nothing stays of what was cut off."""
    if not path.parent.is_dir():
        raise WrongUsage(f"There is no folder {path.parent}.")
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            _copy(response, file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _copy(response: httpx.Response, file: BinaryIO) -> None:
    from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

    announced = response.headers.get("Content-Length")
    with Progress(DownloadColumn(), TransferSpeedColumn(), console=errors) as bar:
        task = bar.add_task("", total=int(announced) if announced else None)
        for piece in response.iter_bytes():
            file.write(piece)
            bar.advance(task, len(piece))
