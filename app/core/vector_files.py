"""Files of word vectors: their formats, known by the first bytes; what is refused is named, with what to do."""

from __future__ import annotations

import codecs
import io
import re
import struct
from contextlib import suppress
from typing import Literal, NamedTuple

from app.core.errors import VectorsUnreadable
from app.core.magic import GZIP, PARQUET, XZ, ZIP, ZSTD
from app.core.table.manifest import INDEX_FILE, MANIFEST_FILE, RESOURCE_NAME, TABLE_FILE
from app.core.tar import MAGIC, MAGIC_AT, members

VectorFormat = Literal[
    "word2vec-text",
    "word2vec-binary",
    "glove",
    "safetensors",
    "npy",
    "finalfusion",
    "fasttext-binary",
    "native",
    "model2vec",
]
RequestedFormat = Literal["auto", VectorFormat]
WITHOUT_WORDS: frozenset[str] = frozenset({"safetensors", "npy"})
"""Formats of a matrix alone; its words are the lines of a vocabulary."""
ExportFormat = Literal[
    "word2vec-text",
    "word2vec-binary",
    "glove",
    "fasttext-vec",
    "fasttext-binary",
    "npz",
    "jsonl",
    "safetensors",
    "parquet",
    "arrow",
    "finalfusion",
    "projector",
    "synonyms",
    "model2vec",
    "nn-embedding",
    "native",
]
HEAD_BYTES = 1 << 20
"""What is looked at."""
FASTTEXT_MAGIC = b"\xba\x16\x4f\x2f"
MODEL_FILE, TOKENIZER_FILE, STATIC_FOLDER = "model.safetensors", "tokenizer.json", "0_StaticEmbedding"
MODEL2VEC_MEMBER = rf"(?:[^/]+/)?(?:{STATIC_FOLDER}/)?(model\.safetensors|tokenizer\.json)"
"""Where these files are in a folder of Model2Vec or of sentence-transformers' StaticEmbedding."""

_PICKLE = "it could run code. Save the vectors with gensim: kv.save_word2vec_format('vectors.bin', binary=True)"
_PACKED = "send it unpacked, or add -H 'Content-Encoding: {}' to the upload"
_HEADER = re.compile(rb"[ \t]*([0-9]{1,12})[ \t]+([0-9]{1,9})[ \t]*\r?\n")
_NUMBER = re.compile(rb"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class _Refused(NamedTuple):
    magic: re.Pattern[bytes]
    name: str
    advice: str


_REFUSED = (
    _Refused(re.compile(rb"\x80[\x02-\x05]"), "a Python pickle", _PICKLE),
    _Refused(
        re.compile(re.escape(ZIP)), "a zip archive", "unpack it; of PyTorch and numpy, save one table as safetensors"
    ),
    _Refused(re.compile(re.escape(GZIP)), "gzip", _PACKED.format("gzip")),
    _Refused(re.compile(re.escape(ZSTD)), "zstd", _PACKED.format("zstd")),
    _Refused(re.compile(rb"BZh[1-9]1AY&SY"), "bzip2", "send it unpacked"),
    _Refused(re.compile(re.escape(XZ)), "xz", "send it unpacked"),
    _Refused(re.compile(rb"SQLite format 3\x00"), "an SQLite database", "export it as word2vec text"),
    _Refused(re.compile(rb"\x89HDF"), "HDF5", "export it as word2vec text"),
    _Refused(re.compile(re.escape(PARQUET)), "Parquet", "write it as safetensors, or as word2vec text"),
)


_RECOGNISED: tuple[tuple[re.Pattern[bytes], VectorFormat], ...] = (
    (re.compile(rb"\x93NUMPY"), "npy"),
    (re.compile(rb"FiFu"), "finalfusion"),
    (re.compile(re.escape(FASTTEXT_MAGIC)), "fasttext-binary"),
    (re.compile(rb".{4}\x00{4}\{", re.DOTALL), "safetensors"),
)


class TextShape(NamedTuple):
    """What the first lines of a text say: whether there is a header, what it promises, and the numbers in a row."""

    n_header_bytes: int
    n_words: int | None
    dim: int


def recognise(head: bytes) -> VectorFormat:
    """The format of a file that begins so, or raise `VectorsUnreadable`."""
    for refused in _REFUSED:
        if refused.magic.match(head):
            raise VectorsUnreadable(f"The file looks like {refused.name}: {refused.advice}.", kind=refused.name)
    for magic, name in _RECOGNISED:
        if magic.match(head):
            return name
    if head[MAGIC_AT:].startswith(MAGIC):
        return _in_tar(head)
    if _is_old_fasttext(head):
        return "fasttext-binary"
    header = _HEADER.match(head)
    if header:
        rest = head[header.end() :]
        is_text = _is_text_row(rest, int(header[2])) or _is_text(rest)
        return "word2vec-text" if is_text else "word2vec-binary"
    text_shape(head)
    return "glove"


def text_shape(head: bytes) -> TextShape:
    """Read the first lines of a text of vectors.

    The first is a header if it is two whole numbers and the second has as many numbers as it says, and a word. Without
    one the rows have the fewest numbers that a line has: words may have spaces inside.

    Raises
    ------
    VectorsUnreadable
    """
    header = _HEADER.match(head)
    if header and (_is_text_row(head[header.end() :], int(header[2])) or not _is_text_row(head, 1)):
        return TextShape(header.end(), int(header[1]), int(header[2]))
    lines = head[: head.rfind(b"\n") + 1 or len(head)].split(b"\n")[:1000]
    numbers = [_trailing_numbers(line) for line in lines if line.strip()]
    dim = min(numbers, default=0)
    if dim < 1:
        line = numbers.index(0) + 1 if numbers else 1
        raise VectorsUnreadable(
            f"Line {line} is not a word with numbers after it, so that this is no text of vectors: "
            f"{lines[line - 1][:80].decode(errors='replace')!r}.",
            line=line,
        )
    return TextShape(0, None, dim)


def binary_header(head: bytes) -> TextShape:
    """The first line of a binary file of word2vec; raises `VectorsUnreadable`."""
    header = _HEADER.match(head)
    if header is None or not int(header[2]):
        raise VectorsUnreadable("The first line must be the number of words and of dimensions, as 400000 100.", byte=0)
    return TextShape(header.end(), int(header[1]), int(header[2]))


def expected_shape(head: bytes, name: str, n_bytes: int) -> TextShape | None:
    """About how many words and dimensions a file that begins so has, if that shows; a header may promise too much."""
    if name not in {"word2vec-text", "glove", "word2vec-binary"}:
        return None
    is_binary = name == "word2vec-binary"
    with suppress(VectorsUnreadable):  # the job says why
        shape = binary_header(head) if is_binary else text_shape(head)
        row_bytes = 4 * shape.dim + 2 if is_binary else len(head) / max(1, head.count(b"\n"))
        n_rows = int(n_bytes / row_bytes)
        return shape._replace(n_words=min(n_rows, shape.n_words or n_rows)) if n_rows else None
    return None


def _in_tar(head: bytes) -> VectorFormat:
    """What a tar holds, by the names of its first files."""
    with suppress(VectorsUnreadable):  # where the beginning ends
        for member in members(io.BytesIO(head)):
            if member.name in {MANIFEST_FILE, TABLE_FILE, INDEX_FILE} or RESOURCE_NAME.fullmatch(member.name):
                return "native"
            if re.fullmatch(MODEL2VEC_MEMBER, member.name):
                return "model2vec"
    raise VectorsUnreadable(
        f"The file is a tar, and begins with no file of an exported version ({MANIFEST_FILE}, {TABLE_FILE}) or of "
        f"Model2Vec ({MODEL_FILE}, {TOKENIZER_FILE}).",
        byte=0,
    )


def _is_old_fasttext(head: bytes) -> bool:
    """Whether this begins with the settings of a fastText model of before its format had a magic number."""
    if len(head) < 56:
        return False
    said = struct.unpack_from("<12i", head)
    highest = (1 << 14, 1000, 10**6, 10**6, 10**4, 100, 4, 3, 10**9, 64, 64, 10**9)
    lowest = (1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0)
    return all(low <= value <= high for low, value, high in zip(lowest, said, highest, strict=True))


def _is_text(rest: bytes) -> bool:
    """Whether this can be text; numbers in binary nearly always have bytes that text has not."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(rest)
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(rest)


def _is_text_row(rest: bytes, dim: int) -> bool:
    line = rest.split(b"\n", 1)[0]
    fields = line.split()
    return 0 < dim < len(fields) and all(_NUMBER.fullmatch(field) for field in fields[-dim:])


def _trailing_numbers(line: bytes) -> int:
    """How many numbers the line ends with; a word comes first."""
    fields = line.split()
    found = 0
    for field in reversed(fields[1:]):
        if not _NUMBER.fullmatch(field):
            break
        found += 1
    return found
