"""What the job endpoints take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from app.core.classifier.features import FeatureKind
from app.core.evaluation.bias.results import BiasOptions
from app.core.evaluation.bias.words import SHIPPED
from app.core.evaluation.sets import EvaluationSet
from app.core.hyperparameters import ALGORITHMS, Hyperparameters
from app.core.names import CorpusReference, FileReference, Name
from app.core.numbers import NotBoolean
from app.core.payloads import Publication, RowPolicies
from app.core.steps import Step
from app.core.swapping import SwapPairs
from app.core.table.manifest import IndexRequest
from app.core.text import TextSpec
from app.core.text.labelled import LabelledFields
from app.core.vector_files import RequestedFormat
from app.jobs.starts import StartChoice, VersionName

Priority = Annotated[
    int,
    Field(
        ge=-10, le=10, description="jobs of a higher one are begun first; above 0 it needs a key of the scope `admin`"
    ),
    NotBoolean,
]


class _Publishing(BaseModel):
    """A job whose result is a version."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[Name, Field(description="the result becomes its next version", examples=["bible"])]
    publish: Annotated[Publication, Field(description="what happens to the result")] = Publication()
    index: Annotated[
        IndexRequest,
        Field(
            description="how neighbours are found: `exact` scans; `graph`, an approximate index with its recall told; "
            "`auto` scans unless the table is large"
        ),
    ] = "auto"
    priority: Priority = 0


class TrainSubmission(_Publishing):
    """Train vectors on an uploaded corpus."""

    kind: Literal["train"] = "train"
    corpus: CorpusReference
    text: Annotated[TextSpec, Field(description="how text becomes words")] = TextSpec()
    evidence: Annotated[
        bool,
        Field(
            strict=True,
            description="store what the corpus shows of the 20,000 most frequent words, 1.4 kB each: `/contexts`, "
            "`/explain` and `/cooccurrence` answer from it",
        ),
    ] = False
    swap_pairs: SwapPairs = ()
    algorithm: str
    hyperparameters: Hyperparameters
    replicas: Annotated[
        int,
        Field(
            ge=1,
            le=10,
            description="train so many times with seeds that follow each other, publish the first, and store in how "
            "many each neighbour is found: `GET /neighbors?stability=true`",
        ),
        NotBoolean,
    ] = 1
    align: Annotated[
        bool,
        Field(
            description="rotate the vectors onto the version that the alias names now, or that `start` names, so that "
            "vectors which clients have stored stay comparable; no answer changes by that"
        ),
    ] = True
    start: Annotated[
        StartChoice | None,
        Field(description="go on from a version; the learning rate is then half the default unless it is given"),
    ] = None
    continuable: Annotated[
        bool,
        Field(
            strict=True,
            description="keep what another training needs to go on from the result exactly, which doubles its size "
            "in storage; without it, that is fitted anew in an epoch more",
        ),
    ] = False

    @model_validator(mode="before")
    @classmethod
    def _slow_down(cls, given: Any) -> Any:
        """What goes on from a version steps half as far, unless a learning rate is given."""
        if not isinstance(given, dict) or given.get("start") is None:
            return given
        chosen, kind = given.get("hyperparameters", {}), cls.model_fields["hyperparameters"].annotation
        if not (isinstance(chosen, dict) and isinstance(kind, type) and issubclass(kind, Hyperparameters)):
            return given
        if chosen.get("learning_rate") is not None:
            return given
        rate = kind.default_learning_rate(chosen) / 2
        return given | {"hyperparameters": chosen | {"learning_rate": rate}}


class ImportSubmission(_Publishing):
    """Make a version of vectors that come from elsewhere, in an uploaded file."""

    kind: Literal["import"]
    file: FileReference
    format: Annotated[
        RequestedFormat,
        Field(
            description="`auto`: by the first bytes. `native` is an exported version: it comes back as it was, with "
            "its own text, counts, licence and manifest"
        ),
    ] = "auto"
    vocabulary: Annotated[
        FileReference | None,
        Field(
            description="an uploaded file with a word and its count a line; without one, counts are estimated. "
            "For `safetensors` and `npy`, line i is the word of row i, and may be the word alone"
        ),
    ] = None
    text: Annotated[
        TextSpec, Field(description="how queries are read; words are normalised and their case folded the same way")
    ] = TextSpec(normalization="none", case="keep", tokenizer="whitespace")
    rows: RowPolicies = RowPolicies()
    licence: Annotated[str | None, Field(max_length=200, description="of the vectors", examples=["PDDL"])] = None
    source: Annotated[str | None, Field(max_length=500, description="where the vectors come from")] = None


class DeriveSubmission(_Publishing):
    """Make a version of one that there is, by steps that are done in their order."""

    kind: Literal["derive"]
    version: VersionName = "latest"
    into: Annotated[Name | None, Field(description="the model that gets the result, by default the same")] = None
    steps: Annotated[list[Step], Field(min_length=1, max_length=20)]


class EvaluateSubmission(BaseModel):
    """Ask a version questions, and measure how its vectors lie; the result is kept with the version."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["evaluate"]
    model: Annotated[Name, Field(examples=["bible"])]
    version: VersionName = "latest"
    sets: Annotated[list[EvaluationSet], Field(max_length=20, description="none: only how the vectors lie")] = []
    suite: Annotated[Literal["bias"] | None, Field(description="`bias`: all tests of `word_sets`")] = None
    word_sets: Annotated[
        list[FileReference],
        Field(min_length=1, max_length=10, description="of the suite: `weat`, `weat-ko`, or uploaded JSON files"),
    ] = list(SHIPPED)
    options: Annotated[BiasOptions, Field(description="of the suite")] = BiasOptions()
    priority: Priority = 0

    @model_validator(mode="after")
    def _check_suite(self) -> Self:
        if self.suite is None and self.model_fields_set & {"word_sets", "options"}:
            raise ValueError("word_sets and options are those of a suite")
        return self


class ClassifierSubmission(LabelledFields):
    """Train a classifier of texts on the vectors of a version and an uploaded file of labelled texts.

    The result becomes the classifier's next version. Its report compares it with baselines on texts that are held out.
    """

    kind: Literal["classifier"]
    name: Annotated[Name, Field(description="of the classifier; no model may have it", examples=["sentiment"])]
    model: Annotated[Name, Field(description="whose vectors it stands on", examples=["bible"])]
    version: VersionName = "latest"
    file: FileReference
    features: Annotated[FeatureKind, Field(description="how the vectors of a text's words become one row")] = "mean"
    held_out: Annotated[
        float, Field(ge=0.01, le=0.5, description="share of each label's texts that only measures"), NotBoolean
    ] = 0.2
    min_texts: Annotated[
        int, Field(ge=2, le=1_000_000, description="labels of fewer different texts are left out"), NotBoolean
    ] = 10
    c: Annotated[
        float | None,
        Field(ge=1e-6, le=1e6, description="inverse strength of the penalty; null: by five-fold cross-validation"),
        NotBoolean,
    ] = None
    seed: Annotated[int, Field(ge=0, lt=1 << 31, description="of what is held out"), NotBoolean] = 1
    publish: Annotated[Publication, Field(description="what happens to the result")] = Publication()
    priority: Priority = 0


def _submission(algorithm: str, hyperparameters: type[BaseModel]) -> type[TrainSubmission]:
    """The submission of one algorithm."""
    name = hyperparameters.__name__.removesuffix("Hyperparameters")
    named: Any = Literal[algorithm]
    return create_model(
        f"{name}Submission",
        __base__=TrainSubmission,
        __doc__=f"Train {name} vectors on an uploaded corpus.",
        algorithm=(named, ...),
        hyperparameters=(hyperparameters, hyperparameters()),
    )


def _kind(said: Any) -> Any:
    """The kind of job that a body says; trainings need not say it."""
    return said.get("kind", "train") if isinstance(said, dict) else getattr(said, "kind", "train")


if TYPE_CHECKING:
    Submission = TrainSubmission | ImportSubmission | DeriveSubmission | EvaluateSubmission | ClassifierSubmission
else:
    _BY_ALGORITHM = tuple(_submission(*entry) for entry in ALGORITHMS.items())
    _TRAINING = Annotated[Union[_BY_ALGORITHM], Field(discriminator="algorithm"), Tag("train")]  # noqa: UP007 (of a list)
    Submission = Annotated[
        _TRAINING
        | Annotated[ImportSubmission, Tag("import")]
        | Annotated[DeriveSubmission, Tag("derive")]
        | Annotated[EvaluateSubmission, Tag("evaluate")]
        | Annotated[ClassifierSubmission, Tag("classifier")],
        Discriminator(_kind),
    ]
