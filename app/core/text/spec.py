"""What decides how text becomes words. Stored with every version, so that its queries are read the same way."""

from __future__ import annotations

import functools
import unicodedata
import zlib
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Annotated, Any, Literal, Self

import numpy as np
import regex
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.core.names import MAX_WORD_BYTES, FileReference
from app.core.text.formats import Format, PlainText
from app.core.text.phrases import PHRASES, Phrases
from app.core.text.tokenizers import RESOURCES, Chosen, TokenizerOptions, named

NEWEST_RULES = 3
"""1: as at first. 2: blanks that look like nothing separate words, no word is marks alone, and no fold begins one with
a mark. 3: tokens to keep are found in capitals that are spelled otherwise, such as İ, and tokenizers that need no lines
read each run between blanks alone, as they read a corpus. Older versions keep reading by the rules that their corpus
was read by."""
WORD_CHARACTERS = r"[\p{L}\p{M}\p{N}]"


@functools.cache
def word_character_digest() -> str:
    """Which code points this process takes for letters, marks and digits, as eight hexadecimal digits.

    The `regex` module carries its own Unicode tables and does not name their version, so the tables are asked.
    Planes 0 and 1 in full; the ideographs of planes 2 and 3, which change in long runs, at every 16th.
    """
    points = np.r_[0:0x20000, 0x20000:0x40000:16].astype("<u4")
    runs = regex.finditer(WORD_CHARACTERS + "+", points.tobytes().decode("utf-32-le", "surrogatepass"))
    return f"{zlib.crc32(repr([run.span() for run in runs]).encode()):08x}"


STOP_WORDS = f"{RESOURCES}/stop_words.txt"
KeptToken = Annotated[str, Field(pattern=r"^[^\s\x00-\x20\x7f]+$", max_length=100, examples=["c++"])]


def _is_empty(recorded: Any) -> bool:
    """Whether there is nothing to store, so that what was stored before this could be said stays as it was."""
    return not recorded


class TextSpec(BaseModel):
    """How text becomes words.

    `nfc` composes and drops what is invisible. `nfkc_jamo_safe` also folds compatibility forms such as full-width
    letters, except for Hangul jamo, which plain NFKC would change. `none` does neither.
    `words` are runs of letters, marks and digits, with apostrophes inside them; `whitespace` only splits, for text
    that was tokenised before; `items`, which the format `tokens` has and no other, keeps what is between separators.
    Other tokenizers are objects with a `kind`, or that name alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Annotated[Format, Field(discriminator="kind")] = PlainText()
    normalization: Literal["nfc", "nfkc_jamo_safe", "none"] = "nfc"
    case: Literal["lower", "keep"] = "lower"
    tokenizer: Annotated[Chosen, BeforeValidator(named)] = "words"
    keep_tokens: Annotated[
        tuple[KeptToken, ...],
        Field(max_length=1000, description="of `words`: these stay whole where no word character is beside them"),
    ] = ()
    stop_words: Annotated[
        tuple[KeptToken, ...] | FileReference,
        Field(
            max_length=10_000,
            description="words that are left out, of the corpus and of texts: a list, or an uploaded file, one a line",
            exclude_if=_is_empty,
        ),
    ] = ()
    max_word_length: Annotated[
        int | None,
        Field(ge=1, le=MAX_WORD_BYTES, description="in characters; longer words are left out", exclude_if=_is_empty),
    ] = None
    phrases: Annotated[
        Phrases | None,
        Field(description="read frequent pairs of words as one word, such as new_york", exclude_if=_is_empty),
    ] = None
    rules: Annotated[int, Field(ge=1, le=NEWEST_RULES, description="of reading; recorded, not chosen")] = 1
    unicode_version: Annotated[
        str, Field(max_length=40, description="of normalisation and case; recorded, not chosen")
    ] = unicodedata.unidata_version
    word_characters: Annotated[
        str, Field(max_length=40, description="digest of the word characters; recorded, not chosen")
    ] = Field(default_factory=word_character_digest)
    packages: Annotated[
        dict[str, str],
        Field(description="releases of the tokenizer's packages; recorded, not chosen", exclude_if=_is_empty),
    ] = {}
    resources: Annotated[
        dict[str, str],
        Field(description="digests of the files that text is read with; recorded, not chosen", exclude_if=_is_empty),
    ] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_items(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "tokenizer" in given:
            return given
        chosen = given.get("format")
        kind = chosen.get("kind") if isinstance(chosen, dict) else getattr(chosen, "kind", None)
        return given | {"tokenizer": "items"} if kind == "tokens" else given

    @model_validator(mode="after")
    def _check_tokenizer(self) -> Self:
        if (self.format.kind == "tokens") != (self.tokenizer == "items"):
            raise ValueError("tokenizer 'items' and format 'tokens' belong together")
        if self.keep_tokens and self.tokenizer != "words":
            raise ValueError("keep_tokens needs tokenizer 'words': others keep all marks")
        return self

    def here(self) -> TextSpec:
        """The same choices by the rules and the Unicode data of this process, which whoever reads a corpus records."""
        chosen = self.model_dump(exclude={"rules", "unicode_version", "word_characters", "packages", "resources"})
        found = TextSpec.model_validate(chosen | {"rules": NEWEST_RULES})
        return found.model_copy(update={"packages": found.packages_here()})

    @property
    def options(self) -> TokenizerOptions | None:
        """What was chosen of a tokenizer that is none of the plain ones."""
        return None if isinstance(self.tokenizer, str) else self.tokenizer

    def packages_here(self) -> dict[str, str]:
        """The releases of the tokenizer's packages that are installed."""
        found = {}
        for package in self.options.packages if self.options else ():
            try:
                found[package] = package_version(package)
            except PackageNotFoundError:
                continue
        return found

    def files(self) -> dict[str, str]:
        """The uploaded files that text is read with, by the names that they get as resources."""
        found = self.options.files() if self.options else {}
        return found | ({STOP_WORDS: self.stop_words} if isinstance(self.stop_words, str) else {})

    def needs(self) -> set[str]:
        """The resources that text cannot be read without: uploaded files, and what a training has found."""
        learned = self.options.needs() if self.options else ()
        return {*self.files(), *learned} | ({PHRASES} if self.phrases else set())

    def roughly(self) -> TextSpec:
        """The same without what is large, made of files, or not made yet: enough to see whether there is text."""
        less: dict[str, Any] = {"stop_words": (), "max_word_length": None, "phrases": None}
        return self.model_copy(update=less | ({"tokenizer": "whitespace"} if self.options else {}))

    def differences(self) -> list[str]:
        """Why this process may read text otherwise than the one that made the spec; empty if it does not."""
        found = []
        if self.unicode_version != unicodedata.unidata_version:
            found.append(f"Unicode {self.unicode_version} when trained, {unicodedata.unidata_version} here")
        if self.tokenizer == "words" and self.word_characters != word_character_digest():
            found.append(f"word characters {self.word_characters} when trained, {word_character_digest()} here")
        here = self.packages_here()
        found += [
            f"{package} {release} when trained, {here[package]} here"
            for package, release in self.packages.items()
            if here.get(package, release) != release
        ]
        return found
