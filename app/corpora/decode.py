"""Text in any encoding -> UTF-8, piece by piece, or the place where it is not what it is said to be."""

from __future__ import annotations

import codecs
import difflib
import encodings
import encodings.aliases
import pkgutil
from functools import cache
from typing import Literal

from app.core.errors import CorpusNotText, InvalidRequest

InvalidUtf8 = Literal["reject", "replace"]

_CONTEXT_BYTES = 2048
_NO_CHARACTER_SETS = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}


@cache
def _spellings() -> frozenset[str]:
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return frozenset(modules | set(encodings.aliases.aliases)) - {"aliases"}


def known_encoding(name: str) -> str:
    """The usual name of a text encoding, or `InvalidRequest` with near ones."""
    spelled = encodings.normalize_encoding(name).lower()
    if spelled in _spellings():
        try:
            found = codecs.lookup(spelled)
        except LookupError:  # of another platform
            found = None
        is_text = found is not None and found._is_text_encoding  # what str.encode itself looks at
        if found and is_text and found.name.replace("-", "_") not in _NO_CHARACTER_SETS:
            return found.name
    near = [found.replace("_", "-") for found in difflib.get_close_matches(spelled, sorted(_spellings()), 3)]
    hint = f"; near names: {', '.join(near)}" if near else ""
    raise InvalidRequest(
        f"{name[:100]!r} is no text encoding that is known here, such as utf-8, cp949 or utf-16{hint}.",
        encoding=name[:100],
        suggestions=near,
    )


class TextDecoder:
    """Strict, but for UTF-8 whose invalid bytes are to be replaced.

    Parameters
    ----------
    encoding : any text encoding of Python's
    invalid_utf8 : "replace" puts U+FFFD in the place of what is not UTF-8
    """

    def __init__(self, encoding: str = "utf-8", invalid_utf8: InvalidUtf8 = "reject") -> None:
        self.encoding = known_encoding(encoding)
        self._replaces = invalid_utf8 == "replace"
        if self._replaces and self.encoding != "utf-8":
            raise InvalidRequest("invalid_utf8=replace is for UTF-8; other encodings are read strictly.")
        self._decoder = codecs.getincrementaldecoder(self.encoding)("replace" if self._replaces else "strict")
        self._n_bytes = 0
        self._is_begun = False

    def utf8(self, piece: bytes, *, final: bool) -> bytes:
        """The next piece as UTF-8; characters that are cut wait for the next one.

        Raises
        ------
        CorpusNotText
        """
        waiting = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise self._not_text(error, self._n_bytes - len(waiting), waiting + piece) from error
        self._n_bytes += len(piece)
        if self.encoding == "utf-8" and not self._replaces:
            return piece
        if text and not self._is_begun:
            self._is_begun, text = True, self._first(text)
        try:
            return text.encode()
        except UnicodeEncodeError as error:  # a codec that lets halves of surrogate pairs through
            raise CorpusNotText(f"The body has half a surrogate pair, read as {self.encoding}.") from error

    def _first(self, text: str) -> str:
        if text.count("\ufffd") * 3 > len(text):
            raise CorpusNotText("Much of the body is not UTF-8: with replacements no text would be left of it.")
        return text if self.encoding == "utf-8" else text.removeprefix("\ufeff")

    def _not_text(self, error: UnicodeDecodeError, start: int, data: bytes) -> CorpusNotText:
        offset = start + error.start
        said = f"Byte {offset} is not valid {self.encoding.upper()} ({error.reason})"
        members = {"offset": offset} if self.encoding == "utf-8" else {"offset": offset, "encoding": self.encoding}
        if self.encoding != "utf-8":
            return CorpusNotText(f"{said}; is that the text's encoding?", **members)
        if _is_korean(data, error.start):
            return CorpusNotText(f"{said}, but it is valid CP949: add ?encoding=cp949.", suggestion="cp949", **members)
        return CorpusNotText(
            f"{said}; say its encoding with ?encoding=, convert the text, or send invalid_utf8=replace.", **members
        )


def _is_korean(data: bytes, position: int) -> bool:
    """Whether the line around a byte reads as Korean in CP949."""
    begin = max(data.rfind(b"\n", 0, position) + 1, position - _CONTEXT_BYTES)
    end = data.find(b"\n", position, position + _CONTEXT_BYTES)
    line = data[begin : end if end >= 0 else position + _CONTEXT_BYTES]
    try:
        text = codecs.getincrementaldecoder("cp949")().decode(line)
    except UnicodeDecodeError:
        return False
    n_foreign = sum(character > "\x7f" for character in text)
    n_hangul = sum("가" <= character <= "힣" for character in text)
    return n_hangul >= 2 and n_hangul * 2 > n_foreign
