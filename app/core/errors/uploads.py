"""What can be wrong with what is uploaded, and with where it is kept."""

from __future__ import annotations

from app.core.errors.base import WordkinError


class CorpusNotFound(WordkinError):
    """There is no corpus of this name."""


class CorpusInUse(WordkinError):
    """A queued or running job still reads this corpus."""


class NewestRevision(WordkinError):
    """The newest revision numbers the next one, and is deleted with all others only."""


class CorpusEmpty(WordkinError):
    """The corpus has no text."""


class CorpusTooLarge(WordkinError):
    """The corpus is larger than this service accepts."""


class CorpusNotText(WordkinError):
    """The corpus is not valid UTF-8."""


class FileNotFound(WordkinError):
    """There is no file of this name."""


class FileInUse(WordkinError):
    """A queued or running job still reads this file."""


class FileEmpty(WordkinError):
    """The file has no bytes."""


class FileTooLarge(WordkinError):
    """The file is larger than this service accepts."""


class EvaluationSetUnreadable(WordkinError):
    """The file is no set of questions that can be read."""


class VectorsUnreadable(WordkinError):
    """The file does not hold vectors in the format that it should have."""


class UploadIncomplete(WordkinError):
    """The connection ended before the whole body arrived."""


class UploadNotFound(WordkinError):
    """There is no upload of this id; uploads that are not finished expire."""


class UploadOffsetMismatch(WordkinError):
    """The bytes do not begin where the upload ends; ask where, and go on there."""


class BadRecord(WordkinError):
    """Rows of the corpus do not hold text where the job's format says."""


class ExtraMissing(WordkinError):
    """The library that reads or writes this format, or the tokenizer, is not installed."""


class TokenizerUnusable(WordkinError):
    """The model or the dictionary of a tokenizer is not what it should be."""


class BadCompression(WordkinError):
    """The compressed body is damaged, truncated, or expands beyond the allowed ratio."""


class UnsupportedEncoding(WordkinError):
    """This Content-Encoding is not supported; send identity, gzip or zstd."""


class FormBody(WordkinError):
    """The body is a form, not the content itself; use curl -T FILE."""


class BadDigest(WordkinError):
    """The digest header is malformed or names no supported algorithm."""


class DigestMismatch(WordkinError):
    """The body does not have the digest that the request states."""


class StorageFull(WordkinError):
    """There is not enough space left to store this."""


class QuotaExceeded(WordkinError):
    """The uploads would take more space than they may; delete some."""


class StorageUnavailable(WordkinError):
    """The storage does not answer; what is stored there is not lost, and models that are loaded keep serving."""


class StorageForeign(WordkinError):
    """The storage belongs to another database."""

    is_answered = False


class CorpusMissing(WordkinError):
    """The text of this corpus is not in storage any more; upload the same text again."""

    is_answered = False


class FileMissing(WordkinError):
    """The content of this file is not in storage any more; upload the same again."""

    is_answered = False


class FileDamaged(WordkinError):
    """The stored content of this file is not what was uploaded; delete the file and upload it again."""

    is_answered = False


class CorpusDamaged(WordkinError):
    """The stored text of this corpus is not what was uploaded; delete the corpus and upload it again."""

    is_answered = False
