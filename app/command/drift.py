"""``wordkin drift``: which words changed between two versions."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.command import completion
from app.command.options import DEFAULT_URL, AsJson, Url, client_of
from app.command.output import note, say, say_json, say_table


def drift(
    model: Annotated[str, typer.Argument(metavar="MODEL", autocompletion=completion.models)],
    before: Annotated[str, typer.Argument(metavar="FROM", help="Number or alias.")],
    after: Annotated[str, typer.Argument(metavar="TO")] = "latest",
    word: Annotated[str | None, typer.Option(metavar="WORD", help="Only this one, with its neighbours.")] = None,
    n: Annotated[int, typer.Option("-n", "--n", metavar="NUMBER", help="How many of the most changed words.")] = 20,
    min_count: Annotated[int, typer.Option(metavar="NUMBER", help="Rarer words are not considered.")] = 50,
    max_words: Annotated[int, typer.Option(metavar="NUMBER", help="The most frequent words considered.")] = 20_000,
    floor: Annotated[
        str | None, typer.Option(metavar="FLOOR", help="What is noise: replicas or estimated; default: what there is.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Find the words that changed most between two versions, with what they lost and gained."""
    told = {"word": word, "floor": floor}
    asked: dict[str, Any] = {"from": before, "to": after, "n": n, "min_count": min_count, "max_words": max_words}
    asked |= {name: value for name, value in told.items() if value is not None}
    report = client_of(url).get("/models", model, "drift", **asked)
    if as_json:
        say_json(report)
        return
    say(
        f"{report['model']} version {report['from']} to {report['to']}: {report['n_changed']:,} of "
        f"{report['n_considered']:,} words changed more than the floor ({report['floor']}); "
        f"overlap of neighbours {report['overlap_at_10']:.2f}; "
        f"{report['n_added']:,} words are new, {report['n_removed']:,} are gone"
    )
    if report["floor"] == "estimated":
        note("The floor is what is usual between these two versions: a word must change more than most others.")
    say_table([_row(each) for each in report["words"]])


def _row(word: dict[str, Any]) -> dict[str, Any]:
    return {
        "word": word["word"],
        "z": f"{word['z']:.1f}",
        "q": "" if word["q"] is None else f"{word['q']:.2g}",
        "shift": f"{word['shift']:.3f}",
        "aligned": f"{word['aligned']:.3f}",
        "lost": ", ".join(word["lost"]),
        "gained": ", ".join(word["gained"]),
    }
