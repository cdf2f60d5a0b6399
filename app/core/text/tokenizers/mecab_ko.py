"""Korean morphemes by MeCab and mecab-ko-dic. The library is an extra: `pip install 'wordkin[mecab-ko]'`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from app.core.extras import load_extra
from app.core.text.tokenizers.morphemes import Morpheme, MorphemeOptions
from app.core.text.tokenizers.seam import Resources

EXTRA = ("mecab", "mecab-ko", "The tokenizer mecab-ko")


class MecabKo(MorphemeOptions):
    """Fast, with a dictionary of its own."""

    kind: Literal["mecab-ko"] = "mecab-ko"
    packages: ClassVar[tuple[str, ...]] = ("python-mecab-ko", "python-mecab-ko-dic")

    def check_installed(self) -> None:
        load_extra(*EXTRA)

    def open(self, _resources: Resources, _threads: int, /) -> MecabTokenizer:
        return MecabTokenizer(self)


class MecabTokenizer:
    """The library's tagger, which keeps nothing from line to line."""

    needs_lines = True

    def __init__(self, options: MecabKo) -> None:
        self._options = options
        self._tagger: Any = load_extra(*EXTRA).MeCab()

    def tokenize(self, lines: Sequence[str]) -> list[list[str]]:
        read = _stems if self._options.form == "stem" else _surfaces
        return [self._options.words(read(self._tagger.parse(line))) if line else [] for line in lines]


def _surfaces(found: Sequence[Any]) -> Iterator[Morpheme]:
    for each in found:
        yield Morpheme(each.surface, each.feature.pos)


def _stems(found: Sequence[Any]) -> Iterator[Morpheme]:
    """What is inflected, taken apart: 봤 is 보/VV and 았/EP. Compounds stay whole."""
    for each in found:
        if each.feature.type not in {"Inflect", "Preanalysis"} or not each.feature.expression:
            yield Morpheme(each.surface, each.feature.pos)
            continue
        for part in each.feature.expression.split("+"):
            form, tag = part.split("/")[:2]
            yield Morpheme(form, tag)
