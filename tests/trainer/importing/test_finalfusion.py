"""finalfusion files: words, unit vectors and lengths; chunks that are not read are refused by name."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from app.core.errors import VectorsUnreadable
from tests.trainer.importing.conftest import Read

VECTORS = np.array([[0.6, 0.8], [0, -1], [1, 0]], np.float32)
WORDS = ["king", "왕", "sea"]


def simple(words: list[str]) -> bytes:
    encoded = [word.encode() for word in words]
    return struct.pack("<Q", len(words)) + b"".join(struct.pack("<I", len(word)) + word for word in encoded)


def written(*chunks: tuple[int, bytes | np.ndarray]) -> bytes:
    """A file of these chunks; arrays get the sizes and the gap that belong before them."""
    content = b"FiFu" + struct.pack(f"<II{len(chunks)}I", 0, len(chunks), *(kind for kind, _ in chunks))
    for kind, body in chunks:
        data = _numbers(body, len(content) + 12) if isinstance(body, np.ndarray) else body
        content += struct.pack("<IQ", kind, len(data)) + data
    return content


def test_words_and_vectors_are_read(read: Read) -> None:
    found = read(written((5, b"name = 'x'"), (1, simple(WORDS)), (2, VECTORS)))
    assert (found.words, found.vectors.tolist(), found.counts) == (WORDS, VECTORS.tolist(), None)


def test_vectors_get_their_lengths_back(read: Read) -> None:
    found = read(written((1, simple(WORDS)), (2, VECTORS), (6, np.array([2, 3, 0.5], np.float32))))
    np.testing.assert_array_equal(found.vectors, np.array([[1.2, 1.6], [0, -3], [0.5, 0]], np.float32))


def test_a_row_is_named_by_the_byte_of_its_word(read: Read) -> None:
    content = written((1, simple(["king", "king", "sea"])), (2, VECTORS))
    (found,) = read(content).report.found
    assert (found.what, found.first[0].at) == ("a word that came before", content.index(b"king", 45))


def _numbers(array: np.ndarray, place: int) -> bytes:
    sizes = struct.pack("<QII", *array.shape, 10) if array.ndim == 2 else struct.pack("<QI", len(array), 10)
    return sizes + bytes(4 - (place + len(sizes)) % 4) + array.tobytes()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (written((3, b""), (2, VECTORS)), "Byte 20: a vocabulary with buckets of subwords, which is not read. Convert"),
        (written((1, simple(WORDS)), (4, b"")), "a quantised matrix, which is not read"),
        (written((1, simple(WORDS)), (11, b"")), "a chunk of kind 11"),
        (written((1, simple(WORDS)), (1, simple(WORDS))), "a chunk of kind 1 .* came before"),
        (written((1, simple(WORDS))), "The file has no matrix"),
        (written((2, VECTORS)), "The file has no words"),
        (written((1, simple(WORDS[:2])), (2, VECTORS)), "the matrix has 3 rows, the vocabulary 2 words"),
        (written((1, simple(WORDS)), (2, VECTORS), (6, VECTORS[0])), "lengths of 2 for 3 words"),
        (written((1, simple(WORDS)), (2, VECTORS)) + b"x", "Its chunks end at byte 116, the file at byte 117"),
        (written((1, simple(WORDS)), (2, VECTORS))[:-1], "a chunk of kind 2 and 42 bytes; 41 follow"),
        (written((1, simple(WORDS) + b"x"), (2, VECTORS)), "a vocabulary of 3 words and 31 bytes has 3 words that end"),
        (written((1, struct.pack("<Q", 2**60)), (2, VECTORS)), "a vocabulary of 1152921504606846976 words"),
        (written((1, simple(WORDS)), (2, struct.pack("<QII", 2**40, 2**20, 10))), "numbers must fill their chunk"),
        (b"FiFu\x01\x00\x00\x00\x02\x00\x00\x00", "no finalfusion file of version 0"),
        (b"FiFu\x00\x00", "The file ends at byte 6, before it is complete"),
    ],
)
def test_what_is_not_read_is_named(read: Read, content: bytes, told: str) -> None:
    with pytest.raises(VectorsUnreadable, match=told):
        read(content)
