"""What the steps of a derivation do to quality: ``python -m benchmarks.derive --glove FILE --evaluation FOLDER``.

Each row is one step on vectors that were imported from a file, without a job.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from app.core.payloads import RowPolicies
from app.core.steps import Step
from app.core.table.arrays import FloatArray
from app.core.table.quantised import Quantised, quantise
from app.core.table.writing import normalise
from app.core.text import TextReader, TextSpec
from benchmarks.quality import quality
from trainer.deriving.apply import apply
from trainer.deriving.working import Sources, Working
from trainer.importing import counts
from trainer.importing.read import READERS, format_of
from trainer.importing.rows import Collected
from trainer.importing.source import Source
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
_step: TypeAdapter[Step] = TypeAdapter(Step)


def read(path: Path) -> Collected:
    """All rows of a file of vectors."""
    source = Source(path, path.stat().st_size, RowPolicies(), READER, 2, lambda _: None)
    return READERS[format_of(source.path)](source)


def derived(vectors: Collected, steps: Sequence[dict[str, Any]], lexicon: Path | None) -> Working:
    """A copy of the vectors after these steps, as they are stored; a dimension of 0 stands for half."""
    work = Working(list(vectors.words), counts.estimated(len(vectors.words)), vectors.vectors.copy())
    half = vectors.vectors.shape[1] // 2
    chosen = [_step.validate_python(step | ({"dim": half} if step.get("dim") == 0 else {})) for step in steps]
    apply(work, chosen, Sources({}, {"lexicon": lexicon} if lexicon else {}, READER), ignore)
    if work.encoding:
        unit, norms = normalise(work.vectors)
        work.vectors = Quantised(quantise(unit, work.encoding))[:] * norms[:, None]
    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vectors", type=Path, nargs="+", help="files of vectors, unpacked")
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with the files of the usual tests")
    parser.add_argument("--lexicon", type=Path, help="synonyms for retrofitting, a word and its own a line")
    chosen = parser.parse_args()
    cases = CASES | ({"retrofit": [{"step": "retrofit", "lexicon": "lexicon"}]} if chosen.lexicon else {})
    print("| vectors | step | dim | analogy | WS-353 | SimLex | overlap@10 |\n|---|---|---|---|---|---|---|")
    for path in chosen.vectors:
        vectors = read(path)
        before = _nearest(vectors.vectors)
        for case, steps in cases.items():
            work = derived(vectors, steps, chosen.lexicon)
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
