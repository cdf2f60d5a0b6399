"""Rows as the payload of a job names them: what they are at that moment."""

from __future__ import annotations

from app.core.payloads import CorpusSource, FileSource, VersionSource
from app.core.records import Corpus, File, Version


def corpus_source(row: Corpus) -> CorpusSource:
    return CorpusSource(name=row.name, revision=row.revision, key=row.key, sha256=row.sha256, n_bytes=row.n_bytes)


def file_source(row: File) -> FileSource:
    return FileSource(name=row.name, revision=row.revision, key=row.key, sha256=row.sha256, n_bytes=row.n_bytes)


def version_source(row: Version) -> VersionSource:
    return VersionSource(model=row.model, version=row.number, prefix=row.prefix, manifest_sha256=row.manifest_sha256)
