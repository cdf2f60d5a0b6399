"""Labelled rows of each format, and what is said of those that are none."""

from __future__ import annotations

import io

import pytest

from app.core.errors import BadRecord
from app.core.text.labelled import Labelled, LabelledFields, LabelledRows

FIELDS = LabelledFields(group_field="of.group")


def rows_of(content: bytes, **fields: str | None) -> LabelledRows:
    return LabelledRows(FIELDS.model_copy(update=fields), io.BytesIO(content).readline)


def test_objects() -> None:
    rows = rows_of(
        b'\xef\xbb\xbf{"text": " good ", "label": 1, "of": {"group": "x"}}\n\n{"text": "bad", "label": false}\n'
        b'{"text": "no label"}\n{"label": "no text"}\n{"text": 3, "label": "a"}\nnot json\n'
    )
    assert list(rows.labelled()) == [Labelled("good", "1", "x"), Labelled("bad", "false", None)]
    assert (rows.n_rows, rows.n_bad, rows.lacking) == (6, 4, {"label": 1, "text": 2})
    assert [row.line for row in rows.first_bad] == [4, 5, 6, 7]
    assert rows.names == ["text", "label", "of", "of.group"]


@pytest.mark.parametrize(
    "content",
    [b'label,text\n1,"a, b"\n\n2,c\n3\n,d\n', b"label\ttext\n1\ta, b\n2\tc\n3\n\td\n"],
)
def test_columns(content: bytes) -> None:
    rows = rows_of(content, group_field=None)
    assert list(rows.labelled()) == [Labelled("a, b", "1", None), Labelled("c", "2", None)]
    assert (rows.n_rows, rows.lacking) == (4, {"label": 1, "text": 1})


def test_names_that_are_not_there_are_told() -> None:
    with pytest.raises(BadRecord, match=r"There is no column 'text'. There are: label, review"):
        list(rows_of(b"label,review\n1,a\n", group_field=None).labelled())
    rows = rows_of(b'{"review": "a", "label": 1}\n')
    assert list(rows.labelled()) == []
    with pytest.raises(BadRecord, match=r"line 1 has the text 'None'. There are: review, label"):
        rows.check_names()


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        ('{"text": "é", "label": 1}\n\n'.encode() + '{"text": "é"}\n'.encode("latin-1"), 3, 11),
        (b"label,text\n1,a\n" + "2,ab가\n".encode("cp949"), 3, 5),
    ],
)
def test_bytes_that_are_not_utf8_are_told_with_their_place(content: bytes, line: int, byte: int) -> None:
    with pytest.raises(BadRecord, match=f"Line {line} is not UTF-8: its byte {byte} is 0x") as told:
        list(rows_of(content, group_field=None).labelled())
    assert told.value.members == {"line": line, "byte": byte}


def test_a_format_that_is_said_is_not_guessed() -> None:
    assert list(rows_of(b"text,label\n{x,1\n", format="csv", group_field=None).labelled()) == [("{x", "1", None)]
    rows = rows_of(b"text,label\n{x,1\n", format="jsonl")
    assert (list(rows.labelled()), rows.n_bad) == ([], 2)
