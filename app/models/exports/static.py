"""Folders that models start from, as a tar: Model2Vec's, and one for PyTorch's `nn.Embedding`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson

from app.models.exports.selection import Selection
from app.models.exports.tar import Member, tar_of
from app.models.exports.tensors import Tensor, file_of, vectors_of
from app.models.exports.tokenizer import differences, free_token, write_tokenizer

_MODEL2VEC = """---
library_name: model2vec
---
# {n_words:,} words x {dim}

    from model2vec import StaticModel
    StaticModel.from_pretrained("FOLDER").encode(["..."])

A text's vector is the mean of its words' vectors, at length 1. Words that are not known count for nothing: `{unknown}`
is the last row, of zeros.

The tokenizer reads text as the version does, but:
{differences}
"""
_NN_EMBEDDING = """# {n_words:,} words x {dim}

    from safetensors.torch import load_file
    rows = load_file("FOLDER/model.safetensors")["embedding.weight"]
    torch.nn.Embedding.from_pretrained(rows, freeze=False, padding_idx=0)

Row 0 is `{padding}` and row 1 is `{unknown}`, both of zeros; word i of the version is row i + 2. `vocab.json` has the
row of each word, `tokenizer.json` is for the library tokenizers.

The tokenizer reads text as the version does, but:
{differences}
"""


def write_model2vec(selection: Selection) -> Iterator[bytes]:
    """``embeddings`` with a last row of zeros for words that are not known, and a tokenizer of whole words."""
    unknown = free_token(selection, "[UNK]")
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "normalize": True,
        "max_length": None,
        "embedding_dtype": "float32",
    }
    zeros = bytes(4 * selection.dim)

    def rows() -> Iterator[bytes]:
        yield from vectors_of(selection)
        yield zeros

    def model() -> Iterator[bytes]:
        return file_of([Tensor("embeddings", "F32", (selection.n_words + 1, selection.dim), rows())])

    def tokenizer() -> Iterator[bytes]:
        return write_tokenizer(selection, [unknown], unknown=unknown, first=False)

    return tar_of(
        [
            _read_me(selection, _MODEL2VEC, unknown=unknown),
            Member.of("config.json", orjson.dumps(config, option=orjson.OPT_INDENT_2)),
            _made_twice("tokenizer.json", tokenizer),
            _sized("model.safetensors", model, (selection.n_words + 1) * 4 * selection.dim),
        ]
    )


def write_nn_embedding(selection: Selection) -> Iterator[bytes]:
    """``embedding.weight`` with rows of zeros for padding and for words that are not known before the words."""
    padding, unknown = free_token(selection, "<pad>"), free_token(selection, "<unk>")
    zeros = bytes(2 * 4 * selection.dim)

    def rows() -> Iterator[bytes]:
        yield zeros
        yield from vectors_of(selection)

    def model() -> Iterator[bytes]:
        return file_of([Tensor("embedding.weight", "F32", (selection.n_words + 2, selection.dim), rows())])

    def vocabulary() -> Iterator[bytes]:
        yield orjson.dumps({padding: 0, unknown: 1})[:-1]
        place = 2
        for words in selection.blocks_of_words():
            yield b"".join([b",%b:%d" % (orjson.dumps(word), i) for i, word in enumerate(words, place)])
            place += len(words)
        yield b"}"

    def tokenizer() -> Iterator[bytes]:
        return write_tokenizer(selection, [padding, unknown], unknown=unknown, first=True)

    return tar_of(
        [
            _read_me(selection, _NN_EMBEDDING, unknown=unknown, padding=padding),
            _made_twice("vocab.json", vocabulary),
            _made_twice("tokenizer.json", tokenizer),
            _sized("model.safetensors", model, (selection.n_words + 2) * 4 * selection.dim),
        ]
    )


def _read_me(selection: Selection, text: str, **named: str) -> Member:
    listed = "\n".join(f"- {line}" for line in differences(selection.manifest.text))
    told = text.format(n_words=selection.n_words, dim=selection.dim, differences=listed, **named)
    return Member.of("README.md", told.encode())


def _made_twice(name: str, make: Callable[[], Iterator[bytes]]) -> Member:
    """A file whose size is known when it has been made once."""
    return Member(name, sum(map(len, make())), make())


def _sized(name: str, make: Callable[[], Iterator[bytes]], n_bytes: int) -> Member:
    """A file of tensors, whose head is followed by so many bytes."""
    return Member(name, len(next(make())) + n_bytes, make())
