"""Models of Model2Vec and StaticEmbedding as a tar of their folder: a vector a token; tokens that are words stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsUnreadable
from app.core.table.arrays import FloatArray
from app.core.table.parts import MAX_TOKENIZER_BYTES, TOKENIZER, Parts, Pieces
from app.core.tar import Member, members
from app.core.text import TextReader
from app.core.vector_files import MODEL2VEC_MEMBER, MODEL_FILE, TOKENIZER_FILE
from trainer.importing.matrix import Matrix, as_float32
from trainer.importing.rows import Batch, Collected, Collector
from trainer.importing.safetensors import Tensor, as_matrix, matrix_of, tensors_of
from trainer.importing.source import Source, check_shape
from trainer.importing.tokens import NO_TOKEN, Token, tokens_of, unknown_token, unreadable

_NONE = Token(b"", NO_TOKEN)


class _Model(NamedTuple):
    """A table whose rows stay in the file; token i has row `mapping[i]` times `weights[i]`, where there are such."""

    table: Matrix
    rows: npt.NDArray[np.generic]
    mapping: npt.NDArray[np.generic] | None
    weights: FloatArray | None
    n_tokens: int


def read_model2vec(source: Source) -> Collected:
    """Read the vectors of all tokens that are words.

    Raises
    ------
    VectorsUnreadable
        With the byte.
    """
    with source.path.open("rb") as file:
        found = _found(file, source.n_bytes)
        content = _content(file, found[TOKENIZER_FILE])
    tokens = tokens_of(content, found[TOKENIZER_FILE].start)
    model = _model(source.path, found[MODEL_FILE])
    if outside := [row for row in tokens if not 0 <= row < model.n_tokens]:
        raise VectorsUnreadable(
            f"The tokenizer (at byte {found[TOKENIZER_FILE].start}) has the token {outside[0]}; the model has vectors "
            f"of {model.n_tokens}.",
            byte=found[TOKENIZER_FILE].start,
        )
    check_shape(model.n_tokens, model.table.dim)
    collector = Collector(model.n_tokens, model.table.dim, source.policies, source.reader, "row")
    for start in range(0, model.n_tokens, model.table.rows_at_once):
        end = min(start + model.table.rows_at_once, model.n_tokens)
        some = [tokens.get(row, _NONE) for row in range(start, end)]
        kept = np.array([row for row, token in enumerate(some, start) if token.instead is None], np.int64)
        for row, token in enumerate(some, start):
            if token.instead:
                collector.n_rows += 1
                collector.leave_out(token.instead, token.spelled.decode(errors="replace"), row + 1, "drop")
        words = [tokens[row].spelled for row in kept.tolist()]
        collector.take(Batch(words, _vectors(model, kept), (kept + 1).tolist()))
        source.told(end / model.n_tokens)
    collected = collector.finish()
    if why := unreadable(content, model.n_tokens):
        return replace(collected, not_composed=why)
    unknown = unknown_token(content)
    tokens = {row: token for row, token in tokens.items() if row != unknown}
    parts = _parts(model, tokens, collected, source.reader)
    return replace(collected, parts=parts, resources={TOKENIZER: content})


def _parts(model: _Model, tokens: Mapping[int, Token], collected: Collected, reader: TextReader) -> Parts:
    """Rows of the tokens that are no words of the table, and which word each other token is."""
    ids = {word: i for i, word in enumerate(collected.words)}
    token_words = np.full(model.n_tokens, -1, np.int32)
    keys, rows = [], []
    some = np.array(sorted(tokens), np.int64)
    for start in range(0, len(some), model.table.rows_at_once):
        block = some[start : start + model.table.rows_at_once]
        vectors = _vectors(model, block)
        words = [reader.folded(tokens[row].spelled.decode(errors="replace")).strip() for row in block.tolist()]
        found = np.array([ids.get(word, -1) for word in words], np.int32)
        found[(collected.vectors[found] != vectors).any(axis=1)] = -1
        token_words[block] = found
        others = (found < 0) & np.isfinite(vectors).all(axis=1)
        keys.append(block[others].astype(np.int32))
        rows.append(vectors[others])
    return Parts(Pieces(), np.concatenate(rows), np.concatenate(keys), token_words)


def _found(file: BinaryIO, n_bytes: int) -> dict[str, Member]:
    """The two files that are read; what else is in the folder is not looked at."""
    found: dict[str, Member] = {}
    for member in members(file):
        matched = re.fullmatch(MODEL2VEC_MEMBER, member.name)
        if matched is None:
            continue
        if matched[1] in found or member.start + member.n_bytes > n_bytes:
            raise VectorsUnreadable(
                f"Byte {member.start}: a second {matched[1]}, or the tar was cut.", byte=member.start
            )
        found[matched[1]] = member
    for name in MODEL_FILE, TOKENIZER_FILE:
        if name not in found:
            raise VectorsUnreadable(f"The tar has no {name}; it ends at byte {n_bytes}.", byte=n_bytes)
    return found


def _content(file: BinaryIO, member: Member) -> bytes:
    if member.n_bytes > MAX_TOKENIZER_BYTES:
        raise VectorsUnreadable(
            f"The {TOKENIZER_FILE} at byte {member.start} has {member.n_bytes} bytes; {MAX_TOKENIZER_BYTES} are read.",
            byte=member.start,
        )
    file.seek(member.start)
    return file.read(member.n_bytes)


def _model(path: Path, member: Member) -> _Model:
    tensors = tensors_of(path, member.start, member.n_bytes)
    table = matrix_of(path, tensors)
    mapping = _mapping(path, tensors["mapping"], table) if "mapping" in tensors else None
    n_tokens = table.n_rows if mapping is None else len(mapping)
    weights = None
    if "weights" in tensors:
        tensor = tensors["weights"]
        if tensor.shape != (n_tokens,):
            raise _misfit("weights", tensor, f"{n_tokens} tokens")
        matrix = as_matrix(path, "weights", tensor._replace(shape=(n_tokens, 1)))
        weights = as_float32(matrix.mapped(), matrix.dtype)
    return _Model(table, table.mapped(), mapping, weights, n_tokens)


def _mapping(path: Path, tensor: Tensor, table: Matrix) -> npt.NDArray[np.generic]:
    """The row of each token, all within the table."""
    if tensor.dtype not in {"I64", "I32"} or len(tensor.shape) != 1 or not tensor.shape[0]:
        raise _misfit("mapping", tensor, "one row a token")
    mapping = np.memmap(path, "<i8" if tensor.dtype == "I64" else "<i4", "r", tensor.start, tensor.shape)
    if mapping.min() < 0 or mapping.max() >= table.n_rows:
        raise _misfit("mapping", tensor, f"rows from 0 to {table.n_rows - 1} alone")
    return mapping


def _vectors(model: _Model, kept: npt.NDArray[np.int64]) -> Any:
    rows = kept if model.mapping is None else model.mapping[kept]
    vectors = as_float32(model.rows[rows], model.table.dtype)
    if model.weights is None:
        return vectors
    with np.errstate(all="ignore"):
        return vectors * model.weights[kept]


def _misfit(name: str, tensor: Tensor, told: str) -> VectorsUnreadable:
    return VectorsUnreadable(
        f"Byte {tensor.start}: `{name}` is {tensor.dtype} {list(tensor.shape)}; it should have {told}.",
        byte=tensor.start,
    )
