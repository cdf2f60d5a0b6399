"""``tokenizer.json`` of the library `tokenizers`: words as a version reads them, as far as that library can say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from app.core.text import TextSpec, Tokens
from app.models.exports.selection import Selection

_CHARACTER = r"[\p{L}\p{M}\p{N}]"
_WORD = rf"(?=\p{{M}}*(?:'\p{{M}}+)*'?[\p{{L}}\p{{N}}]){_CHARACTER}+(?:'{_CHARACTER}+)*"
"""A run of letters, marks and digits that is not marks alone, with apostrophes inside."""
_BLANK = "[\u200b\u3164\uffa0]"
_FINAL_SIGMA = r"(?<=\p{L})Σ(?![\p{L}\p{M}\p{N}'\u2019])"


def differences(spec: TextSpec) -> list[str]:
    """Where the tokenizer reads text otherwise than the version."""
    found = ["The tables of Unicode are those of the library."]
    if spec.normalization == "nfkc_jamo_safe":
        found.append("Compatibility forms, such as full-width letters, are not folded: normalise text before.")
    if spec.options:
        found.append(f"It only splits at blanks: use the tokenizer {spec.options.kind!r} before.")
    if spec.stop_words or spec.max_word_length:
        found.append("Stop words and words that are too long are not left out, but unknown.")
    if spec.phrases:
        found.append("Phrases are not joined.")
    if spec.keep_tokens:
        found.append("A token that is kept whole is found after normalisation, not before.")
    return found


def write_tokenizer(selection: Selection, special: list[str], *, unknown: str, first: bool) -> Iterator[bytes]:
    """The file; `special` tokens, one of them `unknown`, have the ids before the words if `first`, or behind them."""
    spec = selection.manifest.text
    n_before = len(special) if first else 0
    ids = {token: (0 if first else selection.n_words) + i for i, token in enumerate(special)}
    added = [
        {"id": i, "content": token, "special": True}
        | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        for token, i in ids.items()
    ]
    described: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": list(_normalizers(spec))},
        "pre_tokenizer": _pre_tokenizer(spec),
        "post_processor": None,
        "decoder": None,
    }
    yield orjson.dumps(described)[:-1] + b',"model":{"type":"WordLevel","unk_token":' + orjson.dumps(unknown)
    yield b',"vocab":' + orjson.dumps(ids)[:-1]
    place = n_before
    for words in selection.blocks_of_words():
        yield b"".join([b",%b:%d" % (orjson.dumps(word), i) for i, word in enumerate(words, place)])
        place += len(words)
    yield b"}}}"


def free_token(selection: Selection, wanted: str) -> str:
    """The special token as it is called, or with underscores behind it where a word is spelled so."""
    while any(wanted in words for words in selection.blocks_of_words()):
        wanted += "_"
    return wanted


def _normalizers(spec: TextSpec) -> Iterator[dict[str, Any]]:
    composed = {"type": "NFC"}
    if spec.rules > 1:
        yield _replaced(_BLANK, " ")
    if spec.normalization != "none":
        yield _replaced(r"\p{Default_Ignorable_Code_Point}+", "")
        yield composed
    if spec.tokenizer == "words":
        yield _replaced("\u2019", "'")
    if spec.case == "lower":
        yield _replaced(_FINAL_SIGMA, "ς")
        yield {"type": "Lowercase"}
        if spec.normalization != "none":
            yield composed
    if spec.tokenizer == "items":
        yield _replaced(r"[^\S\n]+|[\x00-\x09\x0b-\x1f\x7f]+", " ")
        yield {"type": "Strip", "strip_left": True, "strip_right": True}


def _pre_tokenizer(spec: TextSpec) -> dict[str, Any]:
    if isinstance(spec.format, Tokens):
        return _split(rf"\s*(?:{re.escape(spec.format.separator)}|\n)\s*", takes_matches=False)
    if spec.tokenizer == "whitespace" or spec.options:
        return _split(r"[\s\x00-\x20]+", takes_matches=False)
    if not spec.keep_tokens:
        return _split(_WORD, takes_matches=True)
    tokens = {token.lower() if spec.case == "lower" else token for token in spec.keep_tokens}
    kept = "|".join(map(re.escape, sorted(tokens, key=len, reverse=True)))
    return _split(rf"(?<!{_CHARACTER})(?:{kept})(?!{_CHARACTER})|{_WORD}", takes_matches=True)


def _replaced(pattern: str, content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


def _split(pattern: str, *, takes_matches: bool) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": takes_matches}
