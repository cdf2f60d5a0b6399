"""``wordkin webhooks``: make, list, test and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.command.failures import CommandFailed
from app.command.options import DEFAULT_URL, AsJson, Limit, Url, Yes, client_of
from app.command.output import ask_first, note, say, say_json, say_table, when

app = typer.Typer(help="Have other services told of jobs, versions and aliases.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="As listed.")]


@app.command()
def create(
    receiver: Annotated[str, typer.Argument(metavar="RECEIVER", help="URL; WORDKIN_WEBHOOK_HOSTS lists its host.")],
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Of messages, such as job.succeeded; default: the usual ones."),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Have messages sent to a URL, and print the secret that they are signed with, once."""
    wanted = {"url": receiver} | ({"types": types} if types else {})
    made = client_of(url).send("POST", "/webhooks", json=wanted).json()
    if as_json:
        say_json(made)
    else:
        note(f"webhook {made['id']}; keep the secret, it is never shown again.")
        say(made["secret"])


@app.command("list")
def list_webhooks(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List webhooks, the oldest first."""
    listed = client_of(url).get("/webhooks")
    if as_json:
        say_json(listed)
    else:
        say_table([_row(each) for each in listed["webhooks"]], "There is no webhook.")


def _row(webhook: Mapping[str, Any]) -> dict[str, Any]:
    state = "disabled" if webhook["disabled_at"] else "failing" if webhook["failing_since"] else ""
    shown = {name: webhook[name] for name in ("id", "url")} | {"types": ", ".join(webhook["types"])}
    return shown | {"state": state, "created": when(webhook["created_at"])}


@app.command()
def deliveries(webhook_id: Id, limit: Limit = 20, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List what was and will be sent to a webhook, newest first."""
    listed = client_of(url).get("/webhooks", webhook_id, "deliveries", limit=limit)
    names = ("id", "type", "state", "n_attempts", "outcome")
    if as_json:
        say_json(listed)
    else:
        say_table([{name: each[name] for name in names} for each in listed["deliveries"]], "Nothing was sent.")


@app.command("test")
def send_test(webhook_id: Id, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Send a message at once; one that is delivered enables a webhook again that was disabled."""
    told = client_of(url).send("POST", "/webhooks", webhook_id, "test").json()
    if as_json:
        say_json(told)
    elif told["delivered"]:
        say(f"Delivered: {told['outcome']}.")
    if not told["delivered"]:
        raise CommandFailed(f"Not delivered: {told['outcome']}.")


@app.command()
def delete(webhook_id: Id, yes: Yes = False, url: Url = DEFAULT_URL) -> None:
    """Send nothing more to a webhook."""
    ask_first(f"Delete the webhook {webhook_id}?", yes=yes)
    client_of(url).send("DELETE", "/webhooks", webhook_id)
