"""Slow, readable references for reading text and encoding a corpus. Imports no product code."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from dataclasses import dataclass

import regex

LINE_END = -1


def is_jamo(character: str) -> bool:
    point = ord(character)
    blocks = [(0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xD7B0, 0xD7FF), (0xFFA1, 0xFFDC)]
    return any(first <= point <= last for first, last in blocks)


@functools.cache
def is_invisible(character: str) -> bool:
    return regex.fullmatch(r"\p{Default_Ignorable_Code_Point}", character) is not None


def normalise(text: str, normalization: str) -> str:
    if normalization == "none":
        return text
    text = "".join(c for c in text if not is_invisible(c))
    if normalization == "nfkc_jamo_safe":
        folded = []
        for c in text:
            if not is_jamo(c):
                folded.append(unicodedata.normalize("NFKC", c))
            elif ord(c) >= 0xFFA1 and unicodedata.decomposition(c):
                folded.append(chr(int(unicodedata.decomposition(c).removeprefix("<narrow> "), 16)))
            else:
                folded.append(c)
        text = "".join(folded)
    return unicodedata.normalize("NFC", text)


def split_words(text: str) -> list[str]:
    """Runs of letters, marks and digits; an apostrophe between two of them is part of the run."""
    text = text.replace("\u2019", "'")
    inside = [is_word_character(c) for c in text]
    for i in range(1, len(text) - 1):
        if text[i] == "'" and is_word_character(text[i - 1]) and is_word_character(text[i + 1]):
            inside[i] = True
    words, word = [], ""
    for c, keep in zip(text, inside, strict=True):
        if keep:
            word += c
        elif word:
            words.append(word)
            word = ""
    return [*words, word] if word else words


@functools.cache
def is_word_character(character: str) -> bool:
    return regex.fullmatch(r"[\p{L}\p{M}\p{N}]", character) is not None


def words(text: str, normalization: str, case: str, tokenizer: str) -> list[str]:
    """All words of a text; code points 0 to 32 always separate them."""
    found = []
    for piece in regex.split("[\x00-\x20]+", text):
        normal = normalise(piece, normalization)
        for word in split_words(normal) if tokenizer == "words" else normal.split():
            cased = normalise(word.lower(), normalization) if case == "lower" else word
            found += [cased] if cased and len(cased.encode()) <= 65536 else []
    return found


@dataclass
class Encoded:
    words: list[str]
    counts: list[int]
    ids: list[int]
    n_corpus_tokens: int


def encode(lines: list[list[str]], min_count: int, max_words: int | None = None) -> Encoded:
    """Ids of lines that are split into words already."""
    counts = Counter(word for line in lines for word in line)
    order = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    kept = [word for word in order if counts[word] >= min_count][:max_words]
    number = {word: i for i, word in enumerate(kept)}
    ids: list[int] = []
    for line in lines:
        known = [number[word] for word in line if word in number]
        ids += [*known, LINE_END] if known else []
    return Encoded(kept, [counts[word] for word in kept], ids, sum(counts.values()))
