"""Binary vectors of word2vec: with and without line ends, cut, lying, and with words that were cut in a character."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from app.core.errors import VectorsUnreadable
from tests.trainer.importing.conftest import Read
from trainer.importing import binary

VECTORS = np.array([[1, 2, 3], [-4, 5.5, 6]], "<f4")


def written(words: list[bytes], vectors: np.ndarray = VECTORS, end: bytes = b"\n", n_words: int | None = None) -> bytes:
    head = f"{len(words) if n_words is None else n_words} {vectors.shape[1]}\n".encode()
    return head + b"".join(word + b" " + row.tobytes() + end for word, row in zip(words, vectors, strict=True))


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_line_ends_after_the_vectors_may_be_missing(read: Read, end: bytes) -> None:
    found = read(written([b"king", "왕".encode()], end=end))
    assert (found.words, found.vectors.tolist()) == (["king", "왕"], VECTORS.tolist())


def test_what_gensim_writes_is_read(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "BLOCK_BYTES", 3000)
    rng = np.random.default_rng(1)
    saved = KeyedVectors(25)
    words = [f"word{i}" * (1 + i % 7) for i in range(5000)]
    saved.add_vectors(words, rng.standard_normal((5000, 25)).astype(np.float32))
    saved.save_word2vec_format(str(tmp_path / "v.bin"), binary=True)
    found = read((tmp_path / "v.bin").read_bytes())
    assert found.words == words
    np.testing.assert_array_equal(found.vectors, saved.vectors)


def test_words_that_are_not_utf8_are_left_out_and_named(read: Read) -> None:
    cut = "왕".encode()[:2]
    found = read(written([b"king", cut]))
    assert found.words == ["king"]
    assert found.report.model_dump() == {
        "unit": "byte",
        "n_rows": 2,
        "n_words": 1,
        "found": [
            {"what": "a word that is not UTF-8", "became": "left out", "n": 1, "first": [{"word": "\ufffd", "at": 22}]}
        ],
    }
    assert read(written([b"king", cut]), not_utf8="replace").words == ["king", "\ufffd"]
    with pytest.raises(VectorsUnreadable, match=r"^Byte 22, .*: a word that is not UTF-8"):
        read(written([b"king", cut]), not_utf8="error")


def test_a_file_that_was_cut_is_refused_before_memory_is_taken(read: Read) -> None:
    with pytest.raises(VectorsUnreadable, match="promises 900000000 words of 3 numbers"):
        read(written([b"king", b"queen"], n_words=900_000_000))
    content = written([b"king", b"queen"] * 500, np.tile(VECTORS, (500, 1)))
    with pytest.raises(VectorsUnreadable, match="the file ends before they do") as caught:
        read(content[:-5], header="ignore")
    assert caught.value.members["byte"] == len(content) - len(b"queen \n") - 12


def test_more_rows_than_promised_are_refused(read: Read) -> None:
    with pytest.raises(VectorsUnreadable, match="promises 1 words; 20 bytes follow"):
        read(written([b"king", b"queen"], n_words=1))
    assert read(written([b"king", b"queen"], n_words=1), header="ignore").words == ["king"]


def test_numbers_that_are_not_finite_are_named_by_their_byte(read: Read) -> None:
    broken = VECTORS.copy()
    broken[1, 2] = np.nan
    with pytest.raises(VectorsUnreadable, match=r"^Byte 22, 'queen': a number that is not finite"):
        read(written([b"king", b"queen"], broken))
    assert read(written([b"king", b"queen"], broken), bad_rows="drop").words == ["king"]


def test_it_is_no_use_without_a_space(read: Read) -> None:
    with pytest.raises(VectorsUnreadable, match="no space in 65536 bytes"):
        read(b"2 3\n" + b"\x01" * 200_000)
