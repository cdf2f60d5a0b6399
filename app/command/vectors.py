"""``wordkin import FILE``: upload vectors that come from elsewhere, and make a version of them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from app.command import completion
from app.command.client import Client
from app.command.failures import WrongUsage
from app.command.files import send
from app.command.jobs import submit
from app.command.options import DEFAULT_URL, Alias, AsJson, Detach, Url, client_of
from app.command.output import note, size

File = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, help="Vectors, also .gz and .zst; of Model2Vec, the folder.")
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", autocompletion=completion.models, help="Of the model; default: the file's."),
]
Format = Annotated[
    str, typer.Option("--format", metavar="NAME", autocompletion=completion.vector_formats, help="Of the file.")
]
Vocabulary = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", exists=True, dir_okay=False, help="A word a line, with its count or, for a matrix, alone."
    ),
]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--rows",
        metavar="WHAT=POLICY",
        autocompletion=completion.row_policies,
        help="What becomes of rows that are not as they should be; may be repeated.",
    ),
]
Text = Annotated[
    list[str] | None,
    typer.Option("--text", metavar="NAME=VALUE", help="How queries are read, such as case=lower; may be repeated."),
]
Licence = Annotated[str | None, typer.Option(metavar="NAME", help="Of the vectors, told with the version.")]
Origin = Annotated[str | None, typer.Option("--source", metavar="TEXT", help="Where the vectors come from.")]


def import_vectors(
    file: File,
    model: Model = None,
    format_: Format = "auto",
    vocabulary: Vocabulary = None,
    rows: Policies = None,
    text: Text = None,
    licence: Licence = None,
    source: Origin = None,
    alias: Alias = None,
    detach: Detach = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload word vectors, and publish them as the model's next version."""
    from app.command.text_file import name_for, named

    model = named("--model", model) if model else name_for(file.resolve())
    client = client_of(url)
    with _as_file(file) as path:
        if format_ == "auto":
            note(f"{file.name} looks like {_format_of(path)}")
        said: dict[str, Any] = {"kind": "import", "model": model, "format": format_, "file": _uploaded(client, path)}
    said |= {"rows": _assigned("--rows", rows), "licence": licence, "source": source}
    said |= {"text": {"normalization": "none", "case": "keep", "tokenizer": "whitespace"} | _assigned("--text", text)}
    if vocabulary:
        said["vocabulary"] = _uploaded(client, vocabulary)
    submit(client, said, alias=alias, detach=detach, as_json=as_json)


@contextmanager
def _as_file(path: Path) -> Iterator[Path]:
    """The file; of a folder of Model2Vec, a tar of what is read of it, under its name."""
    from app.core.vector_files import MODEL_FILE, STATIC_FOLDER, TOKENIZER_FILE

    if path.is_file():
        yield path
        return
    folders = [folder for folder in (path, path / STATIC_FOLDER) if (folder / MODEL_FILE).is_file()]
    if not folders:
        raise WrongUsage(f"{path.name} is a folder without the files of Model2Vec: model.safetensors, tokenizer.json.")
    with TemporaryDirectory() as folder:
        packed = Path(folder, path.resolve().name)
        with tarfile.open(packed, "w", format=tarfile.USTAR_FORMAT) as tar:
            for name in (name for name in (MODEL_FILE, TOKENIZER_FILE) if (folders[0] / name).is_file()):
                info = tarfile.TarInfo(name)  # of time 0 and user 0: the same folder is the same file
                info.size = (folders[0] / name).stat().st_size
                with (folders[0] / name).open("rb") as content:
                    tar.addfile(info, content)
        yield packed


def _format_of(file: Path) -> str:
    from app.command.text_file import unpacked
    from app.core.errors import VectorsUnreadable
    from app.core.vector_files import HEAD_BYTES, recognise

    with unpacked(file) as opened:
        head = opened.read(HEAD_BYTES)
    try:
        return recognise(head)
    except VectorsUnreadable as error:
        raise WrongUsage(f"{file.name}: {error}") from error


def _uploaded(client: Client, path: Path) -> str:
    """The file by its name and revision in the service."""
    stored = send(client, path)
    note(f"file {stored['name']}: {size(stored['n_bytes'])}")
    return f"{stored['name']}@{stored['revision']}"


def _assigned(option: str, assignments: list[str] | None) -> dict[str, str]:
    for each in assignments or []:
        if "=" not in each:
            raise WrongUsage(f"{option} {each}: write it as NAME=VALUE.")
    return dict(each.split("=", 1) for each in assignments or [])
