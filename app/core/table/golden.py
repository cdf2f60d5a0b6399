"""The golden sample: lines of a corpus with the ids of their words, which a process must read as they were read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from app.core.errors import TableDamaged
from app.core.table.manifest import RESOURCES
from app.core.table.reading import Table
from app.core.text import TextReader

GOLDEN_FILE = f"{RESOURCES}/golden_sample.json"
N_LINES = 50
MAX_LINE = 200
"""Characters of a line that are kept."""
MAX_FILE_BYTES = 1 << 20
Find = Callable[[str], int | None]


class GoldenSample(BaseModel):
    """Lines, and for each the ids of its words, -1 for those that the vocabulary lacks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: list[str]
    ids: list[list[int]]

    @classmethod
    def of(cls, lines: Sequence[str], reader: TextReader, find: Find) -> GoldenSample:
        """As these lines are read here."""
        read = [[_number(find(word)) for word in words] for words in reader.words_of_each(lines)]
        return cls(lines=list(lines), ids=read)

    def content(self) -> bytes:
        """As a version stores it."""
        return self.model_dump_json().encode()


def _number(word_id: int | None) -> int:
    return -1 if word_id is None else int(word_id)


def golden_sample(table: Table) -> GoldenSample | None:
    """The one that a version has; raises `TableDamaged`."""
    digest = table.manifest.files.get(GOLDEN_FILE)
    if digest is None:
        return None
    try:
        if digest.n_bytes > MAX_FILE_BYTES:
            raise TableDamaged(f"{GOLDEN_FILE} has {digest.n_bytes} bytes; {MAX_FILE_BYTES} are read.")
        return GoldenSample.model_validate_json((table.folder / GOLDEN_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise TableDamaged(f"{GOLDEN_FILE} cannot be read.") from error


def misread(table: Table, reader: TextReader) -> str | None:
    """How this process reads the sample otherwise than the one that trained; None if it does not, or none is there."""
    stored = golden_sample(table)
    if stored is None:
        return None
    here = GoldenSample.of(stored.lines, reader, table.lookup.find)
    wrong = [i for i, (theirs, ours) in enumerate(zip(stored.ids, here.ids, strict=False)) if theirs != ours]
    if not wrong:
        return None
    told = "; ".join(table.manifest.text.differences())
    n_lines = len(stored.lines)
    return (
        f"{len(wrong)} of {n_lines} lines of its golden sample are not read as they were when it was trained, the "
        f"first {stored.lines[wrong[0]][:50]!r}{f' ({told})' if told else ''}."
    )
