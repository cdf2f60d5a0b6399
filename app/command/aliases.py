"""Moving aliases of models and of classifiers, which have them alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.command.output import say, say_json

if TYPE_CHECKING:
    from app.command.client import Client


def aliases_shown(aliases: Mapping[str, int]) -> str:
    """As a table shows them."""
    return ", ".join(f"{alias} → {version}" for alias, version in aliases.items())


def earlier_versions(described: Mapping[str, Any]) -> list[int]:
    """The versions that an alias named before the one that it names now, the last first."""
    return [move["version"] for move in described["history"] if move["version"] != described["version"]]


def move(
    client: Client, which: tuple[str, str, str], target: Mapping[str, Any], etag: str | None, *, as_json: bool
) -> None:
    """Point an alias, which the path of its noun, a name and its own name tell, and say so."""
    path, name, alias = which
    headers = {"If-Match": etag} if etag else {}
    moved: dict[str, Any] = client.send("PUT", path, name, "aliases", alias, json=target, headers=headers).json()
    if as_json:
        say_json(moved)
    else:
        say(f"{name}@{alias} is version {moved['version']} now.")
