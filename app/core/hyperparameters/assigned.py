"""Hyperparameters as they are typed: ``dim=200``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from app.core.hyperparameters.names import hint, meant
from app.core.hyperparameters.shared import Hyperparameters


def assigned(chosen: type[Hyperparameters], assignments: Sequence[str]) -> dict[str, Any]:
    """The values by name; what they are together is valid.

    Parameters
    ----------
    chosen : the hyperparameters of an algorithm
    assignments : ``name=value`` each, the value as JSON or as plain text

    Raises
    ------
    ValueError
        Says in plain words what is wrong.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator:
            raise ValueError(f"{assignment!r} is not NAME=VALUE")
        if name not in chosen.model_fields:
            raise ValueError(_unknown(name, list(chosen.model_fields)))
        values[name] = _value(value)
    try:
        chosen.model_validate(values)
    except ValidationError as error:
        raise ValueError("; ".join(_told(issue) for issue in error.errors())) from error
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _unknown(name: str, names: list[str]) -> str:
    near = meant(name, names)
    hint = f" Did you mean {near}?" if near else ""
    return f"There is no hyperparameter {name!r}.{hint} There are: {', '.join(names)}."


def _told(issue: Any) -> str:
    message = str(issue["msg"]).removeprefix("Value error, ") + hint(issue)
    return f"{issue['loc'][0]}={issue['input']}: {message}" if issue["loc"] else message
