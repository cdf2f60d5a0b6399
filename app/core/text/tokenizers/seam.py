"""What a tokenizer is: lines in, lists of words out. Each kind has its options and itself in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from app.core.errors import TokenizerUnusable, WordkinError, reason

RESOURCES = "resources"
MAX_RESOURCE_BYTES = 64 << 20
Resources = Mapping[str, bytes]
"""Files that a tokenizer is made of, by the names that a version's manifest gives them."""


class Tokenizer(Protocol):
    """Reads lines that are normalised and in their case.

    It is pure: the words of a line depend on nothing but that line. `needs_lines` says that the words of a run between
    blanks depend on the runs beside it; else each distinct run of a corpus is read once.
    """

    needs_lines: bool

    def tokenize(self, lines: Sequence[str]) -> list[list[str]]:
        """The words of each line; any text is read, and no thread disturbs another one."""


class TokenizerOptions(BaseModel):
    """What is chosen of a tokenizer; `kind` is its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions whose releases decide the words; a version records them."""
    is_learned: ClassVar[bool] = False
    """Whether a job makes it of the corpus, unless it is given."""
    has_threads: ClassVar[bool] = False
    """Whether it reads with several threads by itself; others get several processes."""

    def files(self) -> dict[str, str]:
        """The uploaded files that it is made of, by the names that they get as resources."""
        return {}

    def needs(self) -> tuple[str, ...]:
        """The resources that it cannot be made without, uploaded or learned."""
        return tuple(self.files())

    def expected_seconds(self, _n_bytes: int, _threads: int, /) -> float:
        """What it takes beside the reading of the distinct runs of a corpus."""
        return 0.0

    def check_installed(self) -> None:
        """Raise `ExtraMissing`."""

    def check_resources(self, resources: Resources) -> None:
        """Raise `TokenizerUnusable` for files that it cannot be made of, without making what is slow to make."""

    def open(self, resources: Resources, threads: int, /) -> Tokenizer:
        """Make the tokenizer.

        Raises
        ------
        ExtraMissing
        TokenizerUnusable
            A resource is not what it should be.
        """
        raise NotImplementedError


def opened(options: TokenizerOptions, resources: Resources, threads: int) -> Tokenizer:
    """Make a tokenizer; raises `ExtraMissing`, and `TokenizerUnusable` for whatever its library complains of."""
    try:
        return options.open(resources, threads)
    except (WordkinError, OSError, MemoryError):
        raise
    except Exception as error:  # libraries, and packages of others, raise anything
        raise TokenizerUnusable(f"The tokenizer {options.kind!r} cannot be made here: {reason(error)}.") from error
