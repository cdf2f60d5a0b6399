"""``wordkin classifiers`` and ``wordkin classify``: train them, see what they are worth, roll back, ask them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.command import completion
from app.command.aliases import aliases_shown, earlier_versions, move
from app.command.failures import ServiceError, WrongUsage
from app.command.files import send
from app.command.jobs import submit
from app.command.options import DEFAULT_URL, Alias, AsJson, Detach, Url, Yes, client_of
from app.command.output import ask_first, say, say_json, say_members, say_table, when
from app.core.names import reference, split_reference

app = typer.Typer(help="Train classifiers of texts, see what they are worth, roll back, delete.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="CLASSIFIER", autocompletion=completion.classifiers)]
AliasName = Annotated[str, typer.Option("--alias", metavar="ALIAS", help="Which alias.")]


@app.command()
def train(
    name: Annotated[str, typer.Argument(metavar="CLASSIFIER", help="Gets the result as its next version.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled texts here, or the name of an uploaded file.")],
    model: Annotated[
        str,
        typer.Option(metavar="MODEL[@VERSION]", autocompletion=completion.models, help="Whose vectors it stands on."),
    ],
    text_field: Annotated[str, typer.Option(metavar="NAME", help="Member or column with the text.")] = "text",
    label_field: Annotated[str, typer.Option(metavar="NAME", help="The same of the label.")] = "label",
    group_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="The same of what errors are told apart by.")
    ] = None,
    features: Annotated[str, typer.Option(metavar="KIND", help="mean, sif, tfidf or mean-max-min.")] = "mean",
    alias: Alias = None,
    detach: Detach = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on labelled texts: JSON Lines, CSV or TSV."""
    client = client_of(url)
    stored = send(client, Path(file)) if Path(file).is_file() else None
    base, version = split_reference(model)
    said: dict[str, Any] = {"kind": "classifier", "name": name, "model": base, "version": version or "latest"}
    said |= {"file": reference(stored["name"], stored["revision"]) if stored else file, "features": features}
    said |= {"text_field": text_field, "label_field": label_field, "group_field": group_field}
    submit(client, said, alias=alias, detach=detach, as_json=as_json, told=_say_result)


def _say_result(job: dict[str, Any]) -> None:
    result = job["result"]
    say(f"{job['classifier']} version {result['version']} is published.")
    measured = {"classifier": result["scores"], **result["baselines"]}
    rows = [
        {"": each, "accuracy": f"{measured[each]['accuracy']:.4f}", "macro F1": f"{measured[each]['macro_f1']:.4f}"}
        for each in ("classifier", "tfidf", "majority")
    ]
    say_table(rows)
    interval = result["interval"]
    told = "It beats the baselines" if result["beats_baseline"] else "It does not beat the better baseline"
    say(f"{told}: {result['difference']:+.4f} ({interval['low']:+.4f} to {interval['high']:+.4f}) on texts held out.")


@app.command("list")
def list_classifiers(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List classifiers with what their aliases name."""
    listed = client_of(url).get("/classifiers")
    if as_json:
        say_json(listed)
        return
    rows = [
        {
            "classifier": each["name"],
            "aliases": aliases_shown(each["aliases"]),
            "newest": each["n_versions"],
            "loaded": ", ".join(map(str, each["loaded"])),
        }
        for each in listed["classifiers"]
    ]
    say_table(rows, "There is no classifier yet. Train one: wordkin classifiers train NAME FILE --model MODEL")


@app.command()
def show(
    name: Name,
    version: Annotated[int | None, typer.Option(metavar="NUMBER", help="All that its report has, as JSON.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a classifier's aliases and versions, newest first."""
    client = client_of(url)
    if version:
        say_json(client.get("/classifiers", name, "versions", version))
        return
    told = client.get("/classifiers", name)
    if as_json:
        say_json(told)
        return
    say_members({"classifier": told["name"], **{f"degraded {alias}": why for alias, why in told["degraded"].items()}})
    rows = [
        {
            "version": each["version"],
            "stands on": reference(each["base"]["model"], each["base"]["version"]),
            "features": each["features"],
            "labels": len(each["labels"]),
            "texts": f"{each['n_training']:,}",
            "accuracy": f"{each['accuracy']:.4f}",
            "beats baseline": "yes" if each["beats_baseline"] else "no",
            "named by": ", ".join(alias for alias, number in told["aliases"].items() if number == each["version"]),
            "created": when(each["created_at"]),
        }
        for each in told["versions"]
    ]
    say_table(rows, "It has no version.")


@app.command()
def rollback(
    name: Name,
    to: Annotated[int | None, typer.Option(metavar="VERSION", help="Default: where the alias pointed before.")] = None,
    alias: AliasName = "latest",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Point an alias at a version, by default back at the one that it named before."""
    client = client_of(url)
    before, etag = list[int](), None
    try:
        response = client.send("GET", "/classifiers", name, "aliases", alias)
        before, etag = earlier_versions(response.json()), response.headers["ETag"]
    except ServiceError as error:
        if error.problem["type"] != "/problems/version-not-found" or not to:
            raise
    if not (to or before):
        raise WrongUsage(f"{name}@{alias} has always been the same version; say where with --to.")
    move(client, ("/classifiers", name, alias), {"version": to or before[0]}, etag, as_json=as_json)


@app.command()
def delete(
    name: Name,
    version: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only this version.")] = None,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Delete a classifier with all that it has, or one version that no alias names."""
    ask_first(f"Delete {f'version {version} of ' if version else ''}classifier {name}?", yes=yes)
    client_of(url).send("DELETE", "/classifiers", name, *(["versions", version] if version else []))


def classify(
    classifier: Annotated[
        str, typer.Argument(metavar="CLASSIFIER[@VERSION]", autocompletion=completion.classifiers, help="Who is asked.")
    ],
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="One or more.")],
    explain: Annotated[bool, typer.Option("--explain", metavar="", help="Tell what each word adds.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Classify texts."""
    name, version = split_reference(classifier)
    asked = {"classifier": name, "version": version or "latest", "texts": texts, "explain": explain}
    answer = client_of(url).send("POST", "/classify", json=asked).json()
    if as_json:
        say_json(answer)
        return
    rows = []
    for text, result in zip(texts, answer["results"], strict=True):
        probability = f"{result['probabilities'][result['label']]:.3f}" if result["label"] is not None else "-"
        row = {"text": text, "label": result["label"] or "-", "probability": probability}
        if explain:
            row["words"] = ", ".join(
                f"{each['word']} {each['contribution']:+.3f}" for each in result.get("words") or []
            )
        rows.append(row)
    say_table(rows)
