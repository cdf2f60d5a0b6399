"""The shipped word sets' associations (WEAT) before and after a change of the vectors."""

from __future__ import annotations

from app.core.errors import WordSetUnusable
from app.core.evaluation.bias.found import FoundSet, find_set, finder, refuse_unusable
from app.core.evaluation.bias.results import BiasOptions
from app.core.evaluation.bias.weat import Cosines, Weat, weat
from app.core.evaluation.bias.words import Item, shipped_tests
from app.core.evaluation.residue import AssociationChange
from trainer.evaluating.words import Vectors

Sets = tuple[FoundSet, ...]


def association_changes(before: Vectors, after: Vectors) -> list[AssociationChange]:
    """Every test whose words both versions have, with the same words; the others are left out."""
    found = []
    for name, (collection, test) in shipped_tests().items():
        items = {each: collection.sets[each] for each in (*test.targets, *test.attributes)}
        try:
            words = _found(after, items)
            same = {each.name: tuple(Item(word=word) for word in each.words) for each in words}
            old, new = _weat(before, _found(before, same)), _weat(after, words)
        except WordSetUnusable:
            continue
        found.append(
            AssociationChange(
                test=name,
                about=test.about,
                before=round(old.effect_size, 4),
                after=round(new.effect_size, 4),
                p_before=old.test.p_value,
                p_after=new.test.p_value,
            )
        )
    return found


def _found(vectors: Vectors, items: dict[str, tuple[Item, ...]]) -> Sets:
    find = finder(vectors.find, vectors.reader)
    sets = tuple(find_set(name, each, find) for name, each in items.items())
    refuse_unusable(sets[:2], sets[2:], BiasOptions().max_missing)
    return sets


def _weat(vectors: Vectors, sets: Sets) -> Weat:
    x, y, a, b = (vectors.unit[each.ids] for each in sets)
    return weat(Cosines.of(x, y, a, b))
