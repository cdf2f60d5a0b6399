"""Korean morphemes by Kiwi. The library is an extra: `pip install 'wordkin[kiwi]'`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from app.core.errors import TokenizerUnusable
from app.core.extras import load_extra
from app.core.names import FileReference
from app.core.text.tokenizers.morphemes import Morpheme, MorphemeOptions
from app.core.text.tokenizers.seam import RESOURCES, Resources

DICTIONARY = f"{RESOURCES}/user_dictionary.tsv"
EXTRA = ("kiwipiepy", "kiwi", "The tokenizer kiwi")


class Kiwi(MorphemeOptions):
    """Copes with wrong spacing and new words; takes half a gigabyte and some seconds to load."""

    kind: Literal["kiwi"] = "kiwi"
    user_dictionary: Annotated[
        FileReference | None, Field(description="an uploaded file; a line: word, tab, tag, perhaps tab and score")
    ] = None
    packages: ClassVar[tuple[str, ...]] = ("kiwipiepy", "kiwipiepy_model")
    has_threads: ClassVar[bool] = True

    def files(self) -> dict[str, str]:
        return {DICTIONARY: self.user_dictionary} if self.user_dictionary else {}

    def check_installed(self) -> None:
        load_extra(*EXTRA)

    def check_resources(self, resources: Resources) -> None:
        for _ in _entries(resources[DICTIONARY]):
            pass

    def open(self, resources: Resources, threads: int, /) -> KiwiTokenizer:
        return KiwiTokenizer(self, _opened(resources.get(DICTIONARY, b""), threads))


@functools.lru_cache(maxsize=2)
def _opened(dictionary: bytes, threads: int) -> Any:
    """The library's analyser, shared by all that read with the same dictionary."""
    analyser = load_extra(*EXTRA).Kiwi(num_workers=threads)
    for number, (word, tag, score) in enumerate(_entries(dictionary), 1):
        try:
            analyser.add_user_word(word, tag, score)
        except ValueError as error:
            raise TokenizerUnusable(f"Entry {number} of the user dictionary is refused: {error}.") from error
    return analyser


def _entries(dictionary: bytes) -> Iterator[tuple[str, str, float]]:
    try:
        lines = dictionary.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise TokenizerUnusable("The user dictionary is not UTF-8.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        try:
            word, tag, score = fields[0].strip(), fields[1].strip(), float(fields[2]) if len(fields) > 2 else 0.0
        except (IndexError, ValueError) as error:
            raise TokenizerUnusable(f"Line {number} of the user dictionary is not: word, tab, tag.") from error
        yield word, tag, score


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
