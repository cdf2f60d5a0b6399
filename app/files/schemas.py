"""What the file endpoints give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict

from app.core.names import Name

FileName = Annotated[Name, Path(description="letters of any script, digits, _ . -", examples=["glove.6B.50d.txt"])]


class FileDescription(BaseModel):
    """A revision of a stored file."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    revision: int
    sha256: str
    n_bytes: int
    owner: str | None
    created_at: datetime


class FileSummary(FileDescription):
    """The newest revision, and what all together take."""

    n_bytes_of_all_revisions: int


class FilePage(BaseModel):
    """Files by name; `next` continues the list as ``after=``."""

    files: list[FileSummary]
    next: str | None


class FileRevisions(BaseModel):
    """All revisions of a file, newest first."""

    revisions: list[FileDescription]
