"""Which words of sets a version has, and which sets cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.core.errors import WordSetUnusable
from app.core.evaluation.bias.permutation import smallest_p
from app.core.evaluation.bias.weat import MIN_TARGETS
from app.core.evaluation.bias.words import Item
from app.core.text import TextReader, without_surrogates

Find = Callable[[str], int | None]
"""A word's id by how it is written in a set; None where there is none."""


class FoundSet(NamedTuple):
    """`words` are the forms that were found, each with its id; `missing` the items without any, by their first form."""

    name: str
    words: list[str]
    ids: list[int]
    missing: list[str]

    @property
    def n(self) -> int:
        return len(self.words) + len(self.missing)


def finder(find: Find, reader: TextReader) -> Find:
    """Find words as a version's queries are read: as written, or else as the one word that the reader makes of it."""

    def found(form: str) -> int | None:
        word_id = find(without_surrogates(form))
        if word_id is not None:
            return word_id
        words = reader.words(form)
        is_one = len(words) == 1 and (words[0] == form or reader.is_whole(form))
        return find(words[0]) if is_one else None

    return found


def find_set(name: str, items: Sequence[Item], find: Find) -> FoundSet:
    """The words of a set that there are; one whose vector stands for another word of the set already is missing."""
    words, ids, missing = [], list[int](), []
    for item in items:
        known = [(form, found) for form in item.forms if (found := find(form)) is not None and found not in ids]
        if known:
            words.append(known[0][0])
            ids.append(known[0][1])
        else:
            missing.append(item.word)
    return FoundSet(name, words, ids, missing)


def find_item(item: Item, find: Find) -> int | None:
    return next((found for form in item.forms if (found := find(form)) is not None), None)


def refuse_unusable(targets: Sequence[FoundSet], attributes: Sequence[FoundSet], max_missing: float) -> None:
    """Raise `WordSetUnusable` if too many words of a set are missing, or too few targets are left."""
    missing = [word for each in (*targets, *attributes) for word in each.missing]
    for each in (*targets, *attributes):
        if not each.ids or len(each.missing) > max_missing * each.n:
            raise WordSetUnusable(
                f"{each.name}: {len(each.missing)} of {each.n} words have no vector in this version, more than "
                f"max_missing allows ({max_missing:g}).",
                set=each.name,
                missing=missing,
            )
    sizes = [len(each.ids) for each in targets]
    if min(sizes) < MIN_TARGETS:
        smallest = smallest_p(sizes[0], sizes[1])
        raise WordSetUnusable(
            f"The targets have {sizes[0]} and {sizes[1]} words with vectors, and {MIN_TARGETS} are needed in each: "
            f"with so few, no p below {smallest:.2g} can be reached, and single words decide the effect.",
            missing=missing,
            smallest_p=smallest,
        )
