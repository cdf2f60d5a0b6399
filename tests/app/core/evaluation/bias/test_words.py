from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.core.errors import EvaluationSetUnreadable, WordSetUnusable
from app.core.evaluation.bias.found import FoundSet, find_set, finder, refuse_unusable
from app.core.evaluation.bias.words import (
    SHIPPED,
    Item,
    WordSets,
    read_word_sets,
    shipped,
    shipped_content,
    shipped_tests,
)
from app.core.text import TextReader, TextSpec

SMALL: dict[str, Any] = {
    "name": "own",
    "sets": {"a": ["one", {"word": "two", "alternatives": ["zwei"]}], "b": ["three"]},
    "tests": {"T": {"targets": ["a", "b"], "attributes": ["b", "a"]}},
}


def forms(sets: WordSets, name: str) -> list[str]:
    return [item.word for item in sets.sets[name]]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_sets_name_themselves_and_have_no_word_twice(name: str) -> None:
    sets = shipped(name)
    assert (sets.name, sets.version) == (name, 1)
    for each, items in sets.sets.items():
        written = [form for item in items for form in item.forms]
        assert len(written) == len(set(written)), each
    for test in sets.tests.values():
        assert all(len(sets.sets[each]) >= 6 for each in test.targets)


def test_caliskans_tests_are_the_papers() -> None:
    sets = shipped("weat")
    assert list(sets.tests) == [f"WEAT{n}" for n in range(1, 11)]
    assert sets.tests["WEAT2"].attributes == ("pleasant_5", "unpleasant_5a")
    assert sets.tests["WEAT4"].attributes == ("pleasant_5", "unpleasant_5b")
    young = forms(sets, "young_people_names")
    assert young == ["Tiffany", "Michelle", "Cindy", "Kristy", "Brad", "Eric", "Joey", "Billy"]
    assert forms(sets, "male_names")[-1] == "Bill"
    sizes = {name: [len(sets.sets[each]) for each in (*t.targets, *t.attributes)] for name, t in sets.tests.items()}
    assert sizes["WEAT1"] == [25, 25, 25, 25]
    assert sizes["WEAT3"] == [32, 32, 25, 25]
    assert sizes["WEAT9"] == [6, 6, 7, 7]
    assert len(sets.directions["gender"].pairs) == 10
    assert [len(sets.sets[each]) for each in sets.directions["gender"].words] == [320, 303]


def test_the_korean_sets_have_no_known_error() -> None:
    sets = shipped("weat-ko")
    assert sets.experimental
    assert sets.licence == "CC BY 4.0"
    assert "WEATHub" in (sets.source or "")
    words = {form for items in sets.sets.values() for item in items for form in item.forms}
    assert words.isdisjoint({"아인슈파인", "흰개비", "영구적", "애무", "이", "시", "북", "칼", "정식", "철수", "지연"})
    assert not any(" " in word for word in words)
    assert next(item for item in sets.sets["male_terms"] if item.word == "그의").alternatives == ("그를", "그는")


def test_tests_of_all_shipped_files_have_names_of_their_own() -> None:
    assert len(shipped_tests()) == sum(len(shipped(name).tests) for name in SHIPPED) == 16
    assert json.loads(shipped_content("weat"))["name"] == "weat"


def test_items_are_words_or_have_alternatives() -> None:
    sets = read_word_sets(json.dumps(SMALL).encode(), "own.json")
    assert sets.sets["a"] == (Item(word="one"), Item(word="two", alternatives=("zwei",)))
    assert sets.sets["a"][1].forms == ("two", "zwei")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sets": {"a": ["one"]}}, "test 'T' names the set 'b', which is not there"),
        ({"tests": {}}, "there are neither tests nor directions"),
        ({"sets": {"a": ["x"], "b": [str(i) for i in range(201)]}}, "set 'b' of more than 200 words"),
        ({"sets": {"a": ["x"], "b": [3]}}, "sets.b.0"),
        ({"other": 1}, "other: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(change: dict[str, Any], told: str) -> None:
    with pytest.raises(EvaluationSetUnreadable, match=re.escape(told)):
        read_word_sets(json.dumps(SMALL | change).encode(), "own.json")
    with pytest.raises(EvaluationSetUnreadable, match="own"):
        read_word_sets(b"one two three", "own.json")


def test_words_are_found_as_queries_are_read() -> None:
    ids = {"amy": 0, "왕": 1, "New York": 2, "c": 3}
    find = finder(ids.get, TextReader(TextSpec()))
    assert [find(form) for form in ("Amy", "amy,", "New York", "\u1112", "two words", "왕", "C++")] == [
        0,
        0,
        2,
        None,
        None,
        1,
        None,
    ]


def test_a_vector_stands_for_one_word_of_a_set() -> None:
    ids = {"two": 2, "zwei": 3, "one": 1}
    items = [Item(word="uno"), Item(word="one"), Item(word="eins", alternatives=("one", "zwei")), Item(word="two")]
    assert find_set("s", items, ids.get) == FoundSet("s", ["one", "zwei", "two"], [1, 3, 2], ["uno"])
    assert find_set("s", [Item(word="two"), Item(word="two")], ids.get).missing == ["two"]


def of_size(n: int, n_missing: int = 0, name: str = "s") -> FoundSet:
    return FoundSet(name, [f"w{i}" for i in range(n)], list(range(n)), [f"m{i}" for i in range(n_missing)])


def test_small_sets_are_refused_with_the_smallest_p() -> None:
    refuse_unusable([of_size(6), of_size(6)], [of_size(1), of_size(1)], 0.0)
    with pytest.raises(WordSetUnusable, match=r"5 and 6 words with vectors, and 6 are needed.*0\.0022") as caught:
        refuse_unusable([of_size(5), of_size(6)], [of_size(1), of_size(1)], 0.0)
    assert caught.value.members["smallest_p"] == 1 / 462


def test_too_many_missing_words_are_refused() -> None:
    refuse_unusable([of_size(8, 2), of_size(8)], [of_size(8), of_size(8)], 0.2)
    with pytest.raises(WordSetUnusable, match=r"arts: 3 of 11 words have no vector") as caught:
        refuse_unusable([of_size(8), of_size(8, 3, "arts")], [of_size(8, 1), of_size(8)], 0.2)
    assert caught.value.members["missing"] == ["m0", "m1", "m2", "m0"]
    with pytest.raises(WordSetUnusable):
        refuse_unusable([of_size(8), of_size(8)], [of_size(0, 2), of_size(8)], 1.0)
