"""What a version's folder holds and where it came from: ``manifest.json``, written last."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import TableDamaged, reason
from app.core.table.digests import FileDigest
from app.core.table.parts import Composition
from app.core.text import TextSpec

FORMAT_VERSION = 2
TABLE_FILE = "table.safetensors"
INDEX_FILE = "index.faiss"
MANIFEST_FILE = "manifest.json"
RESOURCES = "resources"
"""The folder of further files of a version, such as the model of its tokenizer."""
RESOURCE_NAME = re.compile(rf"{RESOURCES}/\w[\w.\-]*")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GraphSearch(_Part):
    """With how much effort a graph is searched, and what was measured with it."""

    ef_search: int
    recall_at_10: float
    query_milliseconds: float


IndexRequest = Literal["auto", "exact", "graph"]
"""How a table shall be searched: by scans, by a graph, or as its size says."""


class IndexDescription(_Part):
    """What the index is, how it searches, what was asked for (None: before that could be said), and what was measured.

    `flat` scans the table itself and has no file of its own. What is measured is for words; sums of words lie farther
    from all words, need more effort, and a scan answers them if `sums` is None.
    """

    kind: Literal["flat", "hnsw"]
    requested: IndexRequest | None = None
    parameters: dict[str, int | float | str] = {}
    recall_at_10: float
    build_seconds: float
    query_milliseconds: float
    sums: GraphSearch | None = None


class CorpusOrigin(_Part):
    name: str
    revision: int | None = None
    sha256: str
    n_bytes: int
    n_tokens: int
    n_lines: int


class EvidenceDescription(_Part):
    """How the evidence of a table was counted, see `app.core.table.evidence`, and what it takes.

    The `n_words` most frequent words have it; their contexts are among the `n_context_words` most frequent ones.
    """

    window: Annotated[int, Field(ge=1)]
    smoothing: Annotated[float, Field(ge=0, le=1)]
    n_words: int
    n_context_words: int
    n_bytes: int
    seconds: float


class VersionOrigin(_Part):
    model: str
    version: int
    manifest_sha256: str


class StartOrigin(_Part):
    """The version that a training went on from; the table's array `parent_rows` says where its words are now.

    `words`: how many are known, new, left out, absent from the corpus, frozen. `refitted`: it had its vectors alone.
    """

    parent: VersionOrigin
    words: dict[str, int]
    anchor_strength: float
    refitted: bool


class TrainedOrigin(_Part):
    """The vectors were trained here, on a corpus; `evidence` is None if none was asked for, `start` if from chance."""

    kind: Literal["trained"] = "trained"
    algorithm: str
    hyperparameters: dict[str, Any]
    corpus: CorpusOrigin
    training: dict[str, Any]
    evidence: EvidenceDescription | None = None
    start: StartOrigin | None = None

    @property
    def made_of(self) -> str:
        return self.corpus.name


class FileOrigin(_Part):
    name: str
    revision: int
    sha256: str
    n_bytes: int


class NamedRow(_Part):
    """A row of a file by its word, and by the number of its line, of its first byte, or of itself."""

    word: str
    at: int


class RowsFound(_Part):
    """Rows that were not as they should be: what they are, what became of them, and the first of them."""

    what: str
    became: Literal["left out", "changed", "kept"]
    n: int
    first: list[NamedRow]


class RowReport(_Part):
    """What became of the rows of an imported file; `unit` says what `at` counts, from 1, bytes from 0."""

    unit: Literal["line", "byte", "row"]
    n_rows: int
    n_words: int
    found: list[RowsFound]


class ImportedOrigin(_Part):
    """The vectors come from a file; what is not known of it is None. `licence` and `source` are as the user says."""

    kind: Literal["imported"] = "imported"
    format: str
    file: FileOrigin
    vocabulary: FileOrigin | None = None
    rows: RowReport
    licence: str | None = None
    source: str | None = None
    imported: dict[str, Any]

    @property
    def made_of(self) -> str:
        return self.file.name


class StepDone(_Part):
    """A step as it was asked for, and what it has found."""

    step: dict[str, Any]
    found: dict[str, Any]


class DerivedOrigin(_Part):
    """The vectors come from other versions, the first of which gave words, counts and the reading of text.

    `frequencies` says where the frequencies of words come from that steps weigh them by.
    """

    kind: Literal["derived"] = "derived"
    parents: list[VersionOrigin]
    files: list[FileOrigin]
    steps: list[StepDone]
    frequencies: Literal["counted", "estimated by rank"]
    derived: dict[str, Any]

    @property
    def made_of(self) -> str:
        return self.parents[0].model


Origin = Annotated[TrainedOrigin | ImportedOrigin | DerivedOrigin, Field(discriminator="kind")]


class ArrayDescription(_Part):
    dtype: str
    shape: list[int]


class Manifest(_Part):
    """What the folder holds and where it came from; written last.

    `model` is the one it was published for, so that rows can be made anew. `counts_known` says whether the counts are
    occurrences in a text, or only keep an order; `composition` what words are made of that the vocabulary lacks. Before
    format 2 `arrays` were not recorded.
    """

    format_version: Literal[1, 2]
    model: str | None = None
    files: dict[str, FileDigest]
    arrays: dict[str, ArrayDescription] | None
    n_words: int
    dim: int
    counts_known: bool
    origin: Origin
    text: TextSpec
    composition: Composition | None = None
    index: IndexDescription
    metrics: dict[str, Any]
    code_version: str
    created_at: datetime

    @property
    def n_bytes(self) -> int:
        return sum(file.n_bytes for file in self.files.values())


@dataclass(frozen=True)
class Written:
    """A manifest and the bytes that it was written as."""

    manifest: Manifest
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def describe(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, ArrayDescription]:
    """Types and shapes, as a manifest lists them."""
    return {name: ArrayDescription(dtype=array.dtype.name, shape=list(array.shape)) for name, array in arrays.items()}


def write_manifest(folder: Path, manifest: Manifest) -> Written:
    """Write ``manifest.json``."""
    content = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True).encode()
    (folder / MANIFEST_FILE).write_bytes(content)
    return Written(manifest, content)


def read_manifest(folder: Path, sha256: str | None = None) -> Manifest:
    """Read ``manifest.json``, verified if its digest is given, or raise `TableDamaged`."""
    try:
        content = (folder / MANIFEST_FILE).read_bytes()
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            raise TableDamaged(f"{MANIFEST_FILE} does not have the digest it was published with.")
        manifest = parse_manifest(json.loads(content))
    except (OSError, ValueError) as error:
        raise TableDamaged(f"{MANIFEST_FILE} cannot be read: {reason(error)}.") from error
    wanted = {TABLE_FILE} if manifest.index.kind == "flat" else {TABLE_FILE, INDEX_FILE}
    listed = {name for name in manifest.files if not RESOURCE_NAME.fullmatch(name)}
    if listed != wanted:
        raise TableDamaged(f"{MANIFEST_FILE} must list {sorted(wanted)} beside resources, not {sorted(listed)}.")
    return manifest


def parse_manifest(said: Any) -> Manifest:
    """The manifest that these JSON values say, of whichever format; raises pydantic's `ValidationError`."""
    if isinstance(said, dict) and said.get("format_version") == 1:
        said = _as_format_2(said)
    return Manifest.model_validate(said)


def _as_format_2(said: dict[str, Any]) -> dict[str, Any]:
    """Format 1 knew trainings only, and had what is said of them beside the rest."""
    origin = {name: said[name] for name in ("algorithm", "hyperparameters", "corpus", "training") if name in said}
    rest = {name: value for name, value in said.items() if name not in origin}
    return rest | {"origin": {"kind": "trained"} | origin, "arrays": None, "counts_known": True}
