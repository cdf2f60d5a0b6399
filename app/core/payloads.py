"""What each kind of job is told to do: stored with the job, read by the trainer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.classifier.features import FeatureKind
from app.core.evaluation.bias.results import BiasOptions
from app.core.evaluation.results import SetResult
from app.core.evaluation.sets import EvaluationSet
from app.core.names import Name
from app.core.shapes import LIST, TEXT, by_shape
from app.core.steps import Step
from app.core.swapping import SwapPairs
from app.core.table.manifest import FileOrigin, IndexRequest, VersionOrigin
from app.core.text import TextSpec
from app.core.text.labelled import LabelledFields
from app.core.vector_files import RequestedFormat


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusSource(_Payload):
    """The text to read, as it was when the job was submitted; `key` names its object in storage."""

    name: str
    revision: int | None = None
    key: str
    sha256: str
    n_bytes: int


class FileSource(_Payload):
    """The file to read, as it was when the job was submitted; `key` names its object in storage."""

    name: str
    revision: int
    key: str
    sha256: str
    n_bytes: int

    def origin(self) -> FileOrigin:
        return FileOrigin(**self.model_dump(exclude={"key"}))


class VersionSource(_Payload):
    """The version to read; `prefix` names its folder in storage."""

    model: str
    version: int
    prefix: str
    manifest_sha256: str

    def origin(self) -> VersionOrigin:
        return VersionOrigin(**self.model_dump(exclude={"prefix"}))


class Publication(_Payload):
    """Which alias moves to the result; none if `alias` is null."""

    alias: Annotated[Name | None, Field(description="moves to the new version, null: none does")] = "latest"


class SetSource(_Payload):
    """A set of questions, and the file that has them."""

    asked: EvaluationSet
    file: FileSource

    def is_like(self, other: SetSource) -> bool:
        """Whether both ask the same questions in the same way."""
        mine, its = (each.asked.model_dump(exclude={"file", "type"}) for each in (self, other))
        types = {self.asked.type, other.asked.type}
        return mine == its and self.file.key == other.file.key and (len(types) == 1 or "auto" in types)


class BiasSource(_Payload):
    """Word sets to measure bias with: those shipped with the trainer, or those of a file."""

    word_sets: str
    options: BiasOptions = BiasOptions()
    file: FileSource | None = None


EvaluationSource = SetSource | BiasSource

Freeze = Annotated[
    Annotated[Literal["none", "parent"], TEXT]
    | Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000), LIST],
    by_shape("This is 'none', 'parent' or a list of words"),
]
"""Which words of a parent keep their vectors."""


class StartSource(_Payload):
    """The version that a training goes on from, and what holds its words in their place."""

    version: VersionSource
    freeze: Freeze
    anchor_strength: float


class TrainPayload(_Payload):
    """Train vectors on a corpus, perhaps with evidence, from chance or from a version.

    They are rotated onto the version `align`, if there is one; a `continuable` result keeps what `start` needs.
    `text_files` are the files that text is read with, by the names that they get as resources of the version.
    """

    corpus: CorpusSource
    algorithm: str
    hyperparameters: dict[str, Any]
    text: TextSpec
    text_files: dict[str, FileSource] = {}
    evidence: bool = False
    publish: Publication = Publication()
    index: IndexRequest = "auto"
    align: VersionSource | None = None
    replicas: int = 1
    swap_pairs: SwapPairs = ()
    start: StartSource | None = None
    continuable: bool = False
    evaluate: tuple[EvaluationSource, ...] = ()


class RowPolicies(_Payload):
    """What becomes of rows that are not as they should be, each counted in the job's result and the first named; and of
    rows of n-grams, whose bytes the result tells.
    """

    bad_rows: Annotated[
        Literal["error", "drop"], Field(description="another number of numbers, or one that is not finite")
    ] = "error"
    not_utf8: Annotated[
        Literal["drop", "replace", "error"], Field(description="words that are not UTF-8; `replace` writes U+FFFD")
    ] = "drop"
    duplicates: Annotated[
        Literal["first", "error"],
        Field(description="words that came before, also those that only folding or `spaces` makes equal"),
    ] = "first"
    zero_rows: Annotated[Literal["drop", "error"], Field(description="vectors without a direction")] = "drop"
    spaces: Annotated[
        Literal["keep", "replace", "drop", "error"],
        Field(description="white space inside a word; `replace` writes _, and kept ones are found by `word=` alone"),
    ] = "keep"
    ngrams: Annotated[
        Literal["keep", "trained", "drop"],
        Field(
            description="fastText's rows of n-grams, of which words to come are composed: all buckets, those that "
            "n-grams of the vocabulary have, or none"
        ),
    ] = "keep"
    header: Annotated[
        Literal["error", "ignore"], Field(description="a first line that promises another number of rows")
    ] = "error"


class ImportPayload(_Payload):
    """Make a version of vectors that come from elsewhere."""

    file: FileSource
    vocabulary: FileSource | None = None
    format: RequestedFormat
    text: TextSpec
    rows: RowPolicies = RowPolicies()
    licence: str | None = None
    source: str | None = None
    publish: Publication = Publication()
    index: IndexRequest = "auto"
    evaluate: tuple[EvaluationSource, ...] = ()


class DerivePayload(_Payload):
    """Make a version of others; `versions` and `files` are what the steps name, by how they name it.

    `before` is what the parent has answered to the sets that it was evaluated with, which are among `evaluate`.
    """

    parent: VersionSource
    steps: tuple[Step, ...]
    versions: dict[str, VersionSource]
    files: dict[str, FileSource]
    publish: Publication = Publication()
    index: IndexRequest = "auto"
    evaluate: tuple[EvaluationSource, ...] = ()
    before: tuple[SetResult, ...] = ()


class EvaluatePayload(_Payload):
    """Ask a version questions; without any, only how its vectors lie is measured."""

    evaluated: VersionSource
    sets: tuple[EvaluationSource, ...]


class ClassifierPayload(_Payload):
    """Train a classifier on labelled texts and the vectors of a version."""

    base: VersionSource
    file: FileSource
    fields: LabelledFields
    features: FeatureKind = "mean"
    held_out: float = 0.2
    min_texts: int = 10
    c: float | None = None
    seed: int = 1
    publish: Publication = Publication()


KINDS: dict[str, type[BaseModel]] = {
    "train": TrainPayload,
    "import": ImportPayload,
    "derive": DerivePayload,
    "evaluate": EvaluatePayload,
    "classifier": ClassifierPayload,
}
"""The one list of kinds of job."""
