"""``wordkin derive MODEL``: make a version of one that there is."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from app.command import completion
from app.command.failures import WrongUsage
from app.command.jobs import submit
from app.command.options import DEFAULT_URL, Alias, AsJson, Detach, Url, client_of
from app.core.names import split_reference

Model = Annotated[
    str, typer.Argument(metavar="MODEL[@VERSION]", autocompletion=completion.models, help="What is read first.")
]
Steps = Annotated[
    list[str],
    typer.Option(
        "--step",
        metavar="STEP[:NAME=VALUE,...]",
        autocompletion=completion.steps,
        help="Such as center, reduce:dim=100, hard or combine:with=general@2; may be repeated, done in order.",
    ),
]
Into = Annotated[str | None, typer.Option(metavar="NAME", help="The model that gets the result; default: the same.")]


def derive(
    model: Model,
    step: Steps,
    into: Into = None,
    alias: Alias = None,
    detach: Detach = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Center, whiten, reduce, prune, align, retrofit, combine or debias vectors, as a new version with its lineage."""
    name, version = split_reference(model)
    said: dict[str, Any] = {"kind": "derive", "model": name, "steps": [_step(each) for each in step]}
    said |= {"version": version or "latest", "into": into}
    submit(client_of(url), said, alias=alias, detach=detach, as_json=as_json)


def _step(text: str) -> dict[str, Any]:
    """``reduce:dim=100`` as the service reads it; lists have ``+`` between their values, groups are files by name."""
    name, _, rest = text.partition(":")
    members: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        member, is_value, value = part.partition("=")
        if not is_value:
            raise WrongUsage(f"--step {text}: write {part} as NAME=VALUE.")
        is_list = name == "combine" and member in {"with", "weights"}
        members[member] = [_value(each) for each in value.split("+")] if is_list else _value(value)
        if name == "leace" and member == "groups":
            members[member] = {each: each for each in value.split("+")}
    return {"step": name, **members}


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text
