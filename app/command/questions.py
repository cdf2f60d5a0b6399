"""A command for each question, made from its row: what must be said is an argument, the rest are options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_origin

import typer
from pydantic.fields import FieldInfo
from rich.markup import escape

from app.command import completion
from app.command.analogy import AnalogyCommand, words_of
from app.command.options import DEFAULT_URL, AsJson, Url, client_of
from app.command.output import console, say, say_json, say_table, shown
from app.serving.asking import BY_PLACE
from app.serving.questions import QUESTIONS, Question

Json = dict[str, Any]
Expression = Annotated[
    list[str], typer.Argument(metavar="EXPRESSION", help="king - man + woman, king-man+woman, or king man woman")
]
ANALOGY = "analogy"
PANEL = "Ask"
SHORT = {"k": "-k"}
COMPLETED = {"model": completion.models, "version": completion.versions}


def add_questions(app: typer.Typer) -> None:
    for question in QUESTIONS:
        name = question.path.removeprefix("/")
        kind = AnalogyCommand if name == ANALOGY else None
        app.command(name, cls=kind, help=escape(question.says), rich_help_panel=PANEL)(_command(question))


def _command(question: Question) -> Callable[..., None]:
    def command(url: str, *, as_json: bool, **asked: Any) -> None:
        if expression := asked.pop("expression", None):
            asked.update(zip("abc", words_of(expression), strict=True))
        answer = client_of(url).get(question.path, **asked)
        if as_json:
            say_json(answer)
        else:
            _show(question, answer)

    keyword = inspect.Parameter.KEYWORD_ONLY
    is_analogy = question.name == ANALOGY
    fields = sorted(question.parameters.model_fields.items(), key=lambda item: not item[1].is_required())
    asked_for = [(name, field) for name, field in fields if not (is_analogy and field.is_required())]
    parameters = [inspect.Parameter(name, keyword, **_of_field(name, field)) for name, field in asked_for]
    if is_analogy:
        parameters.insert(0, inspect.Parameter("expression", keyword, annotation=Expression))
    parameters.append(inspect.Parameter("url", keyword, annotation=Url, default=DEFAULT_URL))
    parameters.append(inspect.Parameter("as_json", keyword, annotation=AsJson, default=False))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # read by typer
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _of_field(name: str, field: FieldInfo) -> Json:
    """Annotation and default of a command's parameter that stands for one of the question's."""
    told = escape(field.description or "")
    metavar = name.upper()
    is_list = get_origin(field.annotation) in {list, tuple}
    kind = list[str] if is_list else field.annotation  # typer takes no bounds of items
    if field.is_required():
        if is_list:
            return {"annotation": Annotated[kind, typer.Argument(metavar=metavar)]}
        return {"annotation": Annotated[kind, typer.Argument(metavar=metavar, help=told)]}
    if BY_PLACE in field.metadata:
        return {"annotation": Annotated[kind, typer.Argument(metavar=metavar, help=told)], "default": field.default}
    names = [f"--{name.replace('_', '-')}", *([SHORT[name]] if name in SHORT else [])]
    kinds: dict[Any, str] = {bool: "", int: "NUMBER", str: metavar, str | None: metavar}
    option = typer.Option(*names, metavar=kinds.get(field.annotation), help=told, autocompletion=COMPLETED.get(name))
    return {"annotation": Annotated[kind, option], "default": field.default}


def _show(question: Question, answer: Json) -> None:
    """A table of what is listed, and a line for each other member."""
    console.print(
        f"{escape(answer.pop('model'))} version {answer.pop('version')}",
        highlight=False,
        style="italic",
        soft_wrap=True,
    )
    listed = answer.pop(question.listed) if question.listed else []
    for name, value in answer.items():
        say(f"{name}: {shown(value)}")
    if listed:
        say_table([{name: _cell(value) for name, value in row.items()} for row in listed])


def _cell(value: Any) -> Any:
    """What is too long for a column: words without their scores, and how many numbers a vector has."""
    if not isinstance(value, list) or not value:
        return value
    return ", ".join(item["word"] for item in value) if isinstance(value[0], dict) else f"{len(value)} numbers"
