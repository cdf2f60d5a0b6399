"""How a served version reads text; one that this process cannot read as it should answers exact words alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from app.core.errors import ExtraMissing, TextNotRead, TokenizerUnusable
from app.core.table.golden import misread
from app.core.table.reading import Table
from app.core.text import TextReader


class ExactWords(TextReader):
    """Reads no text, and says why."""

    def __init__(self, table: Table, why: str) -> None:
        super().__init__(table.manifest.text.roughly())
        self.why = why

    def words(self, text: str) -> list[str]:
        self._refuse(text)

    def words_of_each(self, texts: Sequence[str]) -> Iterator[list[str]]:
        self._refuse(texts[0] if texts else "")

    def _refuse(self, text: str) -> NoReturn:
        raise TextNotRead(f"This version answers only words as they are stored: {self.why}", text=text[:200])


def reader_of(table: Table) -> TextReader:
    """The reader of a table, or `ExactWords`; raises `TableDamaged`."""
    try:
        reader = table.reader
    except (ExtraMissing, TokenizerUnusable) as error:
        return ExactWords(table, error.detail)
    why = misread(table, reader)
    return ExactWords(table, why) if why else reader
