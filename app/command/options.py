"""Options that many commands have, and the service that they ask."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated
from urllib.request import getproxies

import typer

if TYPE_CHECKING:
    from app.command.client import Client

DEFAULT_URL = "http://127.0.0.1:8000"
Url = Annotated[str, typer.Option(envvar="WORDKIN_URL", metavar="URL", help="Where the service is.")]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON, errors too.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask first.")]
Limit = Annotated[int, typer.Option(metavar="NUMBER", min=1, max=1000, help="At most so many.")]
Alias = Annotated[str | None, typer.Option(metavar="NAME", help="Moves to the result instead of latest.")]
Detach = Annotated[bool, typer.Option("--detach", metavar="", help="Print the job and end; it goes on.")]


def client_of(url: str) -> Client:
    from app.command.client import Client

    return Client(url)


def key_header() -> dict[str, str]:
    """What a service that asks for a key is sent; the key is no option, as others can see those of a process."""
    key = os.environ.get("WORDKIN_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


def needs_certificates(url: str) -> bool:
    """Whether certificates may be asked for on the way; reading all that are known takes longer than most answers."""
    return not url.lower().startswith("http:") or bool(getproxies())  # proxies may be reached by https


def url_again(url: str) -> str:
    """What a command that we advise needs to reach the same service."""
    return "" if url == DEFAULT_URL else f" --url {url}"
