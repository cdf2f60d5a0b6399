"""The words among the tokens of a ``tokenizer.json``: tokens that begin a word, without the mark that says so."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from app.core.errors import VectorsUnreadable, reason

PIECE, SPECIAL, NO_TOKEN = "a piece inside words", "a special token", "a row without a token"
SPACE_MARK, BYTE_MARK = "\u2581", "\u0120"
"""Before the first piece of a word: of SentencePiece, and of byte-level BPE, which writes each byte as a letter."""
_UNHEARD_OF = "\ue000"
"""Of the private use area: no token has it."""
_SPECIAL = re.compile(r"\[(PAD|UNK|CLS|SEP|MASK|unused[0-9]+)\]|<[^<>\s]+>")
_AS_THEY_ARE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [byte for byte in range(256) if byte not in _AS_THEY_ARE]
_BYTES = {chr(byte): byte for byte in _AS_THEY_ARE} | {chr(256 + i): byte for i, byte in enumerate(_OTHERS)}


class Token(NamedTuple):
    """What a row stands for: a word, or what it is instead."""

    spelled: bytes
    instead: str | None


class _Tokenizer(NamedTuple):
    model: dict[str, Any]
    tokens: dict[int, str]
    special: set[int]
    added: set[int]


def tokens_of(content: bytes, place: int) -> dict[int, Token]:
    """Each row's token; `place` is where the content begins, for messages.

    Raises
    ------
    VectorsUnreadable
    """
    try:
        said = json.loads(content)
        tokenizer = _read(said)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise VectorsUnreadable(
            f"The tokenizer.json at byte {place} is not of a tokenizer whose vocabulary can be read.", byte=place
        ) from error
    if tokenizer.model.get("end_of_word_suffix"):
        raise VectorsUnreadable(
            f"The tokenizer at byte {place} marks the ends of words, not their beginnings; it is not read.", byte=place
        )
    mark = _mark(tokenizer)
    return {row: _token(row, token, tokenizer, mark) for row, token in tokenizer.tokens.items()}


def unreadable(content: bytes, n_tokens: int) -> str | None:
    """Why the library that will cut words into these tokens cannot take a tokenizer; None if it can."""
    from tokenizers import Tokenizer  # noqa: PLC0415 (a large library that few imports need)

    try:
        tokenizer = Tokenizer.from_str(content.decode())
        tokenizer.encode(f"a {_UNHEARD_OF}", add_special_tokens=False)
        last = max(tokenizer.get_vocab().values(), default=0)
    except Exception as error:  # the library raises nothing more exact
        return f"tokenizers does not read the tokenizer.json: {reason(error)}"
    return f"tokenizers numbers a token {last}, of {n_tokens}" if last >= n_tokens else None


def unknown_token(content: bytes) -> int | None:
    """The token that stands for what has none, of a tokenizer that `tokens_of` has read."""
    tokenizer = _read(json.loads(content))
    if "unk_id" in tokenizer.model:
        unknown: int | None = tokenizer.model["unk_id"]
        return unknown
    spelled = tokenizer.model.get("unk_token")
    return next((row for row, token in tokenizer.tokens.items() if token == spelled), None)


def _read(said: dict[str, Any]) -> _Tokenizer:
    model = said["model"]
    vocabulary = model["vocab"]
    if isinstance(vocabulary, list):
        tokens = {row: entry[0] for row, entry in enumerate(vocabulary)}
    else:
        tokens = {row: token for token, row in vocabulary.items()}
    added = {entry["id"]: entry for entry in said.get("added_tokens") or []}
    tokens |= {row: entry["content"] for row, entry in added.items()}
    if not all(type(row) is int and isinstance(token, str) for row, token in tokens.items()):
        raise TypeError
    special = {row for row, entry in added.items() if entry.get("special")}
    special |= {row for row, token in tokens.items() if _SPECIAL.fullmatch(token) or token == model.get("unk_token")}
    return _Tokenizer(model, tokens, special, added.keys() - special)


def _mark(tokenizer: _Tokenizer) -> str | None:
    """What stands before the first piece of a word; None where pieces inside words are marked, or none are."""
    if tokenizer.model.get("continuing_subword_prefix"):
        return None
    numbers = {
        mark: sum(token.startswith(mark) for token in tokenizer.tokens.values()) for mark in (SPACE_MARK, BYTE_MARK)
    }
    most = max(numbers, key=lambda mark: numbers[mark])
    return most if numbers[most] else None


def _token(row: int, token: str, tokenizer: _Tokenizer, mark: str | None) -> Token:
    prefix = tokenizer.model.get("continuing_subword_prefix")
    encoded = token.encode(errors="surrogatepass")
    if row in tokenizer.special:
        return Token(encoded, SPECIAL)
    if row in tokenizer.added:
        return Token(encoded, None)
    if mark is None:
        return Token(encoded, PIECE if prefix and token.startswith(prefix) and token != prefix else None)
    if not token.startswith(mark) or token == mark:
        return Token(encoded, PIECE)
    word = token[len(mark) :]
    if mark == BYTE_MARK and all(letter in _BYTES for letter in word):
        return Token(bytes(_BYTES[letter] for letter in word), None)
    return Token(word.encode(errors="surrogatepass"), None)
