"""Words by ICU's dictionaries, for scripts without blanks. The library is an extra: `pip install 'wordkin[icu]'`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import regex
from pydantic import Field

from app.core.extras import load_extra
from app.core.text.tokenizers.seam import Resources, TokenizerOptions

EXTRA = ("icu4py.breakers", "icu", "The tokenizer icu")
_HAS_WORD_CHARACTER = regex.compile(r"[\p{L}\p{N}]")


class Icu(TokenizerOptions):
    """Thai, Lao, Khmer, Burmese, Chinese and Japanese; runs of other scripts as Unicode's rules break them."""

    kind: Literal["icu"] = "icu"
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$", examples=["th"])] = "en"
    packages: ClassVar[tuple[str, ...]] = ("icu4py",)

    def check_installed(self) -> None:
        load_extra(*EXTRA)

    def open(self, _resources: Resources, _threads: int, /) -> IcuTokenizer:
        return IcuTokenizer(self.locale)


class IcuTokenizer:
    """No word spans a blank, so that runs are read alone."""

    needs_lines = False

    def __init__(self, locale: str) -> None:
        self._breaker: Any = load_extra(*EXTRA).WordBreaker
        self._locale = locale

    def tokenize(self, lines: Sequence[str]) -> list[list[str]]:
        return [
            [word for word in self._breaker(run, self._locale) if _HAS_WORD_CHARACTER.search(word)] for run in lines
        ]
