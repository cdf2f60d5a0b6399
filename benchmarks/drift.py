"""Whether words that changed are found: ``python -m benchmarks.drift --corpus FILE``.

Pairs of words of similar frequency change places in one half of a text, everywhere or in half of their occurrences.
That half is compared with the other one, in which nothing was changed.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.evaluation.drift.floor import benjamini_hochberg, floor_of, significance
from app.core.evaluation.drift.measures import aligned_cosines, overlaps, rotation, surroundings
from app.core.evaluation.drift.spaces import Pair, Space
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.arrays import FloatArray
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from benchmarks import machine
from benchmarks.corpora import text_of
from benchmarks.quality import unit_rows
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.training import train
from trainer.corpus.encode import encode
from trainer.publishing.neighbors import nearest_neighbors
from trainer.steps.progress import ignore

N_PAIRS = 30
MIN_COUNT = 150
"""Of the words that are looked at, in each half."""
TRAINED_MIN_COUNT = 20
HALF = 0.5
SIGNIFICANT = 0.05
AGAIN = "the same half, another seed"
COLUMNS = (
    *("draw", "compared with", "words", "overlap@10", "aligned cosine", "overlap", "likeness", "shift", "z of shift"),
    *("found", "not planted", "p < 0.05"),
)

Lines = list[list[str]]


def halves(text: Path) -> tuple[Lines, Lines]:
    """Every second line of a thousand tokens."""
    lines = [line.split() for line in text.read_text(encoding="utf-8").splitlines()]
    return lines[::2], lines[1::2]


def pairs(first: Lines, second: Lines, seed: int) -> list[tuple[str, str]]:
    """Words that are next to each other by frequency, none twice."""
    counts = [Counter(token for line in lines for token in line) for lines in (first, second)]
    words = [word for word, count in counts[1].most_common() if min(count, counts[0][word]) >= MIN_COUNT]
    places = random.Random(seed).sample(range(len(words) // 2), N_PAIRS)  # noqa: S311 (a draw, no secret)
    return [(words[2 * place], words[2 * place + 1]) for place in places]


def swapped(lines: Lines, chosen: Sequence[tuple[str, str]], share: float, seed: int) -> Lines:
    """The text in which this share of the occurrences of each word is its partner."""
    partner: Mapping[str, str] = dict(chosen) | {b: a for a, b in chosen}
    draw = random.Random(seed).random  # noqa: S311 (a draw, no secret)
    return [[partner[token] if token in partner and draw() < share else token for token in line] for line in lines]


class Trained(NamedTuple):
    """The words of a text by frequency, their counts, and float32 vectors (n_words, dim)."""

    words: list[str]
    counts: npt.NDArray[np.int64]
    vectors: FloatArray


def trained(lines: Lines, seed: int, keep: Path) -> Trained:
    """Skip-gram vectors of a text, or those that an earlier run has kept there."""
    if keep.exists():
        kept = np.load(keep)
        return Trained(kept["words"].tobytes().decode().split(), kept["counts"], kept["vectors"])
    with tempfile.TemporaryDirectory(prefix="wordkin-benchmark-") as scratch:
        text, folder, threads = Path(scratch) / "text.txt", Path(scratch), machine.cores()
        text.write_text("".join(f"{' '.join(line)}\n" for line in lines), encoding="utf-8")
        spec = TextSpec(tokenizer="whitespace")
        corpus = encode(text, folder, spec=spec, min_count=TRAINED_MIN_COUNT, threads=threads)
        chosen = Word2VecHyperparameters(dim=100, epochs=5, seed=seed)
        found = train(Work(corpus, folder, threads, ignore, None), chosen)
    words, counts, vectors = corpus.vocabulary.words(), np.array(corpus.vocabulary.counts), found.arrays["vectors"]
    np.savez(keep, words=np.frombuffer(" ".join(words).encode(), np.uint8), counts=counts, vectors=vectors)
    return Trained(words, counts, vectors)


def versions(
    first: Lines, second: Lines, chosen: Sequence[tuple[str, str]], folder: Path, seed: int
) -> dict[str, Space]:
    """A half, and what it is compared with: itself again, and the other half as it is and with words swapped."""
    made = {
        "first": (first, 1, ""),
        AGAIN: (first, 2, ""),
        "the other half": (second, 2, ""),
        "all occurrences swapped": (swapped(second, chosen, 1.0, seed), 2, f"-{seed}"),
        "half of them swapped": (swapped(second, chosen, HALF, seed), 2, f"-{seed}"),
    }
    return {
        name: space(trained(lines, own, folder / f"{name.replace(' ', '-')}{draw}.npz"))
        for name, (lines, own, draw) in made.items()
    }


def space(of: Trained) -> Space:
    unit = unit_rows(of.vectors)
    neighbors = nearest_neighbors(unit, threads=machine.cores(), report=ignore)
    return Space(Vocabulary.from_words(of.words, of.counts), True, unit, neighbors)


def row(first: Space, second: Space, changed: set[str]) -> list[str]:
    """Of one comparison: how many are considered, recall by each measure, and what the tests find."""
    pair = Pair.of(first, second)
    words = pair.considered(min_count=MIN_COUNT, max_words=100_000)
    around, overlap, rarity = surroundings(pair, words), overlaps(pair, words), pair.rarity(words)
    shift = around.shift(around.ratio)
    found = significance(floor_of(pair, rarity, shift, overlap), rarity, shift)
    is_planted = np.array([first.vocabulary.word(i) in changed for i in words.first.tolist()])
    measures = (aligned_cosines(pair, words, rotation(pair)), overlap, around.likeness(), -shift, -found.z)
    recalls = [
        is_planted[np.argsort(values, kind="stable")[: len(changed)]].sum() / len(changed) for values in measures
    ]
    is_found = benjamini_hochberg(found.p) <= SIGNIFICANT
    told = [f"{len(is_found):,}", f"{overlap.mean():.3f}", *(f"{recall:.2f}" for recall in recalls)]
    return [*told, f"{is_found.sum()}", f"{(is_found & ~is_planted).sum()}", f"{(found.p < SIGNIFICANT).mean():.3f}"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, metavar="FILE", help="text, plain, .xz, .gz or .zst")
    parser.add_argument("--draws", type=int, default=1, help="of words that are swapped")
    parser.add_argument("--folder", type=Path, help="keeps the text and all vectors for the next run")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wordkin-benchmark-") as scratch:
        folder = chosen.folder or Path(scratch)
        first, second = halves(text_of(folder, source=chosen.corpus))
        print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
        for seed in range(1, chosen.draws + 1):
            drawn = pairs(first, second, seed)
            spaces = versions(first, second, drawn, folder, seed)
            for name, other in spaces.items():
                if name != "first":
                    told = row(spaces["first"], other, {word for pair in drawn for word in pair})
                    print(f"| {seed} | {name} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
