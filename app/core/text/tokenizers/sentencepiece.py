"""Pieces of words (Kudo and Richardson 2018). The library is an extra: `pip install 'wordkin[sentencepiece]'`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from app.core.errors import TokenizerUnusable
from app.core.extras import load_extra
from app.core.names import FileReference
from app.core.text.tokenizers.seam import RESOURCES, Resources, TokenizerOptions

MODEL = f"{RESOURCES}/sentencepiece.model"
WORD_BEGINS = "\u2581"
INSIDE = "##"
"""Before a piece that begins no word, so that a piece which begins one is spelled as that word."""

LEARNED_BYTES_PER_SECOND = {"unigram": 260e3, "bpe": 1e6}
"""Of a corpus of 8 MB (benchmarks/README.md)."""
MOST_LEARNED_BYTES = 32 << 20
"""About here a corpus has as many distinct runs as are learned of."""


class SentencePiece(TokenizerOptions):
    """Pieces that are learned of the corpus, or those of an uploaded model; pieces inside words begin with ##."""

    kind: Literal["sentencepiece"] = "sentencepiece"
    n_pieces: Annotated[int, Field(ge=300, le=1 << 20, description="at most; 256 of them are bytes")] = 8000
    model_type: Literal["unigram", "bpe"] = "unigram"
    character_coverage: Annotated[
        float, Field(gt=0.9, le=1, description="share of the characters that are pieces; others are bytes")
    ] = 0.9995
    model: Annotated[FileReference | None, Field(description="an uploaded model, instead of a learned one")] = None
    packages: ClassVar[tuple[str, ...]] = ("sentencepiece",)
    is_learned: ClassVar[bool] = True

    def files(self) -> dict[str, str]:
        return {MODEL: self.model} if self.model else {}

    def needs(self) -> tuple[str, ...]:
        return (MODEL,)

    def expected_seconds(self, n_bytes: int, _threads: int, /) -> float:
        return 0.0 if self.model else min(n_bytes, MOST_LEARNED_BYTES) / LEARNED_BYTES_PER_SECOND[self.model_type]

    def check_installed(self) -> None:
        load_extra("sentencepiece", "sentencepiece", "The tokenizer sentencepiece")

    def check_resources(self, resources: Resources) -> None:
        PieceTokenizer(resources[MODEL])

    def open(self, resources: Resources, _: int, /) -> PieceTokenizer:
        self.check_installed()
        return PieceTokenizer(resources[MODEL])


class PieceTokenizer:
    """A model of the library; no piece spans a blank, so that runs are read alone."""

    needs_lines = False

    def __init__(self, model: bytes) -> None:
        library = load_extra("sentencepiece", "sentencepiece", "The tokenizer sentencepiece")
        self._processor: Any = library.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
            self._processor.encode("a", out_type=str)
        except RuntimeError as error:
            raise TokenizerUnusable("The file is no model of sentencepiece.") from error

    def tokenize(self, lines: Sequence[str]) -> list[list[str]]:
        return [_spelled(pieces) for pieces in self._processor.encode(list(lines), out_type=str)]


def _spelled(pieces: list[str]) -> list[str]:
    words = []
    for piece in pieces:
        if piece == WORD_BEGINS:
            words.append(piece)
        elif piece.startswith(WORD_BEGINS):
            words.append(piece[1:].replace(WORD_BEGINS, "_"))
        else:
            words.append(INSIDE + piece.replace(WORD_BEGINS, "_"))
    return words
