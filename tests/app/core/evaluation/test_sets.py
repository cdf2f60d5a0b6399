"""Files of questions: recognised, read, and refused with the line named."""

from __future__ import annotations

import pytest

from app.core.errors import EvaluationSetUnreadable
from app.core.evaluation import sets
from app.core.evaluation.sets import SetType, read_questions

ANALOGIES = ": capitals\nathens greece oslo norway\n\n: gram1\r\nbig bigger old older\r\n"
OUTLIERS = ": cats\nlion\ntiger\npuma\n\nshark\ngolf\n: months\nmay\njune\n\nmonday\n"


def test_each_shape_is_recognised_and_read() -> None:
    cases: list[tuple[str, SetType, list[tuple[str, ...]]]] = [
        ("love\tsex\t6.77\ntiger\tcat\t7.35\n", "similarity", [("love", "sex"), ("tiger", "cat")]),
        (
            '\ufeffword 1,word 2,kor_score\n사랑,섹스,6.42\n"a, b",c,1\n',
            "similarity",
            [("사랑", "섹스"), ("a, b", "c")],
        ),
        ("# from somewhere\nold new 1.58\nbig small 2\n", "similarity", [("old", "new"), ("big", "small")]),
        (ANALOGIES, "analogy", [("athens", "greece", "oslo", "norway"), ("big", "bigger", "old", "older")]),
        ("dog\tanimal\noak\ttree\n", "categories", [("dog", "animal"), ("oak", "tree")]),
        ("king\nqueen\n", "words", [("king",), ("queen",)]),
    ]
    for text, kind, items in cases:
        found = read_questions(text.encode(), "auto", "f")
        assert (found.type, found.items) == (kind, items)
    assert read_questions(b"a b 6.77\nc d 1\n", "auto", "f").gold == [6.77, 1.0]
    assert read_questions(ANALOGIES.encode(), "auto", "f").sections == [("capitals", 0), ("gram1", 1)]


def test_groups_with_outliers() -> None:
    found = read_questions(OUTLIERS.encode(), "auto", "f")
    assert found.type == "outlier"
    assert found.items == [
        ("lion", "tiger", "puma", "shark"),
        ("lion", "tiger", "puma", "golf"),
        ("may", "june", "monday"),
    ]
    assert found.sections == [("cats", 0), ("months", 2)]
    assert read_questions(b"lion\r\ntiger\r\n\r\nshark\r\n", "outlier", "f").items == [("lion", "tiger", "shark")]


def test_neighbours_are_asked_one_by_one() -> None:
    found = read_questions(b"king queen prince\nsea,ocean\n", "neighbors", "f")
    assert found.items == [("king", "queen"), ("king", "prince"), ("sea", "ocean")]


@pytest.mark.parametrize(
    ("kind", "content", "line", "told"),
    [
        ("analogy", b": s\na b c d\na b c\n", 3, "there are 3 words, not 4"),
        ("similarity", b"w1 w2 score\na b 1\na b x\n", 3, "'a b x' is not two words and a number"),
        ("categories", b"dog animal\ncat\n", 2, "not a word and a category"),
        ("neighbors", b"king queen\nsea\n", 2, "without another one"),
        ("outlier", b": a\nx\ny\n\nz\n: b\nx\n\nz\n", 7, "the group 'b' needs two words"),
        ("outlier", b"x\n: a\nx\ny\n\nz\n", 1, "before the first heading"),
        ("words", b"a\n\xff\n", 2, "not UTF-8"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(kind: SetType, content: bytes, line: int, told: str) -> None:
    with pytest.raises(EvaluationSetUnreadable) as caught:
        read_questions(content, kind, "my-set")
    assert f"my-set, line {line}: " in caught.value.detail
    assert told in caught.value.detail


@pytest.mark.parametrize("content", [b"a b c\nd e\n", b"a b c d e f\n", b"", b"# nothing\n"])
def test_what_looks_like_nothing_lists_what_there_is(content: bytes) -> None:
    with pytest.raises(EvaluationSetUnreadable, match="analogy: four words a line"):
        read_questions(content, "auto", "f")


def test_too_many_questions_name_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "MAX_QUESTIONS", 2)
    with pytest.raises(EvaluationSetUnreadable, match="more than 2 questions"):
        read_questions(b"a\nb\nc\n", "words", "f")


def test_of_a_beginning_the_last_line_is_not_looked_at() -> None:
    assert read_questions(b"a b 1\nc d 2\ne", "similarity", "f", is_whole=False).items == [("a", "b"), ("c", "d")]
