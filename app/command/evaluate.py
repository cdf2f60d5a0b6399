"""``wordkin evaluate``, ``compare`` and ``policy``: measure versions, and say what an alias asks of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command import completion
from app.command.failures import WrongUsage
from app.command.files import send
from app.command.jobs import submit
from app.command.options import DEFAULT_URL, AsJson, Detach, Url, client_of
from app.command.output import note, say, say_json, say_table
from app.core.names import reference, split_reference

if TYPE_CHECKING:
    from app.command.client import Client

Model = Annotated[str, typer.Argument(metavar="MODEL[@VERSION]", autocompletion=completion.models)]
Sets = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SET]...", help="Files of questions here, or names of uploaded ones; none: geometry only."),
]
Type = Annotated[
    str | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="similarity, analogy, outlier, categories, neighbors or words; default: by the first lines.",
    ),
]


def evaluate(
    model: Model,
    sets: Sets = None,
    kind: Type = None,
    compose: Annotated[
        bool,
        typer.Option("--compose", help="Ask for words, too, that the version composes."),
    ] = False,
    suite: Annotated[
        str | None, typer.Option(metavar="SUITE", help="bias: the sets are JSON files of word sets; none: all shipped.")
    ] = None,
    detach: Detach = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Ask a version sets of questions, or measure its bias, and keep what was found with it."""
    client = client_of(url)
    name, version = split_reference(model)
    said: dict[str, Any] = {"kind": "evaluate", "model": name, "version": version or "latest"}
    files = [_uploaded(client, each) for each in sets or []]
    if suite:
        said |= {"suite": suite} | ({"word_sets": files} if files else {})
    else:
        how = ({"type": kind} if kind else {}) | ({"oov": "compose"} if compose else {})
        said["sets"] = [{"file": file} | how for file in files]
    submit(client, said, detach=detach, as_json=as_json, told=lambda ended: say_result(ended["result"]))


def _uploaded(client: Client, named: str) -> str:
    """What the service calls a file, which is sent if it is one here."""
    if not Path(named).is_file():
        return named
    stored = send(client, Path(named))
    return reference(stored["name"], stored["revision"])


def say_result(result: dict[str, Any]) -> None:
    if "bias" in result:
        rows = [_bias_row(each) for each in result["bias"]]
        if all(not row["over seeds"] for row in rows):
            rows = [{name: value for name, value in row.items() if name != "over seeds"} for row in rows]
        say_table(rows, "The version has too few words of every test.")
        note("Tests whose words are missing were left out; the version's evaluations say which and why.")
    if result["scores"] or "bias" not in result:
        _say_scores(result["scores"])


def _bias_row(test: dict[str, Any]) -> dict[str, Any]:
    seeds = test.get("seeds")
    return {
        "test": test["test"],
        "effect size": f"{test['effect_size']:+.4f}",
        "p": f"{test['p_value']:.3g}",
        "p (Holm)": f"{test['p_adjusted']:.3g}",
        "over seeds": f"{seeds['least']:+.4f} to {seeds['greatest']:+.4f}" if seeds else "",
    }


def _say_scores(scores: list[dict[str, Any]]) -> None:
    rows = [
        {
            "set": each["file"],
            "type": each["type"],
            "metric": each["metric"],
            "score": "-" if each["value"] is None else f"{each['value']:.4f}",
            "covered": f"{each['n_covered']:,} of {each['n']:,}",
        }
        for each in scores
    ]
    say_table(rows, "Its geometry is measured; give files of questions for scores.")
    for each in scores:
        _say_found(each)
    if any(not each["n_covered"] for each in scores):
        note("Nothing of a set is covered: the version's text spec says how words are spelled, case too.")


def _say_found(score: dict[str, Any]) -> None:
    """How a set's words were found, where not all stand in the vocabulary."""
    found = score["found"]
    if found["tokenised"] + found["composed"]:
        left_out = ", which --compose asks for too" if score["oov"] == "reject" else ""
        note(
            f"{score['file']}: of {found['n']:,} words {found['exact'] + found['normalised']:,} are in the vocabulary, "
            f"{found['tokenised']:,} as the tokenizer reads them, {found['composed']:,} can be composed{left_out}."
        )


def compare(
    model: Annotated[str, typer.Argument(metavar="MODEL", autocompletion=completion.models)],
    a: Annotated[str, typer.Argument(metavar="A", help="Number or alias.")],
    b: Annotated[str, typer.Argument(metavar="B")] = "latest",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Compare two versions by the questions that both have answered."""
    compared = client_of(url).get("/models", model, "compare", a=a, b=b)
    if as_json:
        say_json(compared)
        return
    rows = [
        {
            "set": each["file"]["name"],
            "metric": each["metric"],
            f"version {compared['a']}": f"{each['a']:.4f}",
            f"version {compared['b']}": f"{each['b']:.4f}",
            "difference": f"{each['difference']:+.4f}",
            "95 % interval": f"{each['interval']['low']:+.4f} to {each['interval']['high']:+.4f}",
            "questions": f"{each['n_common']:,}",
        }
        for each in compared["sets"]
    ]
    if rows or not compared["bias"]:
        say_table(rows, "There is no set that both were evaluated with: wordkin evaluate MODEL@VERSION FILE")
    if compared["bias"]:
        say_table([_compared_test(each, compared) for each in compared["bias"]])


def _compared_test(test: dict[str, Any], compared: dict[str, Any]) -> dict[str, Any]:
    return {
        "test of bias": test["test"],
        f"version {compared['a']}": f"{test['a']:+.4f}",
        f"version {compared['b']}": f"{test['b']:+.4f}",
        "sign": "flips" if test["flips"] else "",
    }


def policy(
    model: Annotated[str, typer.Argument(metavar="MODEL", autocompletion=completion.models)],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="JSON with the new policy; default: show what it is.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Let aliases move freely again.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show or set what a version must show before an alias may name it."""
    client = client_of(url)
    if remove:
        client.send("DELETE", "/models", model, "policy")
        say(f"{model} has no policy.")
        return
    if file is None:
        say_json(client.get("/models", model, "policy"))
        return
    try:
        wanted = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WrongUsage(f"{file} is no JSON: {error}") from error
    say_json(client.send("PUT", "/models", model, "policy", json=wanted).json())
