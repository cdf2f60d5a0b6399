"""``wordkin jobs``: see, follow, cancel and delete them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command import completion
from app.command.failures import JobEnded
from app.command.options import DEFAULT_URL, AsJson, Limit, Url, Yes, client_of, url_again
from app.command.output import (
    ask_first,
    errors,
    note,
    say,
    say_json,
    say_members,
    say_more,
    say_table,
    size,
    warn,
    when,
)

if TYPE_CHECKING:
    from app.command.client import Client

app = typer.Typer(help="See, follow, cancel and delete jobs.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", autocompletion=completion.jobs, help="As listed.")]
State = Annotated[str | None, typer.Option(metavar="STATE", help="Only those that are queued, running, ...")]
Told = Callable[[dict[str, Any]], None]
MAX_NAMED = 3
SHOWN = ("id", "state", "model", "done", "version", "created")


@app.command("list")
def list_jobs(
    state: State = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", autocompletion=completion.models, help="Only those for this model.")
    ] = None,
    limit: Limit = 20,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    page = client_of(url).get("/jobs", state=state, model=model, limit=limit)
    if as_json:
        say_json(page)
    else:
        say_table([_row(job) for job in page["jobs"]], "There is no job.")
        say_more(page)


def _row(job: Mapping[str, Any]) -> dict[str, Any]:
    told = {**job, "done": f"{job['progress']:.0%}", "created": when(job["created_at"])}
    return {name: told[name] for name in SHOWN}


@app.command()
def show(job_id: Id, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show all that is known of a job."""
    job = client_of(url).get("/jobs", job_id)
    if as_json:
        say_json(job)
    else:
        say_members(job)


@app.command()
def follow(job_id: Id, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a progress bar until the job ends; exit code 0 if it succeeds. Ctrl-C ends only the showing."""
    follow_to_the_end(client_of(url), job_id, as_json=as_json)


def follow_to_the_end(client: Client, job_id: str, *, as_json: bool, told: Told | None = None) -> None:
    """Show what the job has come to, by `told` if it is given; raise `JobEnded` unless it succeeds."""
    try:
        note(f"job {job_id}")
        job = client.follow(job_id, errors)
    except KeyboardInterrupt:
        again = url_again(client.url)
        note(f"The job goes on. Follow it: wordkin jobs follow {job_id}{again}")
        note(f"Or end it:            wordkin jobs cancel {job_id}{again}")
        raise
    if job["state"] != "succeeded":
        raise JobEnded(job)
    if as_json:
        say_json(job)
    elif told:
        told(job)
    elif job["version"]:
        for found in (job["result"].get("rows") or {}).get("found", []):
            first = ", ".join(repr(row["word"]) for row in found["first"][:MAX_NAMED])
            note(f"{found['became']}: {found['n']:,} x {found['what']}, first {first}")
        for score in job["result"].get("scores", []):
            note(_score(score))
        say(f"{job['model']} version {job['version']} is published.")
        if debiasing := job["result"].get("debiasing"):
            say(debiasing["told"])
        for held in job["result"].get("held_back", []):
            warn(f"{(job['publish'] or {}).get('alias', 'latest')} stays where it is: {held['told']}")
    else:
        say_members(job["result"])


def _score(told: dict[str, Any]) -> str:
    """A score, beside what the parent of the version had."""
    now, before = (_number((part or {}).get("value")) for part in (told, told.get("before")))
    return f"{told['file']}: {told['metric']} {f'{before} -> ' if told.get('before') else ''}{now}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def submit(
    client: Client,
    submission: dict[str, Any],
    *,
    detach: bool,
    as_json: bool,
    alias: str | None = None,
    told: Told | None = None,
) -> None:
    """Submit a job, whose result `alias` shall name, if it is given, and follow it unless it is detached."""
    job = client.submit(submission | ({"publish": {"alias": alias}} if alias else {}))
    if expected := _expected(job["estimate"] or {}):
        note(f"expected: {expected}")
    if not detach:
        follow_to_the_end(client, job["id"], as_json=as_json, told=told)
    elif as_json:
        say_json(job)
    else:
        say(f"job {job['id']}; follow it: wordkin jobs follow {job['id']}{url_again(client.url)}")


def _expected(estimate: Mapping[str, Any]) -> str:
    """What is known of what a job needs."""
    seconds, memory, disk = (estimate.get(name) for name in ("seconds", "memory_bytes", "disk_bytes"))
    told = [
        f"{seconds:,.0f} s" if seconds is not None else "",
        f"{size(memory)} of memory" if memory else "",
        f"{size(disk)} of scratch space" if disk else "",
    ]
    return ", ".join(filter(None, told))


@app.command()
def cancel(job_id: Id, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Cancel a job: a queued one at once, a running one within about two seconds."""
    job = client_of(url).send("POST", "/jobs", job_id, "cancel").json()
    if as_json:
        say_json(job)
    else:
        say("It is cancelled." if job["state"] == "cancelled" else "It is told to end.")


@app.command()
def delete(job_id: Id, yes: Yes = False, url: Url = DEFAULT_URL) -> None:
    """Delete the record of a job that has ended. What it has published stays."""
    ask_first(f"Delete the record of job {job_id}?", yes=yes)
    client_of(url).send("DELETE", "/jobs", job_id)
