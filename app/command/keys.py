"""``wordkin keys``: make, list, rotate and revoke them, in the database itself: who can reach that needs no key."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from app.command.failures import CommandFailed, WrongUsage
from app.command.options import AsJson, Limit, Yes
from app.command.output import ask_first, note, say, say_json, say_table, when

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.core.records import ApiKey

app = typer.Typer(
    help="Make, list, rotate and revoke keys, in the database that the settings name.", no_args_is_help=True
)

Id = Annotated[str, typer.Argument(metavar="ID", help="As listed.")]
OURS = "command line"
LIMITS = ("max_bytes", "max_jobs", "max_cost")
MOST, MOST_JOBS = (1 << 63) - 1, (1 << 31) - 1


@contextmanager
def _session(did: str | None = None) -> Iterator[Session]:
    """A transaction, with an entry in the audit if something is done."""
    from app.core.access import audit
    from app.core.database import Database
    from app.core.errors import WordkinError
    from app.core.settings import Settings

    settings = Settings.of_process()
    with closing(Database(settings.database, timeout_seconds=settings.database_timeout_seconds)) as database:
        try:
            with database.transaction() as session:
                session.info["key_secret"] = settings.key_secret
                yield session
                if did:
                    deed = audit.Deed(OURS, _user(), None, "CLI", f"wordkin keys {did}", None)
                    audit.end(session, audit.begin(session, deed), 200)
        except WordkinError as error:
            raise CommandFailed(error.detail) from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        return "unknown"


def _secret(session: Session) -> bytes:
    from app.core.access import keys

    return keys.secret_of(session, session.info["key_secret"])


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.")],
    scope: Annotated[str, typer.Option(help="read, train or admin; each has those before it.")] = "read",
    grant: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Names that it may know, such as 'shop-*'; default: all.")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0.001, help="After which it expires; default: never.")] = None,
    max_bytes: Annotated[
        int | None, typer.Option(min=1, max=MOST, metavar="N", help="Of its uploads, all revisions together.")
    ] = None,
    max_jobs: Annotated[
        int | None, typer.Option(min=1, max=MOST_JOBS, metavar="N", help="Of its jobs that wait.")
    ] = None,
    max_cost: Annotated[
        int | None, typer.Option(min=1, max=MOST, metavar="N", help="Of a training: tokens x epochs x dim.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once. From the first one on, nobody is let in without."""
    from app.core.access import Grant, ScopeName, keys

    try:
        wish = keys.Wish(
            name,
            TypeAdapter(ScopeName).validate_python(scope),
            TypeAdapter(list[Grant] | None).validate_python(grant),
            days,
            max_bytes=max_bytes,
            max_jobs=max_jobs,
            max_cost=max_cost,
        )
    except ValidationError as error:
        raise WrongUsage(f"{error.errors()[0]['input']!r}: {error.errors()[0]['msg']}") from error
    with _session(f"create {name}") as session:
        made, token = keys.create(session, _secret(session), wish)
    _say_once(made, token, as_json=as_json)


@app.command("list")
def list_keys(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List keys, the newest first, also those that have ended."""
    from app.core.access import keys

    with _session() as session:
        found = [_described(key) for key in keys.listed(session)[:limit]]
    if as_json:
        say_json({"keys": found})
    else:
        say_table([_row(key) for key in found], "There is no key.")


@app.command()
def rotate(
    key_id: Id,
    overlap_hours: Annotated[float, typer.Option(min=0, help="For which the old key stays good.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Make a key that allows the same, and let the old one end."""
    from app.core.access import keys

    with _session(f"rotate {key_id}") as session:
        made, token = keys.rotate(session, _secret(session), key_id, overlap_hours=overlap_hours)
    _say_once(made, token, as_json=as_json)


@app.command()
def revoke(key_id: Id, yes: Yes = False) -> None:
    """End a key; every process knows within seconds."""
    from app.core.access import keys

    ask_first(f"Revoke the key {key_id}?", yes=yes)
    with _session(f"revoke {key_id}") as session:
        name = keys.revoke(session, key_id).name
    say(f"The key {key_id} of {name} is revoked.")


def _say_once(made: ApiKey, token: str, *, as_json: bool) -> None:
    if as_json:
        say_json(_described(made) | {"token": token})
    else:
        note("Keep it; it is never shown again. Callers send it as: Authorization: Bearer ...")
        say(token)


def _described(key: ApiKey) -> dict[str, Any]:
    moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
    told = {name: getattr(key, name) for name in ("id", "name", "scope", "grants", "owner", *LIMITS)}
    return told | {name: moment.isoformat() if (moment := getattr(key, name)) else None for name in moments}


def _row(key: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: key[name] for name in ("id", "name", "scope")} | {"names": ", ".join(key["grants"] or ["*"])}
    ends = {"revoked": key["revoked_at"], "expires": key["expires_at"], "used": key["last_used_at"]}
    limits = [f"{key[name]:,} {name.removeprefix('max_')}" for name in LIMITS if key[name]]
    moments = {"created": when(key["created_at"])} | {name: at and when(at) for name, at in ends.items()}
    return shown | moments | {"limits": "; ".join(limits)}
