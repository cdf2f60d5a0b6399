"""What the steps of a derivation do to quality: ``python -m benchmarks.derive FILE --evaluation FOLDER``.

Each row is one step on vectors that were imported from a file, without a job. With ``--tokens FILE`` they are combined
with a table of tokens: a tar of ``model.safetensors`` and ``tokenizer.json``, of Model2Vec's or WordLlama's folder.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from app.core.payloads import RowPolicies
from app.core.steps import Step
from app.core.table.arrays import FloatArray
from app.core.table.digests import digest_of
from app.core.table.manifest import FileOrigin, ImportedOrigin
from app.core.table.quantised import Quantised, quantise
from app.core.table.reading import Table, open_table
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise
from app.core.text import TextReader, TextSpec
from benchmarks.quality import quality
from trainer.deriving.apply import apply
from trainer.deriving.working import Sources, Working
from trainer.importing import counts
from trainer.importing.read import READERS, format_of
from trainer.importing.rows import Collected
from trainer.importing.source import Source
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore

READER = TextReader(TextSpec(normalization="none", case="keep", tokenizer="whitespace"))
UNIFORM: dict[str, Any] = {"weights": "uniform"}
CASES: dict[str, list[dict[str, Any]]] = {
    "as it is": [],
    "center, uniform": [{"step": "center", **UNIFORM}],
    "center, frequency": [{"step": "center"}],
    "remove 2 components, uniform": [{"step": "remove_components", "n": 2, **UNIFORM}],
    "remove 3 components, uniform": [{"step": "remove_components", "n": 3, **UNIFORM}],
    "whiten, frequency": [{"step": "whiten"}],
    "reduce to half": [{"step": "reduce", "dim": 0}],
    "quantise, float16": [{"step": "quantise", "to": "float16"}],
    "quantise, int8": [{"step": "quantise"}],
}
COMBINED: dict[str, list[dict[str, Any]]] = {
    "combine": [{"step": "combine", "with": ["all"]}],
    "combine, reduce to the first's": [{"step": "combine", "with": ["all"]}, {"step": "reduce", "dim": -1}],
    "combine with every second word": [{"step": "combine", "with": ["half"]}],
    "combine with every second word, union": [{"step": "combine", "with": ["half"], "vocabulary": "union"}],
}
_step: TypeAdapter[Step] = TypeAdapter(Step)


@dataclass(frozen=True)
class Other:
    """What a step reads of another version that composes no words."""

    vocabulary: Vocabulary
    unit_vectors: FloatArray
    parts: None = None


def read(path: Path) -> Collected:
    """All rows of a file of vectors."""
    source = Source(path, path.stat().st_size, RowPolicies(), READER, 2, lambda _: None)
    return READERS[format_of(source.path)](source)


def published(path: Path, folder: Path) -> Table:
    """The table that an import of a file makes."""
    found = read(path)
    for name, content in found.resources.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    rows, file = found.report, FileOrigin(name=path.name, revision=1, **digest_of(path).model_dump())
    origin = ImportedOrigin(format=format_of(path), file=file, rows=rows, imported={})
    publish(
        folder,
        Vocabulary.from_words(found.words, counts.estimated(len(found.words))),
        {"vectors": found.vectors},
        provenance=Provenance(origin, READER.spec, counts_known=False),
        threads=2,
        report=ignore,
        parts=found.parts,
    )
    return open_table(folder)


def others_of(vectors: Collected, table: Table) -> dict[str, Any]:
    """A table of tokens, and one of every second word as that reads it."""
    combined = derived(vectors, COMBINED["combine"], None, {"all": table})
    unit = combined.vectors[:, vectors.vectors.shape[1] :]
    known = np.flatnonzero(unit.any(axis=1))[::2]
    words = [vectors.words[i] for i in known.tolist()]
    return {"all": table, "half": Other(Vocabulary.from_words(words, counts.estimated(len(words))), unit[known])}


def derived(
    vectors: Collected, steps: Sequence[dict[str, Any]], lexicon: Path | None, others: Mapping[str, Any]
) -> Working:
    """A copy of the vectors after these steps, as they are stored; `dim` 0 stands for half of theirs, -1 for all."""
    work = Working(list(vectors.words), counts.estimated(len(vectors.words)), vectors.vectors.copy())
    dim = vectors.vectors.shape[1]
    sizes = {0: {"dim": dim // 2}, -1: {"dim": dim}}
    chosen = [_step.validate_python(step | sizes.get(step.get("dim", 1), {})) for step in steps]
    apply(work, chosen, Sources(others, {"lexicon": lexicon} if lexicon else {}, READER), ignore)
    if work.encoding:
        unit, norms = normalise(work.vectors)
        work.vectors = Quantised(quantise(unit, work.encoding))[:] * norms[:, None]
    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vectors", type=Path, nargs="+", help="files of vectors, unpacked")
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with the files of the usual tests")
    parser.add_argument("--lexicon", type=Path, help="synonyms for retrofitting, a word and its own a line")
    parser.add_argument("--tokens", type=Path, help="a table of tokens as a tar, to combine with")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print_rows(chosen, published(chosen.tokens, Path(folder)) if chosen.tokens else None)


def print_rows(chosen: argparse.Namespace, tokens: Table | None) -> None:
    cases = CASES | ({"retrofit": [{"step": "retrofit", "lexicon": "lexicon"}]} if chosen.lexicon else {})
    cases |= COMBINED if tokens else {}
    print("| vectors | step | dim | analogy | WS-353 | SimLex | overlap@10 |\n|---|---|---|---|---|---|---|")
    for path in chosen.vectors:
        vectors = read(path)
        before = _nearest(vectors.vectors)
        others = others_of(vectors, tokens) if tokens else {}
        for case, steps in cases.items():
            work = derived(vectors, steps, chosen.lexicon, others)
            scores = quality(work.words, work.vectors, chosen.evaluation)
            told = " | ".join(f"{score.value:.4f}" for score in scores.values())
            same = (before[:, :, None] == _nearest(work.vectors)[:, None, :]).any(axis=2).mean()
            print(f"| {path.stem} | {case} | {work.vectors.shape[1]} | {told} | {same:.2f} |", flush=True)


def _nearest(vectors: FloatArray, n_words: int = 2000) -> npt.NDArray[np.int64]:
    """The ten nearest of the most frequent words, among all."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit[:n_words] @ unit.T
    scores[np.arange(len(scores)), np.arange(len(scores))] = -np.inf
    return np.argpartition(-scores, 10, axis=1)[:, :10]


if __name__ == "__main__":
    main()
