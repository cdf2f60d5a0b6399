"""A command for each question, made from its row: what must be said is an argument, the rest are options."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any, get_origin

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.serving.asking import BY_PLACE
from app.serving.questions import QUESTIONS, Question

Json = dict[str, Any]
Url = Annotated[str, typer.Option(envvar="WORDKIN_URL", help="Where the service is.")]
DEFAULT_URL = "http://127.0.0.1:8000"
AsJson = Annotated[bool, typer.Option("--json", help="Print the service's answer as it is.")]
SHORT = {"k": "-k"}


def add_questions(app: typer.Typer, console: Console) -> None:
    for question in QUESTIONS:
        app.command(question.path.removeprefix("/"), help=escape(question.says))(_command(question, console))


def _command(question: Question, console: Console) -> Callable[..., None]:
    def command(url: str, *, as_json: bool, **asked: Any) -> None:
        from app.command.client import Client  # noqa: PLC0415 (the command line starts at once)

        answer = Client(url).get(question.path, **asked)
        if as_json:
            typer.echo(json.dumps(answer, ensure_ascii=False))
        else:
            _show(question, answer, console)

    keyword = inspect.Parameter.KEYWORD_ONLY
    fields = sorted(question.parameters.model_fields.items(), key=lambda item: not item[1].is_required())
    parameters = [inspect.Parameter(name, keyword, **_of_field(name, field)) for name, field in fields]
    parameters.append(inspect.Parameter("url", keyword, annotation=Url, default=DEFAULT_URL))
    parameters.append(inspect.Parameter("as_json", keyword, annotation=AsJson, default=False))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # read by typer
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _of_field(name: str, field: FieldInfo) -> Json:
    """Annotation and default of a command's parameter that stands for one of the question's."""
    told = escape(field.description or "")
    kind = list[str] if get_origin(field.annotation) is list else field.annotation  # typer takes no bounds of items
    if field.is_required():
        return {"annotation": Annotated[kind, typer.Argument(help=told)]}
    if BY_PLACE in field.metadata:
        return {"annotation": Annotated[kind, typer.Argument(help=told)], "default": field.default}
    option = typer.Option(SHORT.get(name, f"--{name.replace('_', '-')}"), help=told)
    return {"annotation": Annotated[kind, option], "default": field.default}


def _show(question: Question, answer: Json, console: Console) -> None:
    """A table of what is listed, and a line for each other member; words are never markup."""
    console.print(f"{escape(answer.pop('model'))} version {answer.pop('version')}", highlight=False, style="italic")
    listed = answer.pop(question.listed) if question.listed else []
    for name, value in answer.items():
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        console.print(f"{name}: {told}", markup=False, highlight=False, soft_wrap=True)
    if not listed:
        return
    table = Table(box=None)
    for name in listed[0]:
        table.add_column(name, justify="left" if name == "word" else "right")
    for item in listed:
        table.add_row(*(f"{value:.4f}" if isinstance(value, float) else escape(str(value)) for value in item.values()))
    console.print(table)
