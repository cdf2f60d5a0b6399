"""A classifier's folder: arrays, and a manifest that is written last and lists their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.numpy import load, save_file

from app.core.classifier.features import FeatureKind, n_features
from app.core.classifier.report import Report
from app.core.errors import TableDamaged, reason
from app.core.table.digests import FileDigest
from app.core.table.digests import digest_files as digests
from app.core.table.manifest import MANIFEST_FILE, ArrayDescription, FileOrigin, VersionOrigin, describe
from app.core.text.labelled import LabelledFields

CLASSIFIER_FILE = "classifier.safetensors"
Arrays = Mapping[str, npt.NDArray[Any]]
WEIGHTS, BIASES, MEAN, DEVIATION, WORD_WEIGHTS = "weights", "biases", "mean", "deviation", "word_weights"


class ClassifierManifest(BaseModel):
    """What a classifier is, what it stands on, and what it was measured to be worth. It never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["classifier"] = "classifier"
    format_version: Literal[1] = 1
    classifier: str
    base: VersionOrigin
    file: FileOrigin
    fields: LabelledFields
    features: FeatureKind
    labels: tuple[str, ...]
    c: float
    seed: int
    report: Report
    files: dict[str, FileDigest]
    arrays: dict[str, ArrayDescription]
    code_version: str
    created_at: datetime
    trained: dict[str, Any]

    @property
    def n_bytes(self) -> int:
        return sum(file.n_bytes for file in self.files.values())


@dataclass(frozen=True, eq=False)
class Classifier:
    """An open classifier; its arrays are read-only.

    Parameters
    ----------
    manifest : what it says of itself
    weights : float64 (n_labels, n_features), of features that are standardised
    biases : float64 (n_labels,)
    mean, deviation : float64 (n_features,), by which features are standardised
    word_weights : float32 (n_words,), what words weigh in a mean; None if all weigh the same
    """

    manifest: ClassifierManifest
    weights: npt.NDArray[np.float64]
    biases: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]
    word_weights: npt.NDArray[np.float32] | None = None


def write_arrays(folder: Path, arrays: Arrays) -> tuple[dict[str, FileDigest], dict[str, ArrayDescription]]:
    """Write the arrays; their file's digest, and what they are."""
    path = folder / CLASSIFIER_FILE
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    path.chmod(0o644)
    return digests(folder), describe(arrays)


def write_manifest(folder: Path, manifest: ClassifierManifest) -> bytes:
    """Write ``manifest.json``; its bytes."""
    content = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True).encode()
    (folder / MANIFEST_FILE).write_bytes(content)
    return content


def is_classifier(content: bytes) -> bool:
    """Whether a manifest is a classifier's."""
    try:
        said = json.loads(content)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("kind") == "classifier"


def read_classifier(folder: Path, sha256: str | None = None) -> Classifier:
    """Verify every digest, that of the manifest if it is given, and open it; raises `TableDamaged`."""
    try:
        said = (folder / MANIFEST_FILE).read_bytes()
        if sha256 and hashlib.sha256(said).hexdigest() != sha256:
            raise TableDamaged(f"{MANIFEST_FILE} does not have the digest it was published with.")
        manifest = ClassifierManifest.model_validate_json(said)
        content = (folder / CLASSIFIER_FILE).read_bytes()
        found = FileDigest(n_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        if manifest.files != {CLASSIFIER_FILE: found}:
            raise TableDamaged(f"{CLASSIFIER_FILE} does not have the digest its manifest states.")
        arrays = load(content)
    except (OSError, ValueError, SafetensorError) as error:
        raise TableDamaged(f"The classifier cannot be opened: {reason(error)}.") from error
    if wrong := _misfit(manifest, arrays):
        raise TableDamaged(f"The parts of the classifier do not fit each other: {wrong}.")
    for array in arrays.values():
        array.flags.writeable = False
    return Classifier(manifest, **arrays)


def _misfit(manifest: ClassifierManifest, arrays: Arrays) -> str | None:
    """What keeps these arrays from being this classifier's; None if nothing does."""
    if describe(arrays) != manifest.arrays:
        return f"{CLASSIFIER_FILE} does not hold the arrays its manifest lists"
    wanted = {WEIGHTS, BIASES, MEAN, DEVIATION} | ({WORD_WEIGHTS} if manifest.features in {"sif", "tfidf"} else set())
    if arrays.keys() != wanted:
        return f"there are {sorted(arrays)}, not {sorted(wanted)}"
    n_labels, width = len(manifest.labels), arrays[MEAN].shape
    shapes = {WEIGHTS: (n_labels, *width), BIASES: (n_labels,), DEVIATION: width}
    wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape]
    wrong += [name for name, array in arrays.items() if not np.isfinite(array).all()]
    return f"{wrong[0]} has other numbers than it may have" if wrong else None


def fits(classifier: Classifier, n_words: int, dim: int) -> bool:
    """Whether it can stand on a table of so many words and dimensions."""
    weights = classifier.word_weights
    return len(classifier.mean) == n_features(classifier.manifest.features, dim) and (
        weights is None or len(weights) == n_words
    )
