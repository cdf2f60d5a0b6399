"""Korean morphemes by Kiwi. The library is an extra: `pip install 'wordkin[kiwi]'`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from app.core.errors import TokenizerUnusable
from app.core.extras import load_extra
from app.core.text.tokenizers.morphemes import DICTIONARY, Morpheme, MorphemeOptions, entries
from app.core.text.tokenizers.seam import Resources

EXTRA = ("kiwipiepy", "kiwi", "The tokenizer kiwi")


class Kiwi(MorphemeOptions):
    """Copes with wrong spacing and new words; takes half a gigabyte and some seconds to load."""

    kind: Literal["kiwi"] = "kiwi"
    packages: ClassVar[tuple[str, ...]] = ("kiwipiepy", "kiwipiepy_model")
    bytes_per_second: ClassVar[float] = 120e3
    has_threads: ClassVar[bool] = True

    def check_installed(self) -> None:
        load_extra(*EXTRA)

    def open(self, resources: Resources, threads: int, /) -> KiwiTokenizer:
        return KiwiTokenizer(self, _opened(resources.get(DICTIONARY, b""), threads))


@functools.lru_cache(maxsize=2)
def _opened(dictionary: bytes, threads: int) -> Any:
    """The library's analyser, shared by all that read with the same dictionary."""
    analyser = load_extra(*EXTRA).Kiwi(num_workers=threads)
    for number, (word, tag, score) in enumerate(entries(dictionary), 1):
        try:
            analyser.add_user_word(word, tag, score or 0.0)
        except ValueError as error:
            raise TokenizerUnusable(f"Entry {number} of the user dictionary is refused: {error}.") from error
    return analyser


class KiwiTokenizer:
    """Reads many lines at once with the library's own threads."""

    needs_lines = True

    def __init__(self, options: Kiwi, analyser: Any) -> None:
        self._options = options
        self._analyser = analyser

    def tokenize(self, lines: Sequence[str]) -> list[list[str]]:
        read = _stems if self._options.form == "stem" else _surfaces
        found = self._analyser.tokenize(list(lines))
        return [self._options.words(read(line, tokens)) for line, tokens in zip(lines, found, strict=True)]


def _stems(_: str, tokens: Sequence[Any]) -> Iterator[Morpheme]:
    for token in tokens:
        yield Morpheme(token.form, _plain(token.tag))


def _surfaces(line: str, tokens: Sequence[Any]) -> Iterator[Morpheme]:
    """Stretches of the text; morphemes that have grown together are one, with the tag of the first."""
    start, end, tag = 0, 0, ""
    for token in tokens:
        if tag and token.start < end:
            end = max(end, token.start + token.len)
            continue
        if end > start:
            yield Morpheme(line[start:end], tag)
        start, end, tag = token.start, token.start + token.len, _plain(token.tag)
    if end > start:
        yield Morpheme(line[start:end], tag)


def _plain(tag: str) -> str:
    """Without what says how a verb is inflected."""
    return tag.partition("-")[0]
