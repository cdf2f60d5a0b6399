"""What can happen to a job, and what a corpus or hyperparameters can do wrong."""

from __future__ import annotations

from app.core.errors.base import WordkinError


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


class TrainerBroken(WordkinError):
    """The trainer cannot work: its scratch folder or its processes fail."""

    is_answered = False


class TrainingStalled(WordkinError):
    """The training made no progress for too long."""

    is_answered = False


class TrainingCrashed(WordkinError):
    """The training process ended without a result."""

    is_answered = False


class TokenizerNotLearned(WordkinError):
    """The tokenizer could not be learned of the corpus."""

    is_answered = False


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


class StepImpossible(WordkinError):
    """A step cannot be done with these vectors."""

    is_answered = False


class LabelsUnusable(WordkinError):
    """The labelled texts do not suffice for a classifier."""

    is_answered = False


class VectorsCollapsed(WordkinError):
    """Training collapsed: the vectors hardly differ from each other."""

    is_answered = False


class StreamsBusy(WordkinError):
    """Enough streams are open; read the job now and then instead, or try again later."""


class JobTooCostly(WordkinError):
    """The job costs more (tokens x epochs x dim) than one may."""


class QueueFull(WordkinError):
    """As many jobs wait as may; submit this one again when some have ended."""
