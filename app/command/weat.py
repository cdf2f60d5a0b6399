"""``wordkin weat``: how much nearer words are to some words than to others."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.command import completion
from app.command.failures import WrongUsage
from app.command.options import DEFAULT_URL, AsJson, Url, client_of
from app.command.output import note, say, say_json, say_table

Words = list[str] | None


def _sets(name: str, what: str) -> Any:
    return typer.Option(name, metavar="WORD,WORD,...", help=f"A set of {what}; give it twice.")


def weat(
    test: Annotated[str | None, typer.Argument(metavar="[TEST]", help="WEAT1 to WEAT10, WEAT1-ko, ...")] = None,
    targets: Annotated[Words, _sets("--targets", "words that are compared")] = None,
    attributes: Annotated[Words, _sets("--attributes", "words that they are compared by")] = None,
    two_sided: Annotated[bool, typer.Option("--two-sided", metavar="", help="Count both directions in p.")] = False,
    max_missing: Annotated[float, typer.Option(metavar="SHARE", help="Of a set's words that may be missing.")] = 0.2,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Of what is drawn.")] = 0,
    model: Annotated[str | None, typer.Option(metavar="MODEL", autocompletion=completion.models)] = None,
    version: Annotated[str, typer.Option(metavar="VERSION", autocompletion=completion.versions)] = "latest",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Test whether words are nearer to some words than others are (WEAT): a shipped test, or sets of your own."""
    asked: dict[str, Any] = {"version": version, "max_missing": max_missing, "seed": seed}
    asked |= {"alternative": "two-sided" if two_sided else "greater"}
    asked |= {"model": model} if model else {}
    if test is not None:
        asked["test"] = test
    for name, given in (("targets", targets), ("attributes", attributes)):
        if given:
            asked[name] = [_words(each) for each in given]
    found = client_of(url).send("POST", "/weat", json=asked).json()
    if as_json:
        say_json(found)
        return
    _show(found)


def _words(given: str) -> list[str]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    if not words:
        raise WrongUsage(f"{given!r} has no words; write them as: king,lord,master")
    return words


def _show(found: dict[str, Any]) -> None:
    kind = "divisions" if found["is_exact"] else "drawn divisions"
    low, high = found["interval"]
    say(f"{found['model']} version {found['version']}")
    say(f"effect size: {found['effect_size']:.4f} ({found['deviation']}), 95 % interval {low:.2f} to {high:.2f}")
    counted = f"{found['n_as_extreme']:,} of {found['n_partitions']:,}"
    say(f"p ({found['alternative']}): {found['p_value']:.5g}, {counted} {kind}")
    if found["missing"]:
        note(f"missing: {', '.join(found['missing'])}")
    say_table([{"word": each["word"], "effect size": f"{each['effect_size']:+.3f}"} for each in found["words"]])
