"""What the corpus endpoints take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict

from app.core.names import Name

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
