"""Numbers as JSON has them."""

from __future__ import annotations

from pydantic import BeforeValidator


def refuse_boolean(value: object) -> object:
    """Python takes True for 1; who sends `true` means no number."""
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


NotBoolean = BeforeValidator(refuse_boolean)
"""Stands last in an annotation: before the limits, it would keep them out of the JSON schema."""
