"""What users upload, by name, in numbered revisions: texts and other files."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.core import access, quotas
from app.core.catalog.use import policies, readers
from app.core.database import now, serialise
from app.core.errors import (
    CorpusInUse,
    CorpusNotFound,
    FileInUse,
    FileNotFound,
    NewestRevision,
    PreconditionFailed,
    WordkinError,
)
from app.core.names import reference, split_reference
from app.core.records import Corpus, File

Row = TypeVar("Row", Corpus, File)


class Expected(Enum):
    """What a client may expect of a name besides a certain revision."""

    ANY = "any"
    """That there is one."""
    NONE = "none"
    """That there is none yet."""


Expectation = Collection[str] | Expected | None
"""ETags of which the newest revision has one, or what else of a name; None for nothing."""


@dataclass(frozen=True)
class FileContent:
    """What an upload turned out to be."""

    key: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True)
class CorpusContent(FileContent):
    """The same of a corpus; lines and words are not known of Parquet."""

    n_lines: int | None
    n_words: int | None


class Uploads(Generic[Row]):
    """The revisions of one noun.

    Parameters
    ----------
    row : its table
    noun : what it is called
    not_found, in_use : what is raised for a name that nothing has, and for something that a job still reads
    """

    def __init__(self, row: type[Row], noun: str, *, not_found: type[WordkinError], in_use: type[WordkinError]) -> None:
        self._row: type[Row] = row
        self.noun = noun
        self._not_found = not_found
        self._in_use = in_use

    def find(self, session: Session, name: str) -> Row | None:
        """The newest revision."""
        row = self._row
        query = select(row).where(row.name == name).order_by(row.revision.desc())
        return session.scalars(query.limit(1)).first()

    def get(self, session: Session, name: str, revision: int | None = None) -> Row:
        """Read a revision, by default the newest one, or raise what is raised for an unknown name."""
        newest = self.find(session, name) if access.sees(name) else None
        if newest is None:
            raise self._not_found(f"There is no {self.noun} {name!r}.", **{self.noun: name})
        if revision is None or revision == newest.revision:
            return newest
        found = session.scalar(select(self._row).where(self._row.name == name, self._row.revision == revision))
        if found is None:
            raise self._not_found(
                f"The {self.noun} {name!r} has no revision {revision}; the newest is {newest.revision}.",
                **{self.noun: name},
                revision=revision,
            )
        return found

    def by_id(self, session: Session, name: str, row_id: str) -> Row:
        """Read a revision by its id; raises as `get`."""
        found = session.get(self._row, row_id) if access.sees(name) else None
        if found is None:
            raise self._not_found(f"There is no {self.noun} {name!r} any more.", **{self.noun: name})
        return found

    def hold(self, session: Session, name: str, revision: int | None = None) -> Row:
        """Read a revision that nobody may delete until the transaction ends; raises as `get`."""
        serialise(session, f"{self.noun}:{name}")
        return self.get(session, name, revision)

    def named(self, session: Session, reference: str, *, hold: bool = False) -> Row:
        """Read what ``name`` or ``name@revision`` means, held or not; raises as `get`."""
        name, revision = split_reference(reference)
        return (self.hold if hold else self.get)(session, name, int(revision) if revision else None)

    def page(self, session: Session, *, limit: int, after: str | None = None) -> Sequence[tuple[Row, int]]:
        """The newest revision of each name, by name, and the bytes of all its revisions."""
        row = self._row
        newest, n_bytes = func.max(row.revision).label("newest"), func.sum(row.n_bytes).label("n_bytes")
        whole = select(row.name, newest, n_bytes).group_by(row.name).subquery()
        query = select(row, whole.c.n_bytes).join(whole, and_(row.name == whole.c.name, row.revision == whole.c.newest))
        query = query.where(access.current().among(row.name))
        if after:
            query = query.where(row.name > after)
        return [(found, int(size)) for found, size in session.execute(query.order_by(row.name).limit(limit))]

    def revisions(self, session: Session, name: str) -> Sequence[Row]:
        """All of a name, newest first; raises as `get`."""
        self.get(session, name)
        query = select(self._row).where(self._row.name == name).order_by(self._row.revision.desc())
        return session.scalars(query).all()

    def add(
        self, session: Session, name: str, content: FileContent, *, expected: Expectation = None
    ) -> tuple[Row, bool]:
        """Make an upload the next revision; False with the newest one, if that has the same content.

        Parameters
        ----------
        session : of a transaction
        name : of the upload
        content : what was uploaded
        expected : ids of revisions of which one must be the newest; None for no expectation

        Raises
        ------
        PreconditionFailed
            What has the name is not as expected.
        NotPermitted
            The caller may not use the name.
        QuotaExceeded
            It would be too much.
        """
        access.check_name(name)
        serialise(session, f"{self.noun}:{name}")
        newest = self.find(session, name)
        self._check(newest, name, expected)
        if newest is not None and newest.sha256 == content.sha256:
            return newest, False
        added = self._row(
            id=secrets.token_hex(16),
            name=name,
            revision=newest.revision + 1 if newest else 1,
            owner=access.current().owner,
            created_at=now(session),
            **vars(content),
        )
        session.add(added)
        session.flush()
        quotas.check_uploads(session)
        return added, True

    def _check(self, newest: Row | None, name: str, expected: Expectation) -> None:
        if expected is None or (expected is Expected.ANY and newest) or (expected is Expected.NONE and not newest):
            return
        if isinstance(expected, Expected) or newest is None:
            said = "exists" if newest else "does not exist"
            raise PreconditionFailed(f"The {self.noun} {name!r} {said}.", **{self.noun: name})
        if newest.id not in expected:
            raise PreconditionFailed(
                f"The {self.noun} {name!r} is at revision {newest.revision}, another one than If-Match names.",
                **{self.noun: name},
                revision=newest.revision,
            )

    def delete(self, session: Session, name: str, revision: int | None = None) -> list[str]:
        """Delete all rows of a name, or an older revision; returns the storage keys, to be deleted after the commit.

        Raises
        ------
        NewestRevision
            It numbers the next one, and goes with all others only.
        CorpusNotFound, CorpusInUse, FileNotFound, FileInUse
        """
        newest = self.hold(session, name)
        if revision == newest.revision:
            raise NewestRevision(
                f"Revision {revision} is the newest of {name!r}; upload another one, or delete the {self.noun}.",
                **{self.noun: name},
                revision=revision,
            )
        leaving = self.revisions(session, name) if revision is None else [self.get(session, name, revision)]
        in_use, named = readers(session), policies(session)
        for each in leaving:
            if model := named.get(each.key):
                raise self._in_use(
                    f"The policy of the model {model!r} names the {self.noun} {reference(name, each.revision)}.",
                    **{self.noun: name},
                    model=model,
                )
            if job_id := in_use.get(each.id):
                told = reference(name, each.revision)
                raise self._in_use(
                    f"The job {job_id} still reads the {self.noun} {told}.", **{self.noun: name}, job=job_id
                )
            session.delete(each)
        session.flush()
        return [each.key for each in leaving]


corpora = Uploads(Corpus, "corpus", not_found=CorpusNotFound, in_use=CorpusInUse)
files = Uploads(File, "file", not_found=FileNotFound, in_use=FileInUse)
