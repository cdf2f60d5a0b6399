"""The beginning of a corpus is read as all of it will be."""

from __future__ import annotations

import pytest

from app.core.errors import BadRecord
from app.core.text import TextSpec
from app.core.text.sample import read_sample

CSV = TextSpec.model_validate({"format": {"kind": "csv", "column": "t"}})


def test_a_row_that_is_cut_is_left_out() -> None:
    """Its quoted text has a line end before the cut, and would be read to the end."""
    content = b'id,t\n1,one two\n2,"three\nfour'
    assert read_sample(content, CSV, is_whole=False, n_lines=9).lines == [["one", "two"], ["three"]]
    plain = read_sample(b"one two\nthr", TextSpec(), is_whole=False, n_lines=9)
    assert plain.lines == [["one", "two"]]
    assert read_sample(b"one two\nthr", TextSpec(), is_whole=True, n_lines=9).lines == [["one", "two"], ["thr"]]
    assert read_sample("한".encode()[:2] + b" a", TextSpec(), is_whole=False).lines == [["a"]]


def test_lines_without_words_are_not_shown() -> None:
    assert read_sample(b"...\n\none\n", TextSpec(), is_whole=True, n_lines=9).lines == [["one"]]
    with pytest.raises(BadRecord, match="no words"):
        read_sample(b"...\n\n", TextSpec(), is_whole=True)


def test_columns_are_named_and_rows_counted() -> None:
    sample = read_sample(b"\xef\xbb\xbfid,t\n1,one\n2,two\n3,x\n4,y\n5\n", CSV, is_whole=True, n_lines=2)
    assert (sample.lines, sample.names) == ([["one"], ["two"]], ["id", "t"])
    assert (sample.n_rows, sample.n_bad_rows) == (5, 1)
    assert [bad._asdict() for bad in sample.first_bad] == [{"line": 6, "reason": "has 1 columns"}]


def test_what_is_cut_is_no_fault_of_the_corpus() -> None:
    strict = TextSpec.model_validate({"format": {"kind": "csv", "column": "b", "max_bad_rows": 0}})
    cut = b'a,b\n1,one\n"two\nthr'
    assert read_sample(cut, strict, is_whole=False, n_lines=9).lines == [["one"]]
    with pytest.raises(BadRecord, match="1 of 2 rows"):
        read_sample(cut, strict, is_whole=True)
    jsonl = TextSpec.model_validate({"format": {"kind": "jsonl", "field": "t"}})
    assert read_sample('{"t": "왕'.encode()[:-1], jsonl, is_whole=False).lines == []
