"""TensorFlow's Embedding Projector: a tar of ``tensors.tsv`` and ``metadata.tsv``."""

from __future__ import annotations

from collections.abc import Iterator

from app.models.exports.selection import Selection
from app.models.exports.tar import Member, tar_of
from app.models.exports.text import numbers


def write_projector(selection: Selection) -> Iterator[bytes]:
    """Numbers with tabs between; words with their counts below a header, or words alone without one."""
    parts = {"tensors.tsv": _tensors, "metadata.tsv": _metadata}
    # each is made twice: a tar says the size of a file before its bytes
    sizes = {name: sum(map(len, make(selection))) for name, make in parts.items()}
    return tar_of(Member(name, sizes[name], make(selection)) for name, make in parts.items())


def _tensors(selection: Selection) -> Iterator[bytes]:
    for block in selection.blocks():
        yield b"".join([b"%b\n" % row.replace(b",", b"\t") for row in numbers(block.vectors)])


def _metadata(selection: Selection) -> Iterator[bytes]:
    if selection.counts_known:  # the projector takes the first line for a header if there are columns
        yield b"word\tcount\n"
    for block in selection.blocks():
        rows = (
            block.words
            if block.counts is None
            else [f"{word}\t{count}" for word, count in zip(block.words, block.counts.tolist(), strict=True)]
        )
        yield "".join([f"{row}\n" for row in rows]).encode()
