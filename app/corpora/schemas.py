"""What the corpus endpoints take and give."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


Name = Annotated[
    str,
    StringConstraints(pattern=r"^\w[\w.\-]*$", min_length=1, max_length=100),
    AfterValidator(_nfc),
]
"""Letters of any script, digits, ``_``, ``.`` and ``-``."""

CorpusName = Annotated[Name, Path(description="letters of any script, digits, _ . -", examples=["bible"])]


class CorpusDescription(BaseModel):
    """A stored corpus. `n_words` counts runs of characters between white space."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    sha256: str
    n_bytes: int
    n_lines: int
    n_words: int
    created_at: datetime


class CorpusPage(BaseModel):
    """Corpora by name; `next` continues the list as ``after=``."""

    corpora: list[CorpusDescription]
    next: str | None
