"""Every condition a caller can act on: one class each, its docstring the default message. No HTTP in here."""

from __future__ import annotations

import re
from typing import Any, ClassVar


def reason(error: BaseException) -> str:
    """What a foreign error says, without paths and addresses of this machine, which belong into the log alone."""
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


class WordkinError(Exception):
    """Something went wrong."""

    title: ClassVar[str]
    slug: ClassVar[str]
    is_answered: ClassVar[bool] = True
    """Whether a request is answered by it; others stand in the `error` of a job, or behind another error."""

    def __init_subclass__(cls) -> None:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", cls.__name__)
        cls.title = name.capitalize()
        cls.slug = name.lower().replace(" ", "-")

    def __init__(self, detail: str | None = None, /, **members: Any) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.members = members
        super().__init__(self.detail)

    def problem(self) -> dict[str, Any]:
        """This error as RFC 9457 members; the web layer adds ``status`` and ``instance``."""
        return {"type": f"/problems/{self.slug}", "title": self.title, "detail": self.detail, **self.members}


# Corpora


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


class VectorsUnreadable(WordkinError):
    """The file does not hold vectors in the format that it should have."""


class UploadIncomplete(WordkinError):
    """The connection ended before the whole body arrived."""


class BadRecord(WordkinError):
    """Rows of the corpus do not hold text where the job's format says."""


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


# Jobs


class JobNotFound(WordkinError):
    """There is no job of this id."""


class JobInUse(WordkinError):
    """The job has not ended, or a version that it published is still there."""


class JobFinished(WordkinError):
    """The job has already ended."""


class IdempotencyConflict(WordkinError):
    """This idempotency key was used before with another request."""


class LeaseLost(WordkinError):
    """The job belongs to another worker now."""

    is_answered = False


class WorkerLost(WordkinError):
    """The worker died while it ran this job, too many times."""

    is_answered = False


class JobUnreadable(WordkinError):
    """The trainer cannot read what this job asks for; it was submitted to another release."""

    is_answered = False


class MemoryShort(WordkinError):
    """The job needs more memory than the trainer has; fewer words (min_count, max_words) or dimensions need less."""

    is_answered = False


class TrainerBroken(WordkinError):
    """The trainer cannot work: its scratch folder or its processes fail."""

    is_answered = False


class TrainingStalled(WordkinError):
    """The training made no progress for too long."""

    is_answered = False


class TrainingCrashed(WordkinError):
    """The training process ended without a result."""

    is_answered = False


# Training: what a corpus or its hyperparameters can do wrong


class VocabularyEmpty(WordkinError):
    """No word of the corpus is frequent enough; lower min_count or send more text."""

    is_answered = False


class VocabularyTooSmall(WordkinError):
    """The vocabulary is too small to train on."""

    is_answered = False


class VocabularyTooLarge(WordkinError):
    """The corpus has more distinct words than the limit allows."""

    is_answered = False


class CorpusTooSmall(WordkinError):
    """The corpus is too small for these hyperparameters."""

    is_answered = False


class VectorsNotFinite(WordkinError):
    """Training diverged: some vectors are not finite. Lower the learning rate."""

    is_answered = False


class TrainingDiverged(WordkinError):
    """Training diverged: the vectors predict worse than untrained ones. Lower the learning rate."""

    is_answered = False


class VectorsCollapsed(WordkinError):
    """Training collapsed: the vectors hardly differ from each other."""

    is_answered = False


# Versions and queries


class ModelNotFound(WordkinError):
    """There is no model of this name."""


class ModelRequired(WordkinError):
    """There are several models; say which one with model=."""


class VersionNotFound(WordkinError):
    """The model has no such version or alias."""


class VersionNotLoaded(WordkinError):
    """This version exists but cannot be served right now."""


class VersionInUse(WordkinError):
    """An alias names this version; move or delete the alias first."""


class ModelInUse(WordkinError):
    """A queued or running job will publish into this model."""


class AliasReserved(WordkinError):
    """This alias is reserved."""


class PreconditionRequired(WordkinError):
    """Send If-Match with the alias's current ETag, so that nobody's change is overwritten."""


class PreconditionFailed(WordkinError):
    """What you would change has changed since you read it, or is not there."""


class WordNotFound(WordkinError):
    """The vocabulary has no such word."""


class NotOneWord(WordkinError):
    """As the version reads text, this is not exactly one word, or marks of it would be dropped."""


class InvalidRequest(WordkinError):
    """The request is not valid."""


class Overloaded(WordkinError):
    """Too many queries are waiting; try again shortly."""


class DatabaseUnavailable(WordkinError):
    """The database does not answer; models that are loaded keep serving."""


class TableDamaged(WordkinError):
    """The stored table is damaged or incomplete."""

    is_answered = False
