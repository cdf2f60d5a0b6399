"""What a version must be so that a training can go on from it."""

from __future__ import annotations

from app.core.errors import InvalidRequest
from app.core.hyperparameters import FastTextHyperparameters, Word2VecHyperparameters
from app.core.names import reference
from app.core.payloads import Freeze
from app.core.records import Version
from app.core.table.arrays import UNIT_VECTORS
from app.core.table.continuation import is_continued_by
from app.core.table.manifest import Manifest, parse_manifest
from app.core.table.parts import Ngrams
from app.core.text import TextSpec
from app.jobs.schemas import TrainSubmission

READING = ("normalization", "case", "tokenizer", "keep_tokens", "stop_words", "max_word_length", "phrases")
"""What of a text's description must be the same, so that words are the same words."""
NGRAMS = ("unit", "min_n", "max_n", "n_buckets")
"""What of n-grams must be the same, so that they are the same rows."""


def check_start(submission: TrainSubmission, freeze: Freeze, parent: Version) -> None:
    """Raise `InvalidRequest` for a version that this training cannot go on from."""
    name, manifest = reference(parent.model, parent.number), parse_manifest(parent.manifest)
    _check_version(name, manifest)
    _check_text(name, manifest, submission.text)
    chosen = submission.hyperparameters
    if chosen.dim != manifest.dim:
        raise InvalidRequest(
            f"start: {name} has {manifest.dim} dimensions, and this training {chosen.dim}; "
            f"say dim = {manifest.dim} among the hyperparameters."
        )
    if isinstance(chosen, FastTextHyperparameters):
        _check_ngrams(name, manifest, chosen)
    if isinstance(chosen, Word2VecHyperparameters) and chosen.output != "input":
        if freeze != "none":
            raise InvalidRequest("start.freeze: needs output 'input'; the sum of two rows cannot be held.")
        if not is_continued_by(manifest, submission.algorithm, chosen):
            raise InvalidRequest(
                f"start: output {chosen.output!r} needs a version that was trained so and with continuable = true; "
                f"{name} was not."
            )


def check_continuable(submission: TrainSubmission) -> None:
    """Raise `InvalidRequest` for a training whose rows would fit no other."""
    chosen = submission.hyperparameters
    if isinstance(chosen, Word2VecHyperparameters) and chosen.objective == "hierarchical-softmax":
        raise InvalidRequest(
            "continuable: needs objective 'negative-sampling'; the rows of a Huffman tree fit no other tree. "
            "A training can go on from this version all the same, and fits them anew."
        )


def _check_version(name: str, manifest: Manifest) -> None:
    if not manifest.counts_known:
        raise InvalidRequest(
            f"start: how often words of {name} occur is not known; import it with a `vocabulary` that has counts."
        )
    if manifest.arrays is not None and UNIT_VECTORS not in manifest.arrays:
        raise InvalidRequest(f"start: {name} is quantised; go on from the version that it was made of.")


def _check_ngrams(name: str, manifest: Manifest, chosen: FastTextHyperparameters) -> None:
    theirs, ours = manifest.composition, Ngrams.of(chosen)
    if not isinstance(theirs, Ngrams):
        raise InvalidRequest(
            f"start: {name} has no n-grams to go on from; give it some with the step fit_subwords, or train word2vec."
        )
    for option in NGRAMS:
        before, now = getattr(theirs, option), getattr(ours, option)
        if before != now:
            raise InvalidRequest(
                f"start: {name} has n-grams of {option} {before}, and this training {now}; "
                f"say {option} = {before} among the hyperparameters."
            )


def _check_text(name: str, manifest: Manifest, spec: TextSpec) -> None:
    for option in READING:
        theirs, ours = getattr(manifest.text, option), getattr(spec, option)
        if theirs != ours:
            shown = list(theirs) if isinstance(theirs, tuple) else theirs
            raise InvalidRequest(
                f"start: {name} was read with {option} {shown!r}, which is not that of this training; say the same."
            )
