"""Values of requests that may have one of several shapes: by that it is known which is meant, and one message told."""

from __future__ import annotations

from pydantic import Discriminator, Tag

TEXT, NUMBER, LIST = Tag("text"), Tag("number"), Tag("list")
SHAPES = {str: "text", int: "number", float: "number", list: "list", tuple: "list"}


def by_shape(told: str) -> Discriminator:
    """Choose the member of a union by its tag; `told` is the message where no member has the value's shape."""
    return Discriminator(
        lambda given: SHAPES.get(type(given), "none"), custom_error_type="wrong_shape", custom_error_message=told
    )
