"""``wordkin models``: see them, move aliases, roll back, delete."""

from __future__ import annotations

from typing import Annotated

import typer

from app.command import completion
from app.command.aliases import aliases_shown, earlier_versions, move
from app.command.failures import ServiceError, WrongUsage
from app.command.options import DEFAULT_URL, AsJson, Url, Yes, client_of
from app.command.output import ask_first, say, say_json, say_members, say_table, size, when
from app.core.names import split_reference

app = typer.Typer(help="See models, move their aliases, roll back, delete.", no_args_is_help=True)

Override = Annotated[
    str | None, typer.Option(metavar="REASON", help="Why, if the model's policy is against it; kept in the history.")
]
Model = Annotated[str, typer.Argument(metavar="MODEL", autocompletion=completion.models)]


@app.command("list")
def list_models(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List models with what their aliases name."""
    listed = client_of(url).get("/models")
    if as_json:
        say_json(listed)
        return
    rows = [
        {
            "model": model["name"],
            "aliases": aliases_shown(model["aliases"]),
            "newest": model["n_versions"],
            "loaded": ", ".join(map(str, model["loaded"])),
            "size": size(model["n_bytes"]),
        }
        for model in listed["models"]
    ]
    say_table(rows, "There is no model yet. Train one: wordkin train FILE")


@app.command()
def show(model: Model, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a model's aliases and versions, newest first."""
    told = client_of(url).get("/models", model)
    if as_json:
        say_json(told)
        return
    say_members({"model": told["name"], "aliases": aliases_shown(told["aliases"])})
    say_members({f"degraded {alias}": why for alias, why in told["degraded"].items()})
    rows = [
        {
            "version": version["version"],
            "algorithm": version["algorithm"] or version["origin"],
            "words": f"{version['n_words']:,}",
            "dim": version["dim"],
            "size": size(version["n_bytes"]),
            "created": when(version["created_at"]),
        }
        for version in told["versions"]
    ]
    say_table(rows, "It has no version.")


@app.command()
def card(
    model: Annotated[str, typer.Argument(metavar="MODEL[@VERSION]", autocompletion=completion.models)],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Print a version's card, Markdown: what it was made of and how, its scores, what it is meant for."""
    name, version = split_reference(model)
    form = "json" if as_json else "markdown"
    response = client_of(url).send(
        "GET", "/models", name, "versions", version or "latest", "card", params={"format": form}
    )
    if as_json:
        say_json(response.json())
    else:
        say(response.text.rstrip())


@app.command()
def about(
    model: Model,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is.")] = None,
    intended_use: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is good for.")] = None,
    limitations: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is not good for.")] = None,
    licence: Annotated[str | None, typer.Option(metavar="TEXT", help="Of the vectors.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Say what a model is meant for, as its cards repeat it; "" takes a text back."""
    said = {
        "description": description,
        "intended_use": intended_use,
        "limitations": limitations,
        "licence": licence,
    }
    given = {name: text or None for name, text in said.items() if text is not None}
    if not given:
        raise WrongUsage("Say something, such as --intended-use 'Search in our help pages.'")
    told = client_of(url).send("PATCH", "/models", model, json=given).json()
    if as_json:
        say_json(told)
    else:
        say_members({name.replace("_", " "): told[name] for name in said})


@app.command()
def alias(
    model: Model,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ALIAS", autocompletion=completion.aliases, help="Such as production; it is made where it is new."
        ),
    ],
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Its number.")],
    override: Override = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Point an alias at a version."""
    client = client_of(url)
    try:
        etag = client.send("GET", "/models", model, "aliases", name).headers["ETag"]
    except ServiceError as error:
        if error.problem["type"] != "/problems/version-not-found":
            raise
        etag = None
    move(client, ("/models", model, name), {"version": version, "override": override}, etag, as_json=as_json)


@app.command()
def rollback(
    model: Model,
    to: Annotated[int | None, typer.Option(metavar="VERSION", help="Default: where the alias pointed before.")] = None,
    name: Annotated[
        str, typer.Option("--alias", metavar="ALIAS", autocompletion=completion.aliases, help="Which alias.")
    ] = "latest",
    override: Override = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Point an alias back at the version that it named before; no request fails meanwhile."""
    client = client_of(url)
    response = client.send("GET", "/models", model, "aliases", name)
    described = response.json()
    before = earlier_versions(described)
    if not (to or before):
        raise WrongUsage(f"{model}@{name} has always been version {described['version']}; say where with --to.")
    target = {"version": to or before[0], "override": override}
    move(client, ("/models", model, name), target, response.headers["ETag"], as_json=as_json)


@app.command()
def delete(
    model: Model,
    version: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only this version.")] = None,
    name: Annotated[
        str | None, typer.Option("--alias", metavar="ALIAS", autocompletion=completion.aliases, help="Only this alias.")
    ] = None,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Delete a model with all that it has, one version that no alias names, or one alias."""
    if version and name:
        raise WrongUsage("Give --version or --alias, not both.")
    part = ["versions", version] if version else ["aliases", name] if name else []
    what = f"version {version} of model" if version else f"alias {name} of model" if name else "model"
    ask_first(f"Delete {what} {model}?", yes=yes)
    client_of(url).send("DELETE", "/models", model, *part)
