"""Rows and baskets are encoded as their texts are, and rows without text are counted."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import BadRecord, CorpusNotText
from app.core.text import TextReader, TextSpec
from tests.conftest import DATA
from tests.trainer.corpus.test_encode import TEXTS, assert_same, encoded, expected

JSONL = {"kind": "jsonl", "field": "text"}


def spec(format_: dict[str, Any], **chosen: str) -> TextSpec:
    return TextSpec.model_validate({"format": format_, **chosen})


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.sampled_from([",", ";", "|", "\t"]), st.booleans())
def test_columns_equal_their_texts(texts: list[str], delimiter: str, header: bool) -> None:
    """Quoted fields hold line ends, delimiters and quotes."""
    texts = [text.replace("\r", " ").replace("\0", " ") for text in texts]
    texts.append("to have two words")
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([["id", "title"]] * header + [[str(i), text] for i, text in enumerate(texts)])
    column = {"kind": "csv", "column": "title" if header else 2, "header": header, "delimiter": delimiter}
    with tempfile.TemporaryDirectory() as folder:
        found = encoded(file.getvalue().encode(), Path(folder), spec(column))
    assert_same(found, expected("\n".join(texts).split("\n"), TextSpec()))
    assert found.rows == {"n_rows": len(texts), "n_bad_rows": 0, "first_bad": []}


def test_tabs_come_without_quoting(tmp_path: Path) -> None:
    data = 'id\tdocument\tlabel\n1\t"quoted start\t0\n2\tplain words\t1\n3\n4\tmore words\t0\n5\twords\t1\n'
    found = encoded(data.encode(), tmp_path, spec({"kind": "tsv", "column": "document"}))
    assert_same(found, expected(["quoted start", "plain words", "more words", "words"], TextSpec()))
    assert found.rows["first_bad"] == [{"line": 4, "reason": "has 1 columns"}]


def test_a_member_may_lie_deeper_or_be_a_list_of_tokens(tmp_path: Path) -> None:
    records = [{"a": {"b": "red green"}}, {"a.b": "red blue"}, {"a": {"b": ["green", "blue"]}}]
    data = "\n".join(map(json.dumps, records)).encode()
    found = encoded(data, tmp_path, spec({"kind": "jsonl", "field": "a.b"}))
    assert_same(found, expected(["red green", "red blue", "green blue"], TextSpec()))


@pytest.mark.parametrize("name", ["M1-null-row.jsonl", "M1-token-lists.jsonl"])
def test_files_that_once_failed(name: str, tmp_path: Path) -> None:
    found = encoded((DATA / "faults" / name).read_bytes(), tmp_path, spec(JSONL))
    assert sorted(found.vocabulary.words()) == ["blue", "green", "red"]
    assert found.rows["n_bad_rows"] == ("null" in name)
    assert found.rows["n_rows"] == 20 + ("null" in name)


def test_rows_without_text_are_passed_over_up_to_a_share(tmp_path: Path) -> None:
    rows = ['{"text": "a b"}'] * 6 + ["broken", '{"text": null}', '{"text": 5}', '{"title": "x", "more": {"y": 1}}']
    data = "\n".join(rows).encode()
    found = encoded(data, tmp_path, spec(JSONL | {"max_bad_rows": 0.4}))
    assert found.n_lines == 6
    assert [bad["line"] for bad in found.rows["first_bad"]] == [7, 8, 9, 10]
    with pytest.raises(
        BadRecord, match=r"4 of 10 rows have no text in .text., more than max_bad_rows \(0.39\)"
    ) as caught:
        encoded(data, tmp_path, spec(JSONL | {"max_bad_rows": 0.39}))
    reasons = [row["reason"].partition(":")[0] for row in caught.value.members["rows"]]
    assert reasons == ["is not JSON", "is null or missing", "holds 5", "is null or missing"]


def test_a_column_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match=r"no column 'titel'. There are: id, title\.") as caught:
        encoded(b"\xef\xbb\xbfid,title\n1,x y\n", tmp_path, spec({"kind": "csv", "column": "titel"}))
    assert caught.value.members["names"] == ["id", "title"]


def test_rows_that_are_not_utf8_are_pointed_at(tmp_path: Path) -> None:
    with pytest.raises(CorpusNotText, match="byte 8 "):
        encoded(b"id,t\n1,x\xff\n", tmp_path, spec({"kind": "csv", "column": "t"}))


@pytest.mark.parametrize("separator", [",", "\t", "|", ";"])
def test_items_keep_their_blanks(separator: str, tmp_path: Path) -> None:
    baskets = [["Citrus fruit", "  whole\u00a0 milk "], ["butter", "whole milk"], ["", "butter"], ["한국 차", "butter"]]
    data = "\r\n".join(separator.join(basket) for basket in baskets).encode()
    items = spec({"kind": "tokens", "separator": separator})
    found = encoded(data, tmp_path, items)
    assert found.vocabulary.words() == ["butter", "whole milk", "citrus fruit", "한국 차"]
    assert found.ids.tolist() == [2, 1, -1, 0, 1, -1, 0, -1, 3, 0, -1]
    assert TextReader(items).words("Whole  milk") == ["whole milk"]
    assert TextReader(items).words(f"whole milk{separator}butter") == ["whole milk", "butter"]


@settings(max_examples=200)
@given(st.text(max_size=40), st.sampled_from([",", "|", "\t"]), st.sampled_from(["nfc", "nfkc_jamo_safe", "none"]))
def test_an_item_is_asked_for_as_it_was_read(text: str, separator: str, normalization: str) -> None:
    reader = TextReader(spec({"kind": "tokens", "separator": separator}, normalization=normalization))
    words = reader.words(text)
    assert [again for word in words for again in reader.words(word)] == words


def test_items_and_their_format_belong_together() -> None:
    with pytest.raises(ValueError, match="belong together"):
        TextSpec(tokenizer="items")
    with pytest.raises(ValueError, match="belong together"):
        spec({"kind": "tokens"}, tokenizer="words")
    for wrong in ("", "ab", "a", " ", "\n", "\0"):
        with pytest.raises(ValueError, match="separator"):
            spec({"kind": "tokens", "separator": wrong})


def test_kept_tokens_are_words_of_the_corpus(tmp_path: Path) -> None:
    data = (DATA / "faults" / "F21-skills-default-tokenizer.txt").read_bytes()
    keeping = TextSpec.model_validate({"keep_tokens": ["C++", "c#", ".net", "node.js", "new_york"]})
    found = encoded(data, tmp_path, keeping)
    assert {"c++", "c#", ".net", "node.js", "new_york"} < set(found.vocabulary.words())
    words = found.vocabulary.words()
    lines = [TextReader(keeping).words(line) for line in data.decode().splitlines()]
    assert [words[i] for i in found.ids if i >= 0] == [word for line in lines for word in line]
    assert "c" not in words
