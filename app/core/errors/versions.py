"""What can be wrong with a version, an alias or a question."""

from __future__ import annotations

from app.core.errors.base import WordkinError


class ModelNotFound(WordkinError):
    """There is no model of this name."""


class ClassifierNotFound(WordkinError):
    """There is no classifier of this name."""


class NameTaken(WordkinError):
    """A model has this name, or a classifier; the two may not share one."""


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


class GateFailed(WordkinError):
    """The version does not pass the model's policy; the alias stays. An override needs a reason."""


class PreconditionRequired(WordkinError):
    """Send If-Match with the alias's current ETag, so that nobody's change is overwritten."""


class PreconditionFailed(WordkinError):
    """What you would change has changed since you read it, or is not there."""


class WordNotFound(WordkinError):
    """The vocabulary has no such word."""


class EvidenceNotStored(WordkinError):
    """The version does not have the evidence of its corpus; train with "evidence": true to store it."""


class NotOneWord(WordkinError):
    """As the version reads text, this is not exactly one word, or marks of it would be dropped."""


class TextNotRead(WordkinError):
    """This process cannot read text as the version's corpus was read: only words as they are stored are found."""


class WordSetUnusable(WordkinError):
    """Too few words of a set have vectors in this version."""


class InvalidRequest(WordkinError):
    """The request is not valid."""


class WordNotWritable(WordkinError):
    """The format cannot hold one of the words; say spaces=replace, or choose another format."""


class ExportsBusy(WordkinError):
    """Enough exports are running; try again shortly."""


class Overloaded(WordkinError):
    """Too many queries are waiting; try again shortly."""


class DatabaseUnavailable(WordkinError):
    """The database does not answer; models that are loaded keep serving."""


class TableDamaged(WordkinError):
    """The stored table is damaged or incomplete."""

    is_answered = False
