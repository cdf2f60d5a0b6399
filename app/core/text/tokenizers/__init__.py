"""Every kind of tokenizer beside `words`, `whitespace` and `items`, which `app.core.text.reader` has itself."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from app.core.text.tokenizers.character_ngrams import CharacterNgrams
from app.core.text.tokenizers.icu import Icu
from app.core.text.tokenizers.kiwi import Kiwi
from app.core.text.tokenizers.mecab_ko import MecabKo
from app.core.text.tokenizers.others import GROUP, Other
from app.core.text.tokenizers.seam import (
    MAX_RESOURCE_BYTES,
    RESOURCES,
    Resources,
    Tokenizer,
    TokenizerOptions,
    opened,
)
from app.core.text.tokenizers.sentencepiece import SentencePiece

PLAIN = ("words", "whitespace", "items")
KINDS = ("sentencepiece", "mecab-ko", "kiwi", "icu", "character-ngrams")


def _said_kind(said: Any) -> Any:
    return said.get("kind") if isinstance(said, dict) else getattr(said, "kind", None)


def _kind(said: Any) -> str:
    if isinstance(said, str):
        return "plain"
    kind = _said_kind(said)
    return kind if kind in KINDS else "other"


def named(said: Any) -> Any:
    """A name alone as an object that has no more than a kind, and the plain ones the other way round.

    Objects are what is stored: their kind may be one that this installation lacks, which a name that is chosen may not.
    """
    if isinstance(said, str) and said not in PLAIN:
        if said not in KINDS:
            _check_brought_along(said)
        return {"kind": said}
    if isinstance(said, dict) and said.get("kind") in PLAIN and len(said) == 1:
        return said["kind"]
    if not isinstance(said, str) and _said_kind(said) is None:
        raise ValueError(f"A tokenizer is a name or an object with a kind, such as {', '.join([*PLAIN, *KINDS])}.")
    return said


def _check_brought_along(name: str) -> None:
    """Raise `ValueError` for a name that no installed package has; all packages are looked through."""
    known = [*PLAIN, *KINDS, *entry_points(group=GROUP).names]
    if name not in known:
        near = get_close_matches(name, known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}."
        raise ValueError(f"There is no tokenizer {name!r}{meant}")


Chosen = Annotated[
    Annotated[Literal["words", "whitespace", "items"], Tag("plain")]
    | Annotated[SentencePiece, Tag("sentencepiece")]
    | Annotated[MecabKo, Tag("mecab-ko")]
    | Annotated[Kiwi, Tag("kiwi")]
    | Annotated[Icu, Tag("icu")]
    | Annotated[CharacterNgrams, Tag("character-ngrams")]
    | Annotated[Other, Tag("other")],
    Discriminator(_kind),
]

__all__ = [
    "MAX_RESOURCE_BYTES",
    "PLAIN",
    "RESOURCES",
    "Chosen",
    "Resources",
    "Tokenizer",
    "TokenizerOptions",
    "named",
    "opened",
]
