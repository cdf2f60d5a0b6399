"""``wordkin``: start the service, train on a file, ask. Each command imports what it alone needs, when it runs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from copy import copy
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.models import CommandInfo

from app.command import classifiers, corpora, files, jobs, keys, models, webhooks
from app.command.derive import derive
from app.command.drift import drift
from app.command.evaluate import compare, evaluate, policy
from app.command.export import export
from app.command.failures import CommandFailed, WrongUsage
from app.command.options import AsJson
from app.command.output import console, is_json_wanted, say, say_error, warn
from app.command.safekeeping import backup, restore, verify
from app.command.train import train
from app.command.vectors import import_vectors
from app.command.weat import weat

if TYPE_CHECKING:
    from app.core.settings import Settings

app = typer.Typer(
    help="Train word embeddings on your text and serve every version over REST.\n\n"
    "[bold]wordkin demo[/] shows all of it on a real corpus. [bold]wordkin up[/] starts the service; then "
    "[bold]wordkin train FILE[/] and [bold]wordkin neighbors WORD[/], or curl. Settings are WORDKIN_... variables.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
SERVICE = "Run the service"
UsageError: Any = typer.BadParameter.__base__  # the library exports no name for it

Host = Annotated[str | None, typer.Option(help="Address to listen on. [WORDKIN_HOST, default 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. [WORDKIN_PORT, default 8000]")]


def main() -> None:
    """Run the command line; what a user can mend is one line on standard error, and the exit code says so."""
    command = chosen(sys.argv[1:2])
    try:
        if not is_json_wanted():
            command()
        sys.exit(command(standalone_mode=False))
    except UsageError as error:  # only then it comes up to here
        wrong = WrongUsage(error.format_message())
        say_error(wrong)
        sys.exit(wrong.exit_code)
    except typer.Abort:
        sys.exit(1)
    except (CommandFailed, OSError) as error:
        say_error(error)
        sys.exit(error.exit_code if isinstance(error, CommandFailed) else 1)


def chosen(named: list[str]) -> typer.Typer:
    """The command of that name alone, or all: describing all of them takes longer than most answers."""
    return _only(app, named) or _only(whole(), named) or whole()


def _only(commands: typer.Typer, named: list[str]) -> typer.Typer | None:
    only = copy(commands)
    only.registered_commands = [each for each in commands.registered_commands if _name_of(each) in named]
    only.registered_groups = [each for each in commands.registered_groups if each.name in named]
    return only if only.registered_commands or only.registered_groups else None


def _name_of(command: CommandInfo) -> str | None:
    return command.name or (command.callback.__name__.replace("_", "-") if command.callback else None)


@cache
def whole() -> typer.Typer:
    """All commands: those above, and those that ask, which are made of the models of questions."""
    from app.command.questions import PANEL, add_questions

    add_questions(app)
    app.command(rich_help_panel=PANEL)(weat)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        say(f"wordkin {version('wordkin')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", metavar="", is_eager=True, callback=_show_version, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


def _settings(host: str | None = None, port: int | None = None) -> Settings:
    from pydantic import ValidationError

    from app.core.settings import Settings, explained

    given = {"host": host, "port": port}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type] # of mixed types
    except ValidationError as error:
        raise CommandFailed(explained(error)) from error


def _own_settings() -> Settings:
    """For a command that starts no process which would name the variables that are no settings."""
    from app.core.settings import unknown_variables

    for name, meant in unknown_variables(os.environ).items():
        warn(f"{name} is no setting" + (f"; did you mean {meant}?" if meant else "."))
    return _settings()


@app.command(rich_help_panel=SERVICE)
def demo(
    once: Annotated[
        bool, typer.Option("--once", metavar="", help="End when all is shown; exit code 0 only if all went well.")
    ] = False,
    host: Host = None,
    port: Port = None,
) -> None:
    """Show the main job: start the service, upload a real corpus, train with visible progress, ask."""
    _stop_by_interrupt()
    from app.command import demo as demonstration
    from app.command.client import Client
    from app.command.processes import running

    settings = _settings(host, port)
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "warning"})  # lines would tear the progress bar
    with running(settings) as service:
        client = Client(service.url)
        demonstration.run(client, settings.data_dir / "demo" / "bible.txt", console)
        client.close()
        if once:
            return
        console.print(
            f"\nThe service goes on at [bold]{service.url}[/], with its data in {settings.data_dir.resolve()}.\n"
            f"  console        {service.url}/console\n"
            f"  API documents  {service.url}/docs\n"
            f"  try            curl '{service.url}/neighbors?word=river&k=5'\n"
            "Ctrl-C ends it.",
            highlight=False,
        )
        _wait(service)


@app.command(rich_help_panel=SERVICE)
def sample(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where to write it.")] = Path(),
) -> None:
    """Write bible.txt, the demo's corpus: two English Bibles in the public domain, a chapter a line."""
    from app.command.demo import build_corpus

    path = folder / "bible.txt"
    if path.exists():
        raise WrongUsage(f"{path} is there already.")
    build_corpus(path)
    console.print(f"{path}: {path.stat().st_size:,} bytes", highlight=False)


@app.command(rich_help_panel=SERVICE)
def up(host: Host = None, port: Port = None) -> None:
    """Start the whole service: migrate the database, then API and trainer, until Ctrl-C."""
    _stop_by_interrupt()
    from app.command.processes import running

    settings = _settings(host, port)
    with running(settings) as service:
        say(f"Wordkin is up at {service.url}, console: {service.url}/console, API: {service.url}/docs. Ctrl-C ends it.")
        _wait(service)


def _wait(service: Any) -> None:
    try:
        service.wait()
    except KeyboardInterrupt:
        console.print("\nstopping …")


def _stop_by_interrupt() -> None:
    """Let SIGTERM, and the end of the terminal, do what Ctrl-C does: the processes below us are always stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


@app.command(rich_help_panel=SERVICE)
def api(host: Host = None, port: Port = None) -> None:
    """Start only the API. The database must have been migrated."""
    settings = _settings(host, port)
    _become("app", {"WORDKIN_HOST": settings.host, "WORDKIN_PORT": str(settings.port)})


@app.command(rich_help_panel=SERVICE)
def trainer() -> None:
    """Start only a trainer; any number may work on one database."""
    _become("trainer", {})


def _become(module: str, variables: dict[str, str], arguments: Sequence[str] = ()) -> NoReturn:
    # -P: a folder named like one of our packages, where the user happens to be, is not ours
    command = [sys.executable, "-P", "-m", module, *arguments]
    os.execve(sys.executable, command, os.environ | variables)  # noqa: S606 (our own)


@app.command(name="migrate", rich_help_panel=SERVICE)
def migrate_command() -> None:
    """Bring the database to the newest schema."""
    from app.command.schema import migrate

    settings = _own_settings()
    migrate(settings)
    console.print("The database has the newest schema.")


@app.command(rich_help_panel=SERVICE)
def recover(
    model: Annotated[
        str | None, typer.Option(help="For versions that do not say their model; default: the corpus.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", metavar="", help="Only list them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make rows for versions that lie in storage but not in the database, and own the storage from now on."""
    from app.command.recover import run

    run(_own_settings(), console, model=model, only_look=dry_run, as_json=as_json)


@app.command(rich_help_panel=SERVICE)
def check() -> None:
    """End with exit code 0 if the database answers and has the newest schema; for health checks."""
    from app.command.schema import check_schema

    check_schema(_own_settings())
    console.print("The database answers and has the newest schema.")


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    help="Count and train with the files of GloVe's C program; wordkin glove --help has more.",
)
def glove(ctx: typer.Context) -> None:
    _become("trainer.algorithms.glove.c_command", {}, ctx.args)


for command in (backup, restore, verify):
    app.command(rich_help_panel=SERVICE)(command)
app.command()(train)
app.command()(export)
app.command("import")(import_vectors)
app.command()(derive)
app.command()(evaluate)
app.command()(compare)
app.command()(drift)
app.command()(policy)
app.add_typer(jobs.app, name="jobs")
app.add_typer(corpora.app, name="corpora")
app.add_typer(files.app, name="files")
app.add_typer(models.app, name="models")
app.add_typer(classifiers.app, name="classifiers")
app.add_typer(keys.app, name="keys")
app.add_typer(webhooks.app, name="webhooks")
app.command(rich_help_panel="Ask")(classifiers.classify)
