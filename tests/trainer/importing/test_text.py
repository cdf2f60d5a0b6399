"""Text of vectors: every row that is one, whole and in its order, and every other one named by its line."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from app.core.errors import VectorsUnreadable
from tests.trainer.importing.conftest import Read
from trainer.importing import text

GLOVE = Path(__file__).resolve().parents[2] / "data" / "vectors" / "glove.6B.50d.sample.txt.xz"


@pytest.mark.parametrize("block_bytes", [64, 1000, 4 << 20])
def test_a_real_file_is_read_as_gensim_reads_it(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", block_bytes)
    content = lzma.decompress(GLOVE.read_bytes())
    (tmp_path / "glove.txt").write_bytes(content)
    found = read(content)
    expected = KeyedVectors.load_word2vec_format(str(tmp_path / "glove.txt"), no_header=True)
    assert found.words == expected.index_to_key
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    assert (found.report.n_rows, found.report.found) == (content.count(b"\n"), [])


@pytest.mark.parametrize(
    "content", [b"2 3\nking 1 2 3\nqueen 4 5 6\n", b"king 1 2 3\nqueen 4 5 6", b"king 1 2 3 \r\nqueen 4 5 6 \r\n\n"]
)
def test_a_header_and_the_last_line_end_may_be_missing(read: Read, content: bytes) -> None:
    found = read(content)
    assert (found.words, found.vectors.tolist()) == (["king", "queen"], [[1, 2, 3], [4, 5, 6]])


def test_a_word_of_digits_is_no_header(read: Read) -> None:
    assert read(b"2015 7\n2016 8\n").words == ["2015", "2016"]


def test_words_may_have_spaces_of_any_kind_inside(read: Read) -> None:
    content = "word 9 9\n. . . 1 2\nat name@domain.com 3 4\nnew\u00a0york 5 6\nline\u2028end 7 8\n".encode()
    found = read(content)
    assert found.words == ["word", ". . .", "at name@domain.com", "new\u00a0york", "line\u2028end"]
    (kept,) = found.report.found
    assert (kept.what, kept.became, kept.n) == ("white space inside the word", "kept", 4)
    assert found.report.found[0].first[0].model_dump() == {"word": ". . .", "at": 2}
    assert read(content, spaces="replace").words[1:3] == ["._._.", "at_name@domain.com"]
    assert read(content, spaces="drop").words == ["word"]
    with pytest.raises(VectorsUnreadable, match=r"^Line 2, '\. \. \.': white space inside the word\.$"):
        read(content, spaces="error")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"b 1", "Line 2, 'b': fewer numbers than other rows, which have 2."),
        (b"b 1 2 3", "Line 2, 'b': more numbers than other rows."),
        (b"b 1 1,5", "Line 2, 'b': something that is no number: '1,5'."),
        (b"b 1 nan", "Line 2, 'b': a number that is not finite: 'nan'."),
        (b"b 1e999 2", "Line 2, 'b': a number that is not finite: '1e999'."),
        (b"b 1e999 x", "Line 2, 'b': something that is no number: 'x'."),
    ],
)
def test_a_row_that_is_none_is_named_by_its_line(read: Read, line: bytes, told: str) -> None:
    content = b"a 1 2\n" + line + b"\nc 3 4\n"
    with pytest.raises(VectorsUnreadable) as caught:
        read(b"3 2\n" + content)
    assert caught.value.detail == told.replace("Line 2", "Line 3")
    assert caught.value.members["line"] == 3
    found = read(b"3 2\n" + content, bad_rows="drop")
    assert (found.words, found.vectors.tolist()) == (["a", "c"], [[1, 2], [3, 4]])
    assert (found.report.n_rows, found.report.found[0].became, found.report.found[0].n) == (3, "left out", 1)


def test_a_header_that_lies_is_refused_or_ignored(read: Read) -> None:
    with pytest.raises(VectorsUnreadable, match="promises 5 words; the file has 2 rows"):
        read(b"5 2\na 1 2\nb 3 4\n")
    assert read(b"5 2\na 1 2\nb 3 4\n", header="ignore").words == ["a", "b"]
    assert read(b"1 2\na 1 2\nb 3 4\n", header="ignore").words == ["a", "b"]


def test_numbers_that_are_hard_to_round_are_rounded_as_python_does(read: Read) -> None:
    halfway = "1.00000005960464477539062500000000000000000000000000001"
    found = read(f"a {halfway} 16777217\n".encode())
    assert found.vectors.tolist() == [[float(np.float32(float(halfway))), 16777216.0]]


def test_threads_change_nothing(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 1000)
    rng = np.random.default_rng(0)
    content = "".join(
        f"w{i % 180} {' '.join(map(str, row))}\n" for i, row in enumerate(rng.standard_normal((200, 9)))
    ).encode()
    one, four = read(content, threads=1), read(content, threads=4)
    assert one.words == four.words == [f"w{i}" for i in range(180)]
    np.testing.assert_array_equal(one.vectors, four.vectors)
    assert one.report == four.report
    assert (one.report.found[0].n, len(one.report.found[0].first)) == (20, 20)
