"""Lists of words that ship with the service; the file in `data` names its authors and its licence."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class GenderLists:
    """English words by Bolukbasi et al. (2016); `pairs` define the direction, of the `equalize` ones it stays."""

    pairs: tuple[tuple[str, str], ...]
    equalize: tuple[tuple[str, str], ...]
    specific: tuple[str, ...]
    professions: tuple[str, ...]


@functools.cache
def gender_english() -> GenderLists:
    text = resources.files(__package__).joinpath("data", "gender-english.json").read_text(encoding="utf-8")
    read = json.loads(text)
    return GenderLists(
        pairs=tuple((first, second) for first, second in read["pairs"]),
        equalize=tuple((first, second) for first, second in read["equalize"]),
        specific=tuple(read["specific"]),
        professions=tuple(read["professions"]),
    )
