"""How a training reads its corpus: what was asked for, with the files that the tokenizer is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.core.payloads import TrainPayload
from app.core.table.golden import GOLDEN_FILE, MAX_LINE, N_LINES, GoldenSample
from app.core.table.reading import Table, read_resources
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader, TextSpec
from app.core.text.phrases import PHRASES, Pairs, written
from app.core.text.tokenizers.sentencepiece import MODEL, SentencePiece
from trainer.corpus.pieces import learn_pieces
from trainer.corpus.source import first_lines
from trainer.steps.progress import Report
from trainer.work.context import Context
from trainer.work.stored import verified_file


@dataclass(frozen=True)
class Reading:
    """A spec with the digests of its resources, those, and lines for the golden sample."""

    spec: TextSpec
    resources: dict[str, bytes]
    first_lines: list[str]

    @cached_property
    def reader(self) -> TextReader:
        return TextReader(self.spec, self.resources)

    def with_phrases(self, passes: Sequence[Pairs]) -> Reading:
        """The same, with the pairs that were joined."""
        content = written(passes)
        digests = self.spec.resources | {PHRASES: hashlib.sha256(content).hexdigest()}
        spec = self.spec.model_copy(update={"resources": digests})
        return Reading(spec, self.resources | {PHRASES: content}, self.first_lines)

    def stored(self, vocabulary: Vocabulary) -> dict[str, bytes]:
        """The files of the version: those that text is read with, and the golden sample."""
        sample = GoldenSample.of(self.first_lines, self.reader, vocabulary.ids().get)
        return self.resources | {GOLDEN_FILE: sample.content()}


def learns_pieces(payload: TrainPayload) -> bool:
    """Whether the corpus is read once before, to learn what it is read with."""
    options = payload.text.options
    return isinstance(options, SentencePiece) and not options.model and payload.start is None


def reading_of(payload: TrainPayload, corpus: Path, context: Context, parent: Table | None, report: Report) -> Reading:
    """What the corpus is read with: uploaded files, those of the version that is gone on from, or what is learned.

    `report` is told of the learning alone.

    Raises
    ------
    ExtraMissing, TokenizerNotLearned, FileMissing, FileDamaged
    """
    spec = payload.text.here()
    if spec.options:
        spec.options.check_installed()
    resources = {name: verified_file(context, file).read_bytes() for name, file in payload.text_files.items()}
    if parent:
        resources = read_resources(parent.folder, parent.manifest) | resources
    if isinstance(spec.options, SentencePiece) and learns_pieces(payload):
        resources[MODEL] = learn_pieces(corpus, context.scratch, spec, spec.options, context.threads, report)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in resources.items()}
    lines = first_lines(corpus, spec, N_LINES, MAX_LINE)
    return Reading(spec.model_copy(update={"resources": digests}), resources, lines)
