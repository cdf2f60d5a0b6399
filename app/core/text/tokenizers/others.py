"""Tokenizers of other packages: entry points of the group ``wordkin.tokenizers``.

Each is called as ``make(parameters)`` and returns a `app.core.text.tokenizers.seam.Tokenizer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any

from pydantic import Field, JsonValue

from app.core.errors import ExtraMissing, TokenizerUnusable
from app.core.text.tokenizers.seam import Resources, Tokenizer, TokenizerOptions

GROUP = "wordkin.tokenizers"
Make = Callable[[Mapping[str, Any]], Tokenizer]


class Other(TokenizerOptions):
    """A tokenizer that a package brings along, by the name of its entry point."""

    kind: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    parameters: Annotated[dict[str, JsonValue], Field(default_factory=dict, description="that it is made with")]

    def check_installed(self) -> None:
        self._entry_point()

    def package(self) -> str | None:
        """The distribution that has it."""
        distribution = self._entry_point().dist
        return distribution.name if distribution else None

    def open(self, _resources: Resources, _threads: int, /) -> Tokenizer:
        make: Make = self._entry_point().load()
        try:
            return make(self.parameters)
        except ValueError as error:
            raise TokenizerUnusable(f"The tokenizer {self.kind!r} refuses its parameters: {error}.") from error

    def _entry_point(self) -> EntryPoint:
        for found in entry_points(group=GROUP, name=self.kind):
            return found
        raise ExtraMissing(
            f"There is no tokenizer {self.kind!r} here: install the package that has it as an entry point of {GROUP}.",
            tokenizer=self.kind,
        )
