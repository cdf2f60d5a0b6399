"""Lines of text -> lines of words. Works on many lines at once, which is what makes it fast for a corpus."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from types import MappingProxyType

import regex

from app.core.errors import TokenizerUnusable
from app.core.names import MAX_WORD_BYTES
from app.core.text.compatibility import without_compatibility
from app.core.text.formats import Tokens
from app.core.text.phrases import PHRASES, Joiner
from app.core.text.spec import STOP_WORDS, WORD_CHARACTERS, TextSpec
from app.core.text.tokenizers import Resources, opened

# Bytes 0 to 32 separate words for every tokenizer, so that a corpus can be split before it is decoded.
_ASCII_SPACE = frozenset(range(33)) - {ord("\n")}
_SPACE = re.compile(r"[^\S\n]+|[\x00-\x09\x0b-\x20]+")
_NOT_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}'\n]+")
_OUTER_APOSTROPHE = regex.compile(rf"'(?:(?!{WORD_CHARACTERS})|(?<!{WORD_CHARACTERS}'))")
_OUTER_APOSTROPHE_ASCII = re.compile(r"'(?:(?![A-Za-z0-9])|(?<![A-Za-z0-9]'))")
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_BLANK = re.compile("[\u200b\u3164\uffa0]")
"""Zero-width space, which marks the ends of words in Thai, Khmer and Japanese, and the blanks of Hangul."""
_UNEVEN_CAPITAL = regex.compile(r"İ|(?!Σ)[\p{Lu}\p{Lt}]\p{M}+")
"""Capitals whose lower case may be more letters or fewer; which sigma it is depends on what follows."""
_MARKS_ALONE = regex.compile(r"(?<![^ \n])[\p{M}']+(?![^ \n])")
INNER_BLANK = "\x7f"
"""Stands for a blank inside an item until the words are numbered, because blanks separate words. It is one byte too."""
_BLANK_OF_ITEM = re.compile(r"[^\S\n ]+|[\x00-\x09\x0b-\x1f\x7f]+")
_OUTER_BLANK = re.compile(r"(?<![^ \n])\x7f+|\x7f+(?![^ \n])")
_INNER_BLANKS = re.compile(r"\x7f{2,}")
_BEFORE_WORD = regex.compile(r"^[\s\p{Ps}\p{Pi}\p{Pf}\"'¡¿]+")
_AFTER_WORD = regex.compile(r"[\s\p{Pe}\p{Pi}\p{Pf}\"'.,;:!?…。、，．！？：；]+$")
"""Marks that a word has beside it in a sentence; what else is dropped from a query may be half of its meaning."""
TEXTS_AT_A_TIME = 1000
MAX_CONTEXT = 1000
"""Characters of a line that a tokenizer reads together; longer ones are cut, at a blank where there is one."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """Text that UTF-8 can hold; JSON may carry halves of surrogate pairs."""
    return _SURROGATE.sub("\ufffd", text)


class TextReader:
    """Reads text as a spec says.

    Parameters
    ----------
    spec : what it says
    resources : the files that its tokenizer is made of
    threads : of the tokenizer, if it has any

    Raises
    ------
    ExtraMissing
    TokenizerUnusable
        A resource is not there, or not what it should be.
    """

    def __init__(self, spec: TextSpec, resources: Resources = MappingProxyType({}), threads: int = 1) -> None:
        self.spec = spec
        self.resources = resources
        _check_all_there(spec, resources)
        self._tokenizer = opened(spec.options, resources, threads) if spec.options else None
        self.needs_lines = bool(self._tokenizer and self._tokenizer.needs_lines)
        self._joiner = Joiner(resources[PHRASES]) if PHRASES in resources else None
        self._ascii = self._ascii_table()
        self._stop_words = frozenset(self._hidden(word) for word in self._listed_stop_words())
        self._kept = self._kept_pattern()

    @property
    def has_tokenizer(self) -> bool:
        """Whether one run between blanks may be several words by their meaning, not by the marks in it."""
        return self._tokenizer is not None

    def words(self, text: str) -> list[str]:
        """All words of any text, in order; line ends separate words like any other white space."""
        line = self.rewrite(self.separated(without_surrogates(text)).replace("\n", " "))
        words = _words_of_line(line)
        if self.spec.tokenizer == "items":
            words = [word.replace(INNER_BLANK, " ") for word in words]
        return self._joiner.joined(words) if self._joiner else words

    def words_of_each(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """The words of each text, as `words` finds them, but many texts are read at once."""
        for start in range(0, len(texts), TEXTS_AT_A_TIME):
            some = texts[start : start + TEXTS_AT_A_TIME]
            if isinstance(self.spec.format, Tokens):
                yield from map(self.words, some)
                continue
            joined = without_surrogates("\n".join([text.replace("\n", " ") for text in some]))
            lines = self.rewrite(self.separated(joined))
            found = map(_words_of_line, lines.split("\n"))
            yield from map(self._joiner.joined, found) if self._joiner else found

    def separated(self, text: str) -> str:
        """Text as `rewrite` wants it: blanks are between words alone, also where items have blanks inside.

        Where words depend on what stands beside them, they are found here, line by line.
        """
        if self.needs_lines:
            return self._tokenized(text)
        if not isinstance(self.spec.format, Tokens):
            return text
        apart = text.replace(self.spec.format.separator, "\0")
        return re.sub(r"[ \x01-\x09\x0b-\x1f]", INNER_BLANK, apart).replace("\0", " ")

    def rewrite(self, lines: str) -> str:
        """Replace each line by its words with spaces between (or around); the number of lines stays.

        No line depends on another one, and no word on those beside it.
        """
        lines = self._spelled(lines)
        return self._without_stop_words(lines) if self._stop_words or self.spec.max_word_length else lines

    def _spelled(self, lines: str) -> str:
        if isinstance(self.spec.format, Tokens):
            return self._items(lines, self.spec.format.separator)
        if self._tokenizer:
            return lines if self.needs_lines else self._tokenized(lines)
        if self._kept is None:
            return self._rewrite(lines)
        lines = self._prepare(lines)
        if self.spec.rules > 2 and self.spec.case == "lower":
            lines = _UNEVEN_CAPITAL.sub(lambda found: self._in_case(found.group()), lines)
        parts = self._kept.split(lines)  # what is kept is at the odd places
        parts[::2] = [self._rewrite(part) for part in parts[::2]]
        parts[1::2] = [f" {self._in_case(part)} " for part in parts[1::2]]
        return "".join(parts)

    @property
    def bytes_of_plain(self) -> bytes | None:
        """What `rewrite` does to each byte of text that is plain, 256 of them, or None if it is more than that.

        Plain is what has no character but ASCII, without apostrophes, and syllables and single letters of Hangul: no
        normalisation and no case changes those, and none of them is a mark.
        """
        says_more = self._tokenizer or self._kept or self._stop_words or self.spec.max_word_length
        if says_more or isinstance(self.spec.format, Tokens):
            return None
        return bytes(self._ascii.get(byte, byte) for byte in range(256))

    def folded(self, word: str) -> str:
        """The spelling that a word has after normalisation and change of case, whatever separates words."""
        return self._in_case(self._prepare(word))

    def is_whole(self, text: str) -> bool:
        """Whether a text that is one word lost nothing but the marks around a word in a sentence."""
        if self.spec.tokenizer != "words":
            return True
        inside = _AFTER_WORD.sub("", _BEFORE_WORD.sub("", text)).replace("\u2019", "'")
        words = self.words(text)
        return any(self._by_blanks.words(part) == words for part in (text, inside))

    def _tokenized(self, text: str) -> str:
        """Each line as the words that the tokenizer makes of it, with blanks between them."""
        assert self._tokenizer is not None  # noqa: S101 (for the type checker)
        lines = _SPACE.sub(" ", self._in_case(self._prepare(text))).split("\n")
        parts = [self._read_together(line) for line in lines]
        found = iter(self._tokenizer.tokenize([part for line in parts for part in line]))
        return "\n".join(" ".join(word for _ in line for word in next(found)) for line in parts)

    def _read_together(self, line: str) -> list[str]:
        """Runs between blanks, as the types of a corpus are read: of two ways to cut a run into pieces that are equally
        likely, rounding takes one, and rounds otherwise where there is text before it.
        """
        if self.needs_lines or self.spec.rules < 3:
            return _contexts(line)
        return [part for run in line.split(" ") for part in _contexts(run)]

    @cached_property
    def _by_blanks(self) -> TextReader:
        """Reads the same way, but drops no marks."""
        spec = self.spec.model_copy(update={"tokenizer": "whitespace", "keep_tokens": ()})
        return TextReader(spec, self.resources)

    def _rewrite(self, lines: str) -> str:
        if lines.isascii():
            lines = lines.translate(self._ascii)
            return _OUTER_APOSTROPHE_ASCII.sub(" ", lines) if self.spec.tokenizer == "words" else lines
        lines = self._prepare(lines)
        if self.spec.tokenizer == "words":
            lines = _NOT_WORD.sub(" ", lines.replace("\u2019", "'"))
            lines = _OUTER_APOSTROPHE.sub(" ", lines)
            if self.spec.rules > 1:
                lines = _MARKS_ALONE.sub(" ", lines)
        else:
            lines = _SPACE.sub(" ", lines)
        # Case comes after the split: what follows a word must not decide its final sigma.
        return self._in_case(lines)

    def _prepare(self, lines: str) -> str:
        return self._normalise(_BLANK.sub(" ", lines) if self.spec.rules > 1 else lines)

    def _in_case(self, lines: str) -> str:
        return self._normalise(lines.lower()) if self.spec.case == "lower" else lines

    def words_left_out(self, text: str) -> bool:
        """Whether there are words in this text that are left out by what they are."""
        return bool(self._spelled(self.separated(without_surrogates(text)).replace("\n", " ")).split())

    def _listed_stop_words(self) -> Sequence[str]:
        if not isinstance(self.spec.stop_words, str):
            return self.spec.stop_words
        try:
            return self.resources[STOP_WORDS].decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise TokenizerUnusable("The file of stop words is not UTF-8.") from error

    def _hidden(self, word: str) -> str:
        """A stop word as `rewrite` finds it, an item's blanks hidden."""
        return self.folded(word).strip().replace(" ", INNER_BLANK)

    def _without_stop_words(self, lines: str) -> str:
        longest = self.spec.max_word_length or MAX_WORD_BYTES
        kept = (
            " ".join([word for word in line.split(" ") if len(word) <= longest and word not in self._stop_words])
            for line in lines.split("\n")
        )
        return "\n".join(kept)

    def _kept_pattern(self) -> regex.Pattern[str] | None:
        """Matches the tokens to keep, the longest first, if there are any."""
        tokens = {self.folded(token) for token in self.spec.keep_tokens}
        listed = sorted((token for token in tokens if token and " " not in token), key=len, reverse=True)
        if not listed:
            return None
        either = "|".join(map(regex.escape, listed))
        flags = regex.IGNORECASE if self.spec.case == "lower" else 0
        return regex.compile(f"(?<!{WORD_CHARACTERS})({either})(?!{WORD_CHARACTERS})", flags)

    def _items(self, lines: str, separator: str) -> str:
        if not lines.isascii():
            lines = self._normalise(_BLANK.sub(INNER_BLANK, lines)).replace(separator, " ")
        lines = _OUTER_BLANK.sub("", _BLANK_OF_ITEM.sub(INNER_BLANK, self._in_case(lines)))
        return _INNER_BLANKS.sub(INNER_BLANK, lines)

    def _normalise(self, text: str) -> str:
        if self.spec.normalization == "none":
            return text
        text = _INVISIBLE.sub("", text)
        if self.spec.normalization == "nfkc_jamo_safe":
            text = without_compatibility(text, self.spec.rules)
        return unicodedata.normalize("NFC", text)

    def _ascii_table(self) -> dict[int, int]:
        """What each ASCII character becomes: itself, its lower case, or a space."""
        table = {point: ord(" ") for point in _ASCII_SPACE}
        for point in range(33, 128):
            character = chr(point)
            if self.spec.tokenizer == "words" and not character.isalnum() and character != "'":
                table[point] = ord(" ")
            elif self.spec.case == "lower":
                table[point] = ord(character.lower())
        return table


def _check_all_there(spec: TextSpec, resources: Resources) -> None:
    if missing := sorted(spec.needs() - resources.keys()):
        raise TokenizerUnusable(
            f"Text is read with {', '.join(missing)} here, but came with {', '.join(sorted(resources)) or 'no files'}; "
            "restore the version that has it from a backup, or train again."
        )


def _contexts(line: str) -> list[str]:
    """A line in parts that are not too long."""
    parts = []
    while len(line) > MAX_CONTEXT:
        cut = line.rfind(" ", 1, MAX_CONTEXT + 1)
        cut = cut if cut > 0 else MAX_CONTEXT
        parts.append(line[:cut])
        line = line[cut:].lstrip(" ")
    return [*parts, line]


def _words_of_line(line: str) -> list[str]:
    words = [word for word in line.split(" ") if word]
    if len(line) <= MAX_WORD_BYTES // 4:
        return words
    return [word for word in words if len(word.encode()) <= MAX_WORD_BYTES]
