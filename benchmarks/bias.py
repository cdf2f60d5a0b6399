"""Measures of bias beside expected numbers: ``python -m benchmarks.bias --data FOLDER``.

The folder has rows of the vectors that were trained on Google News: ``googlenews-weat-words.w2v.txt``, the words of
WEAT 1 to 10, and ``googlenews-bolukbasi-26k.bin``, plain or as .xz.
"""

from __future__ import annotations

import argparse
import lzma
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.core.evaluation.bias.association import ect, mac, ripa, rnd
from app.core.evaluation.bias.direction import bias_direction, direct_bias, indirect_bias
from app.core.evaluation.bias.permutation import MAX_EXACT, permutation_test
from app.core.evaluation.bias.rnsb import rnsb
from app.core.evaluation.bias.rows import cosines, of_length_1
from app.core.evaluation.bias.weat import Cosines, single_category, weat
from app.core.evaluation.bias.words import shipped
from app.core.nearest.scores import DoubleArray
from app.core.table.arrays import FloatArray
from benchmarks import machine
from benchmarks.derive import read

SMALL, LARGE = "googlenews-weat-words.w2v.txt", "googlenews-bolukbasi-26k.bin"
FEMALE = ("female", "woman", "girl", "sister", "she", "her", "hers", "daughter")
MALE = ("male", "man", "boy", "brother", "he", "him", "his", "son")
ROUNDED = 5e-5
"""Of numbers that are published with four decimals."""
EFFECTS = {"WEAT1": 1.5393, "WEAT2": 1.6279, "WEAT6": 1.8899, "WEAT7": 0.9664, "WEAT8": 1.2439, "WEAT9": 1.2967}
EXACT = {"WEAT6": (1, 12_870), "WEAT7": (292, 12_870), "WEAT8": (52, 12_870), "WEAT9": (7, 924)}
ALONE = {"science": -1.4309, "poetry": -1.1796, "wedding": -0.9052, "career": 0.7674}
INDIRECT = (-0.005, 0.201, 0.672, 0.287, 0.318, 0.384, 0.015, 0.170, 0.101, 0.416, 0.018)
"""In the order of the pairs that are shipped."""
N_DRAWN, N_WORDS = 100_000, 50


class Row(NamedTuple):
    """A number, what is expected, and how far they may be apart."""

    name: str
    value: float
    bar: float
    tolerance: float

    @property
    def is_met(self) -> bool:
        return abs(self.value - self.bar) <= self.tolerance


class Space:
    """Vectors as a file has them, by word."""

    def __init__(self, path: Path) -> None:
        found = read(path)
        self._ids = {word: i for i, word in enumerate(found.words)}
        self._vectors: FloatArray = found.vectors

    def __call__(self, words: tuple[str, ...] | list[str]) -> FloatArray:
        return self._vectors[[self._ids[word] for word in words if word in self._ids]]

    def set(self, name: str) -> FloatArray:
        """The words of a shipped set."""
        return self([item.word for item in shipped("weat").sets[name]])


def of_formulas(space: Space) -> Iterator[Row]:
    """Female and male terms by family and career."""
    x, y, family, career = space(FEMALE), space(MALE), space.set("family"), space.set("career")
    found = Cosines.of(x, y, family, career)
    tested, both = weat(found), weat(found, deviation="n", alternative="two-sided")
    yield Row("WEAT statistic", tested.statistic, 0.46343880, 1e-6)
    yield Row("effect size, n-1", tested.effect_size, 0.43645166, 1e-6)
    yield Row("effect size, n", both.effect_size, 0.45076529, 1e-6)
    yield Row("divisions as extreme of 12,870, one-sided", tested.test.n_as_extreme, 2537, 0)
    yield Row("the same, two-sided", both.test.n_as_extreme, 5074, 0)
    unit_x, unit_y, unit_family = (of_length_1(rows) for rows in (x, y, family))
    yield Row("ECT, raw", ect(x, y, family), 0.61904762, 1e-6)
    yield Row("ECT, unit", ect(unit_x, unit_y, unit_family), 0.76190476, 1e-6)
    yield Row("RND, raw", rnd(x, y, family), 0.03038184, 1e-6)
    yield Row("RND, unit", rnd(unit_x, unit_y, unit_family), -0.00627875, 1e-6)
    yield Row("MAC, unit", mac([x, y], [family, career]), 0.84164152, 1e-6)
    yield Row("RIPA, raw", ripa(np.stack([x, y], axis=1), family), 0.19969232, 1e-6)
    targets = np.concatenate([x, y])
    penalised = rnsb(targets, family, career, intercept="penalised").value
    yield Row("RNSB, raw, intercept penalised (liblinear)", penalised, 0.12921978, 5e-6)
    yield Row("RNSB, raw, intercept free (L-BFGS)", rnsb(targets, family, career).value, 0.12780, 5e-5)
    unit = [of_length_1(rows) for rows in (targets, family, career)]
    yield Row("RNSB, unit, intercept penalised", rnsb(*unit, intercept="penalised").value, 0.0159, ROUNDED)


def of_caliskan(space: Space) -> Iterator[Row]:
    """The paper's tests by the shipped sets, and single words."""
    for name, effect in EFFECTS.items():
        test = shipped("weat").tests[name]
        found = weat(Cosines.of(*(space.set(each) for each in (*test.targets, *test.attributes))))
        yield Row(f"{name}, effect size, n-1", found.effect_size, effect, ROUNDED)
        if name in EXACT:
            n, of = EXACT[name]
            assert found.test.n_partitions == of
            yield Row(f"{name}, divisions as extreme of {of:,}", found.test.n_as_extreme, n, 0)
        else:
            yield Row(f"{name}, p of {N_DRAWN:,} drawn", found.test.p_value, 1e-5, 1e-9)
    male, female = (cosines(space(list(ALONE)), space(words)) for words in (MALE, FEMALE))
    for (word, bar), value in zip(ALONE.items(), single_category(male, female), strict=True):
        yield Row(f"SC-WEAT of {word}, n-1", float(value), bar, ROUNDED)


def of_bolukbasi(space: Space) -> Iterator[Row]:
    """The direction of gender, and words along it."""
    gender = shipped("weat").directions["gender"]
    pairs = np.stack([space([item.word for item in pair]) for pair in gender.pairs])
    direction, explained = bias_direction(pairs)
    yield Row("first component", explained[0], 0.6053, ROUNDED)
    yield Row("second component", explained[1], 0.127, 5e-4)
    yield Row("direct bias, 320 professions", direct_bias(space.set("professions"), direction), 0.0805, ROUNDED)
    neutral = direct_bias(space.set("neutral_professions"), direction)
    yield Row("direct bias, 303 neutral ones", neutral, 0.0731, ROUNDED)
    for (a, b), bar in zip(gender.indirect, INDIRECT, strict=True):
        value = indirect_bias(space([a.word])[0], space([b.word])[0], direction)
        yield Row(f"indirect bias, {a.word} and {b.word}", value, bar, 5e-4)


def seconds_of_draws() -> float:
    """The median of five."""
    numbers: DoubleArray = np.random.default_rng(0).standard_normal(N_WORDS)
    taken = []
    for seed in range(5):
        started = time.perf_counter()
        permutation_test(numbers[: N_WORDS // 2], numbers[N_WORDS // 2 :], n_drawn=N_DRAWN, seed=seed)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def rows_of(folder: Path, scratch: Path) -> Iterator[Row]:
    """All numbers that can be had from the folder."""
    small = Space(folder / SMALL)
    yield from of_formulas(small)
    yield from of_caliskan(small)
    large = folder / LARGE
    if not large.exists():
        large = scratch / LARGE
        large.write_bytes(lzma.decompress((folder / f"{LARGE}.xz").read_bytes()))
    yield from of_bolukbasi(Space(large))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bias", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    folder = parser.parse_args().data
    print(f"{machine.cpu_name()}, {machine.versions('numpy')}\n\n| | ours | expected | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="wordkin-benchmark-") as scratch:
        for row in rows_of(folder, Path(scratch)):
            mark = "" if row.is_met else "differs"
            print(f"| {row.name} | {row.value:.8g} | {row.bar:.8g} | {mark} |", flush=True)
    print(f"\n{N_DRAWN:,} divisions of {N_WORDS} words drawn: {seconds_of_draws():.2f} s (counted up to {MAX_EXACT:,})")


if __name__ == "__main__":
    main()
