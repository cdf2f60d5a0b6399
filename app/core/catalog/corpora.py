"""Corpora and their numbered revisions."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.database import now, serialise
from app.core.errors import CorpusInUse, CorpusNotFound, NewestRevision, PreconditionFailed
from app.core.names import reference
from app.core.records import Corpus


class Expected(Enum):
    """What a client may expect of a corpus besides a certain revision."""

    ANY = "any"
    """That there is one."""
    NONE = "none"
    """That there is none yet."""


@dataclass(frozen=True)
class CorpusContent:
    """What an upload turned out to be."""

    key: str
    sha256: str
    n_bytes: int
    n_lines: int
    n_words: int


def find(session: Session, name: str) -> Corpus | None:
    """The newest revision."""
    return session.scalar(select(Corpus).where(Corpus.name == name).order_by(Corpus.revision.desc()).limit(1))


def get(session: Session, name: str, revision: int | None = None) -> Corpus:
    """Read a revision, by default the newest one, or raise `CorpusNotFound`."""
    corpus = find(session, name)
    if corpus is None:
        raise CorpusNotFound(f"There is no corpus {name!r}.", corpus=name)
    if revision is None or revision == corpus.revision:
        return corpus
    found = session.scalar(select(Corpus).where(Corpus.name == name, Corpus.revision == revision))
    if found is None:
        raise CorpusNotFound(
            f"The corpus {name!r} has no revision {revision}; the newest is {corpus.revision}.",
            corpus=name,
            revision=revision,
        )
    return found


def hold(session: Session, name: str, revision: int | None = None) -> Corpus:
    """Read a revision that nobody may delete until the transaction ends, or raise `CorpusNotFound`."""
    serialise(session, f"corpus:{name}")
    return get(session, name, revision)


def page(session: Session, *, limit: int, after: str | None = None) -> Sequence[tuple[Corpus, int]]:
    """The newest revision of each corpus, by name, and the bytes of all its revisions."""
    newest, n_bytes = func.max(Corpus.revision).label("newest"), func.sum(Corpus.n_bytes).label("n_bytes")
    whole = select(Corpus.name, newest, n_bytes).group_by(Corpus.name).subquery()
    query = select(Corpus, whole.c.n_bytes).join(
        whole, and_(Corpus.name == whole.c.name, Corpus.revision == whole.c.newest)
    )
    if after:
        query = query.where(Corpus.name > after)
    return [(corpus, int(size)) for corpus, size in session.execute(query.order_by(Corpus.name).limit(limit))]


def revisions(session: Session, name: str) -> Sequence[Corpus]:
    """All of a corpus, newest first, or raise `CorpusNotFound`."""
    get(session, name)
    return session.scalars(select(Corpus).where(Corpus.name == name).order_by(Corpus.revision.desc())).all()


def add(
    session: Session, name: str, content: CorpusContent, *, expected: Collection[str] | Expected | None = None
) -> tuple[Corpus, bool]:
    """Make an upload the next revision; False with the newest one, if that has the same content.

    Parameters
    ----------
    session : of a transaction
    name : of the corpus
    content : what was uploaded
    expected : ids of revisions of which one must be the newest; None for no expectation

    Raises
    ------
    PreconditionFailed
        The corpus is not as expected.
    """
    serialise(session, f"corpus:{name}")
    newest = find(session, name)
    _check(newest, name, expected)
    if newest is not None and newest.sha256 == content.sha256:
        return newest, False
    corpus = Corpus(
        id=secrets.token_hex(16),
        name=name,
        revision=newest.revision + 1 if newest else 1,
        created_at=now(session),
        **vars(content),
    )
    session.add(corpus)
    session.flush()
    return corpus, True


def _check(newest: Corpus | None, name: str, expected: Collection[str] | Expected | None) -> None:
    if expected is None or (expected is Expected.ANY and newest) or (expected is Expected.NONE and not newest):
        return
    if isinstance(expected, Expected) or newest is None:
        said = "exists" if newest else "does not exist"
        raise PreconditionFailed(f"The corpus {name!r} {said}.", corpus=name)
    if newest.id not in expected:
        raise PreconditionFailed(
            f"The corpus {name!r} is at revision {newest.revision}, another one than If-Match names.",
            corpus=name,
            revision=newest.revision,
        )


def delete(session: Session, name: str, revision: int | None = None) -> list[str]:
    """Delete the rows of a corpus, or of an older revision; returns the storage keys, to be deleted after the commit.

    Raises
    ------
    CorpusNotFound, CorpusInUse
    NewestRevision
        It numbers the next one, and goes with the corpus only.
    """
    newest = hold(session, name)
    if revision == newest.revision:
        raise NewestRevision(
            f"Revision {revision} is the newest of {name!r}; upload another one, or delete the corpus.",
            corpus=name,
            revision=revision,
        )
    leaving = revisions(session, name) if revision is None else [get(session, name, revision)]
    for corpus in leaving:
        if job_id := jobs.reads_corpus(session, corpus.id):
            told = reference(name, corpus.revision)
            raise CorpusInUse(f"The job {job_id} still reads the corpus {told}.", corpus=name, job=job_id)
        session.delete(corpus)
    session.flush()
    return [corpus.key for corpus in leaving]
