"""Matrices of safetensors and numpy with the words of a vocabulary: every type of number, and headers that lie."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from app.core.errors import VectorsUnreadable
from tests.trainer.importing.conftest import Read

VECTORS = np.array([[1, 2, 3], [-4, 5.5, 6]], np.float32)
WORDS = "king\n왕\n".encode()


def tensors(header: dict[str, Any], n_data: int = 24) -> bytes:
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + bytes(n_data)


def entry(*shape: int, dtype: str = "F32", at: tuple[int, int] = (0, 24)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(at)}


def saved(vectors: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, vectors)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("write", [saved, lambda vectors: save({"any": vectors})])
def test_numbers_of_each_width_are_read(read: Read, write: Any, dtype: type) -> None:
    found = read(write(VECTORS.astype(dtype)), vocabulary=WORDS)
    assert (found.words, found.vectors.tolist(), found.counts) == (["king", "왕"], VECTORS.tolist(), None)


def test_whole_numbers_and_the_upper_halves_of_float32_are_read(read: Read) -> None:
    whole = np.array([[1, -128, 3], [4, 5, 127]], np.int8)
    assert read(save({"vectors": whole}), vocabulary=WORDS).vectors.tolist() == whole.tolist()
    upper = (VECTORS.view(np.uint32) >> 16).astype("<u2").tobytes()
    content = tensors({"vectors": entry(2, 3, dtype="BF16", at=(0, 12))}, 0) + upper
    assert read(content, vocabulary=WORDS).vectors.tolist() == VECTORS.tolist()


def test_a_matrix_by_columns_is_read_by_rows(read: Read) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((500, 3000)).astype(np.float32)
    words = "".join(f"word{i}\n" for i in range(500)).encode()
    content = saved(np.asfortranarray(vectors))
    assert b"'fortran_order': True" in content
    np.testing.assert_array_equal(read(content, vocabulary=words).vectors, vectors)


def test_the_table_is_known_by_its_name(read: Read) -> None:
    other = np.ones((2, 2), np.float32)
    assert read(save({"embeddings": VECTORS, "a": other}), vocabulary=WORDS).vectors.tolist() == VECTORS.tolist()
    bias = np.ones(2, np.float32)
    assert read(save({"x": VECTORS, "bias": bias}), vocabulary=WORDS).vectors.tolist() == VECTORS.tolist()
    with pytest.raises(VectorsUnreadable, match=r"Which tensor is the table\?.* a \[2, 2\], x \[2, 3\]"):
        read(save({"x": VECTORS, "a": other}), vocabulary=WORDS)


def test_counts_may_stand_beside_the_words(read: Read) -> None:
    found = read(saved(VECTORS), vocabulary=b"New York 7\nking 12\n")
    assert (found.words, found.counts is not None and found.counts.tolist()) == (["New York", "king"], [7, 12])
    assert read(saved(VECTORS), vocabulary=b"New York\nroute 66\n").words == ["New York", "route 66"]
    with pytest.raises(VectorsUnreadable, match="Line 2 of the vocabulary is not a word and its count: 'king'"):
        read(saved(VECTORS), vocabulary=b"New York 7\nking\n")


def test_counts_of_words_that_folding_makes_equal_are_added(read: Read) -> None:
    found = read(saved(VECTORS), vocabulary=b"king 7\nking 12\n")
    assert (found.words, found.counts is not None and found.counts.tolist()) == (["king"], [19])
    assert found.report.found[0].first[0].at == 2


@pytest.mark.parametrize(
    ("vocabulary", "told"),
    [
        (None, "2 vectors and no words: give a `vocabulary`"),
        (b"", "The vocabulary has 0 lines, the matrix 2 rows"),
        (b"king\nqueen\ncat\n", "The vocabulary has 3 lines, the matrix 2 rows"),
        (b"king\n\n", "Row 2, '': no word"),
    ],
)
def test_words_that_do_not_fit_are_refused(read: Read, vocabulary: bytes | None, told: str) -> None:
    with pytest.raises(VectorsUnreadable, match=told):
        read(saved(VECTORS), vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (tensors({"x": entry(2, 3, at=(4, 28))}, 28), "Byte 73: the tensor 'x' should begin there"),
        (tensors({"x": entry(2, 3), "y": entry(2, 3)}), "the tensor 'y' should begin there"),
        (tensors({"x": entry(3, 3)}), "should begin there and have the bytes of its shape"),
        (tensors({"x": entry(2, 3)}, 25), "Its tensors end at byte 97, the file at byte 98"),
        (tensors({"x": entry(2, 3)}, 23), "Its tensors end at byte 97, the file at byte 96"),
        (tensors({"x": entry(2, 3, dtype="F4")}), "says of 'x' what cannot be read"),
        (tensors({"x": entry(2, 3, dtype="I32")}), "Byte 73: the tensor 'x' is I32; F64, F32"),
        (tensors({"x": entry(-2, -3)}), "says of 'x' what cannot be read"),
        (tensors({"x": [1]}), "says of 'x' what cannot be read"),
        (tensors({"x": entry(0, 3, at=(0, 0))}, 0), "A table of 0 words"),
        (tensors({"x": entry(6)}), r"Which tensor is the table\?.*x \[6\]"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{" + b"\x00" * 15, "is no JSON"),
        (b'\x12\x00\x00\x00\x00\x00\x00\x00{"x":  1, "x":  2}', "a name comes twice"),
        (
            b"\x00\x00\x20\x00\x00\x00\x00\x00{" + b" " * (1 << 21),
            "length of its header, up to 1048576; it says 2097152",
        ),
    ],
)
def test_headers_of_tensors_that_lie_are_refused(read: Read, content: bytes, told: str) -> None:
    with pytest.raises(VectorsUnreadable, match=told):
        read(content, vocabulary=WORDS)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (saved(VECTORS)[:-1], "At byte 128 begin 2 x 3 numbers, which need 24 bytes; 23 follow"),
        (saved(VECTORS) + b"\0", "The matrix ends at byte 152, the file at byte 153"),
        (saved(VECTORS[0]), "Byte 10: a matrix of two dimensions"),
        (saved(VECTORS.astype(">f4")), "Byte 10: a matrix of two dimensions of <f2, <f4, <f8 can be read"),
        (saved(np.array([[{}]], object)), "can be read, not {'descr': '|O'"),
        (saved(VECTORS).replace(b"(2, 3)", b"(9, 3)"), "which need 108 bytes; 24 follow"),
        (b"\x93NUMPY\x04\x00\x10\x00" + b" " * 16, "Byte 0: this is no file of numpy of version 1 to 3"),
    ],
)
def test_what_numpy_saves_otherwise_is_refused(read: Read, content: bytes, told: str) -> None:
    with pytest.raises(VectorsUnreadable, match=told.replace("|", r"\|")):
        read(content, vocabulary=WORDS)
