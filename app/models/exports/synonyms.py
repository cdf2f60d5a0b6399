"""Synonyms as Elasticsearch, OpenSearch and Solr read them, made of the stored neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.models.exports.selection import Selection

_SPECIAL = re.compile(r"[\\,>#]")


def write_synonyms(selection: Selection) -> Iterator[bytes]:
    """``word => word, a, b, c``: a rule for each word that has neighbours at `min_score` or above among the words.

    The word itself comes first: without it such a rule would replace the word.
    """
    vocabulary, chosen, first = selection.vocabulary(), selection.chosen, 0
    for block in selection.neighbors():
        is_near = (block.scores >= chosen.min_score) & (block.ids < selection.n_words)
        rules = []
        for word_id, (ids, near) in enumerate(zip(block.ids, is_near, strict=True), first):
            found = ids[near][: chosen.k].tolist()
            if found:
                words = [_escaped(selection.spelled(vocabulary.word(i))) for i in (word_id, *found)]
                rules.append(f"{words[0]} => {', '.join(words)}\n")
        yield "".join(rules).encode()
        first += len(block.ids)


def _escaped(word: str) -> str:
    """A word in which commas, arrows and marks of comments are meant as they are."""
    return _SPECIAL.sub(r"\\\g<0>", word)
