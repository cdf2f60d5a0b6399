"""What the steps of a derivation do to quality: ``python -m benchmarks.derive FILE --evaluation FOLDER``.

Each row is one step on vectors that were imported from a file, without a job. With ``--tokens FILE --tokenizer FILE``
they are combined with a table of tokens, such as Model2Vec's or WordLlama's, whose tokenizer cuts each of their words.
"""

from __future__ import annotations

import argparse
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
from app.core.table.quantised import Quantised, quantise
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
    """What a step reads of another version."""

    vocabulary: Vocabulary
    unit_vectors: FloatArray


def read(path: Path) -> Collected:
    """All rows of a file of vectors."""
    source = Source(path, path.stat().st_size, RowPolicies(), READER, 2, lambda _: None)
    return READERS[format_of(source.path)](source)


def tokens_of(words: Sequence[str], tokens: Path, tokenizer: Path) -> FloatArray:
    """Unit vectors of words, means of their tokens' rows."""
    from safetensors.numpy import load_file  # noqa: PLC0415 (for one row)
    from tokenizers import Tokenizer  # noqa: PLC0415 (for one row)

    table = np.asarray(next(iter(load_file(tokens).values())), np.float32)
    cut = Tokenizer.from_file(str(tokenizer))
    cut.no_padding()
    cut.no_truncation()
    found = cut.encode_batch(list(words), add_special_tokens=False)
    return normalise(np.stack([table[each.ids].mean(axis=0) for each in found]))[0]


def others_of(words: Sequence[str], tokens: Path, tokenizer: Path) -> dict[str, Other]:
    """A table of tokens, asked for all words, and for every second one."""
    unit = tokens_of(words, tokens, tokenizer)
    return {
        name: Other(Vocabulary.from_words(words[::step], counts.estimated(len(words))[::step]), unit[::step])
        for name, step in (("all", 1), ("half", 2))
    }


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
    parser.add_argument("--tokens", type=Path, help="a table of tokens as safetensors, to combine with")
    parser.add_argument("--tokenizer", type=Path, help="its tokenizer.json")
    chosen = parser.parse_args()
    cases = CASES | ({"retrofit": [{"step": "retrofit", "lexicon": "lexicon"}]} if chosen.lexicon else {})
    cases |= COMBINED if chosen.tokens else {}
    print("| vectors | step | dim | analogy | WS-353 | SimLex | overlap@10 |\n|---|---|---|---|---|---|---|")
    for path in chosen.vectors:
        vectors = read(path)
        before = _nearest(vectors.vectors)
        others = others_of(vectors.words, chosen.tokens, chosen.tokenizer) if chosen.tokens else {}
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
