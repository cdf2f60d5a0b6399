"""``wordkin train FILE``: check everything, upload, train, publish. Nothing is sent before all is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command import completion
from app.command.failures import WrongUsage
from app.command.jobs import submit
from app.command.options import DEFAULT_URL, Alias, AsJson, Detach, Url, client_of
from app.command.output import note, size
from app.core.names import composed, split_reference

if TYPE_CHECKING:
    from app.command.text_file import TextFile

File = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Text; .gz and .zst are understood.")
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", autocompletion=completion.models, help="Of the model; default: the file's."),
]
Corpus = Annotated[
    str | None,
    typer.Option(metavar="NAME", autocompletion=completion.corpora, help="Of the corpus; default: the model's."),
]
Algorithm = Annotated[
    str, typer.Option(metavar="NAME", autocompletion=completion.algorithms, help="word2vec, glove or fasttext.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", autocompletion=completion.assignments, help="A hyperparameter; may be repeated."
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=completion.presets,
        help="Of word2vec and fasttext: fast, quality, small-corpus; item2vec.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="KIND", help="plain, jsonl, csv, tsv, tokens, parquet; default: by the file."),
]
Field = Annotated[str | None, typer.Option(metavar="NAME", help="Field of JSON Lines, or column, with the text.")]
Separator = Annotated[str | None, typer.Option(metavar="CHARACTER", help="Between the items of tokens.")]
Encoding = Annotated[str, typer.Option(metavar="NAME", help="Of the text, such as cp949 or utf-16.")]
Tokenizer = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|JSON",
        help="words, whitespace for text that is tokenised, sentencepiece, mecab-ko, kiwi, icu, character-ngrams; "
        "or an object with its options.",
    ),
]
Case = Annotated[str | None, typer.Option(metavar="NAME", help="lower or keep.")]
Evidence = Annotated[
    bool, typer.Option("--evidence", metavar="", help="Store what contexts, explain and cooccurrence answer from.")
]
StopWords = Annotated[str | None, typer.Option(metavar="NAME", help="Of an uploaded file, a word a line: left out.")]
Phrases = Annotated[bool, typer.Option("--phrases", metavar="", help="Make frequent pairs one word, such as new_york.")]
Normalization = Annotated[str | None, typer.Option(metavar="NAME", help="nfc, nfkc_jamo_safe or none.")]
Replicas = Annotated[
    int, typer.Option(metavar="N", min=1, max=10, help="Train so often, and store how far neighbours agree.")
]
Swaps = Annotated[
    list[str] | None,
    typer.Option("--swap", metavar="WORD=WORD", help="Train on lines with these swapped, too; may be repeated."),
]
Align = Annotated[bool, typer.Option(help="Rotate onto the version before, so that stored vectors stay comparable.")]

Start = Annotated[
    str | None,
    typer.Option(metavar="MODEL[@VERSION]", autocompletion=completion.models, help="Go on from a version's vectors."),
]
Freeze = Annotated[
    list[str] | None,
    typer.Option(metavar="parent|WORD", help="With --start: what keeps its vectors; a word may be repeated."),
]
Anchor = Annotated[
    float | None, typer.Option(metavar="STRENGTH", min=0, help="With --start: how strongly words are held; 0: not.")
]
Priority = Annotated[
    int, typer.Option(metavar="N", min=-10, max=10, help="Higher ones begin first; above 0 needs a key of an admin.")
]
Continuable = Annotated[
    bool, typer.Option("--continuable", metavar="", help="Keep what --start needs to go on from the result exactly.")
]


def train(
    file: File,
    model: Model = None,
    corpus: Corpus = None,
    algorithm: Algorithm = "word2vec",
    set_: Assignments = None,
    preset: Preset = None,
    format_: Format = None,
    field: Field = None,
    separator: Separator = None,
    encoding: Encoding = "utf-8",
    tokenizer: Tokenizer = None,
    case: Case = None,
    normalization: Normalization = None,
    stop_words: StopWords = None,
    phrases: Phrases = False,
    replicas: Replicas = 1,
    swap: Swaps = None,
    align: Align = True,
    evidence: Evidence = False,
    start: Start = None,
    freeze: Freeze = None,
    anchor: Anchor = None,
    continuable: Continuable = False,
    priority: Priority = 0,
    alias: Alias = None,
    detach: Detach = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload a file, train on it with visible progress, publish the result as the model's next version."""
    from app.command.text_file import TextFile, named

    hyperparameters = _hyperparameters(algorithm, [*([f"preset={preset}"] if preset else []), *(set_ or [])])
    opened = TextFile.open(file, encoding)
    choices = {"tokenizer": _tokenizer(tokenizer), "case": case, "normalization": normalization}
    choices |= {"stop_words": stop_words, "phrases": {} if phrases else None}
    text = _text(opened, format_, separator if format_ == "tokens" else field, choices)
    model = named("--model", model) if model else _name_of(file)
    corpus = named("--corpus", corpus) if corpus else model
    submission = {
        "model": model,
        "corpus": corpus,
        "algorithm": algorithm,
        "hyperparameters": hyperparameters,
        "text": text,
        "replicas": replicas,
        "swap_pairs": [_pair(each) for each in swap or []],
        "align": align,
        "evidence": evidence,
        "start": _start(start, freeze, anchor),
        "continuable": continuable,
        "priority": priority,
    }
    client = client_of(url)
    described = client.upload(corpus, file, content_encoding=opened.content_encoding, encoding=encoding)
    n_words = described["n_words"]
    note(f"corpus {corpus}: {size(described['n_bytes'])}" + (f", {n_words:,} words" if n_words else ""))
    submit(client, submission, alias=alias, detach=detach, as_json=as_json)


def _tokenizer(said: str | None) -> Any:
    """Its name, or what stands in an object."""
    if said is None or not said.startswith("{"):
        return said
    try:
        return json.loads(said)
    except ValueError as error:
        raise WrongUsage(f"--tokenizer {said}: this is no JSON: {error}.") from error


def _pair(text: str) -> list[str]:
    first, is_pair, second = text.partition("=")
    if not is_pair:
        raise WrongUsage(f"--swap {text}: write WORD=WORD.")
    return [first, second]


def _start(version: str | None, freeze: list[str] | None, anchor: float | None) -> dict[str, Any] | None:
    """The version to go on from, as a job names it."""
    if version is None:
        if freeze or anchor is not None:
            raise WrongUsage("--freeze and --anchor need --start MODEL[@VERSION].")
        return None
    model, which = split_reference(version)
    frozen = {"freeze": "parent" if freeze == ["parent"] else freeze} if freeze else {}
    strength = {} if anchor is None else {"anchor_strength": anchor}
    return {"model": model, "version": which or "latest", **frozen, **strength}


def _hyperparameters(algorithm: str, assignments: list[str]) -> dict[str, Any]:
    from app.core.hyperparameters import ALGORITHMS
    from app.core.hyperparameters.assigned import assigned

    if algorithm not in ALGORITHMS:
        raise WrongUsage(f"--algorithm {algorithm}: there are {', '.join(ALGORITHMS)}.")
    try:
        return assigned(ALGORITHMS[algorithm], assignments)
    except ValueError as error:
        raise WrongUsage(f"--set: {error}") from error


def _text(file: TextFile, kind: str | None, name: str | None, choices: dict[str, Any]) -> dict[str, Any]:
    """How the file is read: as was said, or as it looks; and that is told."""
    from pydantic import ValidationError

    from app.command.text_file import CALLED, format_of
    from app.core.text import TextSpec

    found = kind or file.kind
    if kind is None and name and found == "plain":
        raise WrongUsage(f"--field {name}: {file.path.name} looks like plain lines; say --format jsonl, csv or tsv.")
    if found in ("jsonl", "csv", "tsv", "parquet"):
        name = name or _obvious_field(file, found)
    given = {option: value for option, value in choices.items() if value is not None}
    text = {"format": format_of(found, name), **given}
    try:
        spec = TextSpec.model_validate(text)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = wrong["loc"][0] if wrong["loc"] else "tokenizer"
        typed = given.get(str(place), found)
        raise WrongUsage(
            f"--{str(place).replace('_', '-')} {typed}: {wrong['msg'].removeprefix('Value error, ')}"
        ) from error
    file.check(spec)
    what = {"jsonl": "field", "csv": "column", "tsv": "column", "parquet": "column", "tokens": "separator"}.get(found)
    note(f"reading {file.path.name} as {CALLED[found]}" + (f"; {what} {name}" if what and name else ""))
    return text


def _obvious_field(file: TextFile, kind: str) -> str:
    from app.command.text_file import CALLED, USUAL_FIELD

    fields = file.fields(kind)
    if USUAL_FIELD in fields:
        return USUAL_FIELD
    if len(fields) != 1:
        listed = f"one of {', '.join(fields)}" if fields else "none that holds text was found"
        raise WrongUsage(f"{file.path.name} is {CALLED[kind]}; say with --field where the text is: {listed}.")
    return fields[0]


def _name_of(file: Path) -> str:
    from app.command.text_file import name_for

    name = name_for(file)
    if file.name != name and not composed(file.name).startswith(f"{name}."):
        note(f"{file.name!r} becomes the corpus and model {name}; --model NAME gives another name")
    return name
