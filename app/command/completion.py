"""What a shell offers when Tab is pressed: values of options, and names that the service knows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin
from urllib.parse import quote

import typer

from app.command.options import DEFAULT_URL, key_header, needs_certificates

SECONDS = 0.5
"""How long the service is waited for; who presses Tab waits for nothing longer."""


def algorithms(incomplete: str) -> list[str]:
    from app.core.hyperparameters import ALGORITHMS

    return _beginning(incomplete, ALGORITHMS)


def presets(incomplete: str) -> list[str]:
    from app.core.hyperparameters import PRESETS

    return _beginning(incomplete, PRESETS)


def export_formats(incomplete: str) -> list[str]:
    from app.core.vector_files import ExportFormat

    return _beginning(incomplete, get_args(ExportFormat))


def assignments(ctx: typer.Context, incomplete: str) -> list[str]:
    """``dim=``, and after ``architecture=`` what there is."""
    from app.core.hyperparameters import ALGORITHMS

    fields = ALGORITHMS[ctx.params.get("algorithm") or "word2vec"].model_fields
    name, is_value, _ = incomplete.partition("=")
    if not is_value:
        return _beginning(incomplete, (f"{field}=" for field in fields))
    values = _values(fields[name].annotation) if name in fields else ()
    return _beginning(incomplete, (f"{name}={value}" for value in values))


def _values(annotation: Any) -> Iterator[str]:
    if annotation is bool:
        yield from ("true", "false")
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from _values(part)


def models(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, (model["name"] for model in _ask(ctx, "/models").get("models", [])))


def classifiers(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, (each["name"] for each in _ask(ctx, "/classifiers").get("classifiers", [])))


def corpora(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, (corpus["name"] for corpus in _ask(ctx, "/corpora").get("corpora", [])))


def files(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, (file["name"] for file in _ask(ctx, "/files").get("files", [])))


def vector_formats(incomplete: str) -> list[str]:
    from app.core.vector_files import VectorFormat

    return _beginning(incomplete, ["auto", *get_args(VectorFormat)])


def row_policies(incomplete: str) -> list[str]:
    """``spaces=``, and after that what there is."""
    from app.core.payloads import RowPolicies

    name, is_value, _ = incomplete.partition("=")
    fields = RowPolicies.model_fields
    if not is_value:
        return _beginning(incomplete, (f"{field}=" for field in fields))
    values = _values(fields[name].annotation) if name in fields else ()
    return _beginning(incomplete, (f"{name}={value}" for value in values))


def steps(incomplete: str) -> list[str]:
    """``center``, and after ``center:`` what it can be told."""
    from app.core.steps import STEPS

    name, is_named, told = incomplete.partition(":")
    if not is_named:
        return _beginning(incomplete, STEPS)
    given, _, last = told.rpartition(",")
    before = f"{name}:{given}," if given else f"{name}:"
    fields = STEPS[name].model_fields if name in STEPS else {}
    told_by = [field.alias or key for key, field in fields.items() if key != "step"]
    return [f"{before}{member}=" for member in told_by if member.startswith(last)]


def jobs(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, (job["id"] for job in _ask(ctx, "/jobs").get("jobs", [])))


def aliases(ctx: typer.Context, incomplete: str) -> list[str]:
    return _beginning(incomplete, _model(ctx).get("aliases", {}))


def versions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Aliases and numbers."""
    told = _model(ctx)
    numbers = (str(version["version"]) for version in told.get("versions", []))
    return _beginning(incomplete, [*told.get("aliases", {}), *numbers])


def _model(ctx: typer.Context) -> dict[str, Any]:
    name = ctx.params.get("model")
    if not name:
        listed = _ask(ctx, "/models").get("models", [])
        if len(listed) != 1:
            return {}
        name = listed[0]["name"]
    return _ask(ctx, f"/models/{quote(name, safe='')}")


def _ask(ctx: typer.Context, path: str) -> dict[str, Any]:
    """The answer, or nothing where there is none."""
    import httpx

    url = ctx.params.get("url") or os.environ.get("WORDKIN_URL", DEFAULT_URL)
    try:
        response = httpx.get(
            f"{url.rstrip('/')}{path}", timeout=SECONDS, headers=key_header(), verify=needs_certificates(url)
        )
        answer: dict[str, Any] = response.raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return {}
    return answer


def _beginning(incomplete: str, values: Iterable[str]) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
