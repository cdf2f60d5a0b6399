"""Analogies as people write them: ``king - man + woman``, ``king-man+woman``, ``king man woman``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from typer.core import TyperCommand

from app.command.failures import WrongUsage

_MINUS = str.maketrans("−–", "--")  # as word processors write it


class AnalogyCommand(TyperCommand):
    """Takes ``-man`` for a word to be subtracted, not for an option."""

    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def] # of typer's own copy of click
        given = [piece for word in args for piece in (("-", word[1:]) if _is_subtracted(word) else (word,))]
        return super().parse_args(ctx, given)


def _is_subtracted(word: str) -> bool:
    return re.fullmatch(r"-(?!k=?\d)[^-].+", word) is not None


def words_of(expression: Sequence[str]) -> tuple[str, str, str]:
    """The words a, b and c of a - b + c. A word may hold a hyphen where blanks are around the signs."""
    written = " ".join(expression).translate(_MINUS).strip()
    pieces = written.split()
    if len(pieces) == 3 and not any(piece.startswith(("+", "-")) for piece in pieces):
        return pieces[0], pieces[1], pieces[2]
    by_blanks = re.findall(r"(?:^|(?<=\s))([+-]?)\s*(?!\s|[+-](?:\s|$))(\S+)", written)
    by_signs = re.findall(r"([+-]?)\s*([^\s+-]+)", written)
    for found in (by_blanks, by_signs):
        added = [word for sign, word in found if sign != "-"]
        subtracted = [word for sign, word in found if sign == "-"]
        if (len(added), len(subtracted)) == (2, 1) and all(sign for sign, _ in found[1:]):
            return added[0], subtracted[0], added[1]
    raise WrongUsage(f"{written!r} is not an analogy; write three words as in: king - man + woman")
