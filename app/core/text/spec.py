"""What decides how text becomes words. Stored with every version, so that its queries are read the same way."""

from __future__ import annotations

import functools
import unicodedata
import zlib
from typing import Annotated, Any, Literal, Self

import numpy as np
import regex
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.text.formats import Format, PlainText

NEWEST_RULES = 2
"""1: as at first. 2: blanks that look like nothing separate words, no word is marks alone, and no fold begins one with
a mark. Older versions keep reading by the rules that their corpus was read by."""
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


KeptToken = Annotated[str, Field(pattern=r"^[^\s\x00-\x20\x7f]+$", max_length=100, examples=["c++"])]


class TextSpec(BaseModel):
    """How text becomes words.

    `nfc` composes and drops what is invisible. `nfkc_jamo_safe` also folds compatibility forms such as full-width
    letters, except for Hangul jamo, which plain NFKC would change. `none` does neither.
    `words` are runs of letters, marks and digits, with apostrophes inside them; `whitespace` only splits, for text
    that was tokenised before; `items`, which the format `tokens` has and no other, keeps what is between separators.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Annotated[Format, Field(discriminator="kind")] = PlainText()
    normalization: Literal["nfc", "nfkc_jamo_safe", "none"] = "nfc"
    case: Literal["lower", "keep"] = "lower"
    tokenizer: Literal["words", "whitespace", "items"] = "words"
    keep_tokens: Annotated[
        tuple[KeptToken, ...],
        Field(max_length=1000, description="of `words`: these stay whole where no word character is beside them"),
    ] = ()
    rules: Annotated[int, Field(ge=1, le=NEWEST_RULES, description="of reading; recorded, not chosen")] = 1
    unicode_version: Annotated[
        str, Field(max_length=40, description="of normalisation and case; recorded, not chosen")
    ] = unicodedata.unidata_version
    word_characters: Annotated[
        str, Field(max_length=40, description="digest of the word characters; recorded, not chosen")
    ] = Field(default_factory=word_character_digest)

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
        chosen = self.model_dump(exclude={"rules", "unicode_version", "word_characters"})
        return TextSpec.model_validate(chosen | {"rules": NEWEST_RULES})

    def differences(self) -> list[str]:
        """Why this process may read text otherwise than the one that made the spec; empty if it does not."""
        found = []
        if self.unicode_version != unicodedata.unidata_version:
            found.append(f"Unicode {self.unicode_version} when trained, {unicodedata.unidata_version} here")
        if self.tokenizer == "words" and self.word_characters != word_character_digest():
            found.append(f"word characters {self.word_characters} when trained, {word_character_digest()} here")
        return found
