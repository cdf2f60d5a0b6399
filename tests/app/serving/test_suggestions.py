from __future__ import annotations

from pathlib import Path

import pytest

from app.core.table.reading import open_table
from app.serving.suggestions import Suggestions
from tests.published import random_vectors, write_version

WORDS = ["the", "king", "kind", "queen", "한국", "한글", "학교", "naïve", "receive", "ab"]


@pytest.fixture(scope="module")
def suggestions(tmp_path_factory: pytest.TempPathFactory) -> Suggestions:
    folder: Path = tmp_path_factory.mktemp("table")
    write_version(folder, WORDS, random_vectors(len(WORDS), 4))
    return Suggestions(open_table(folder))


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("kinf", ["king", "kind"]),
        ("quene", ["queen"]),
        ("recieve", ["receive"]),
        ("naive", ["naïve"]),
        ("한굴", ["한국", "한글"]),
        ("zzzzzz", []),
        ("x", []),
        ("y" * 100, []),
        ("ﬁ" * 65, []),
    ],
)
def test_near_spellings(suggestions: Suggestions, word: str, near: list[str]) -> None:
    """Nearest first; equally near ones by frequency; a jamo or an accent is one edit."""
    assert suggestions.near(word)[: len(near) or None] == near


def test_asking_again_gives_the_same(suggestions: Suggestions) -> None:
    assert suggestions.near("kinf") == suggestions.near("kinf")
