"""Whom the gate refuses: ``python -m benchmarks.gate --corpus FILE --questions FILE``.

Trainings of the same text that differ in their seeds are as good as each other, and none may be refused in the place of
another; one of half the text is worse, and must be. Each decision is that of an alias's move, without a service.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import permutations
from pathlib import Path

from app.core.evaluation.gate import Evaluated, Evidence, held_against
from app.core.evaluation.policy import Policy, PolicySet, StoredPolicy
from app.core.evaluation.results import EvaluationReport
from app.core.evaluation.sets import read_questions
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.payloads import FileSource
from app.core.table.digests import digest_of
from app.core.table.writing import normalise
from app.core.text import TextReader, TextSpec
from benchmarks.corpora import text_of
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.training import train
from trainer.corpus.encode import encode
from trainer.evaluating.geometry import geometry
from trainer.evaluating.scoring import evaluate
from trainer.evaluating.words import Vectors
from trainer.steps.progress import ignore

FILE = "questions@1"
MAX_DROP = 0.03
THREADS = 2


def trained(text: Path, source: FileSource, questions: Path, seed: int) -> Evaluated:
    """What the gate knows of a training: the answers to the questions, and how the vectors lie."""
    with tempfile.TemporaryDirectory() as made:
        corpus = encode(text, Path(made), spec=TextSpec(), min_count=5, threads=THREADS)
        chosen = Word2VecHyperparameters(dim=100, epochs=5, seed=seed)
        vectors = train(Work(corpus, Path(made), THREADS, ignore, None), chosen).arrays["vectors"]
        ids = {word: i for i, word in enumerate(corpus.vocabulary.words())}
    unit, norms = normalise(vectors)
    asked = PolicySet(file=FILE, type="analogy")
    read = read_questions(questions.read_bytes(), "analogy", FILE)
    result, outcomes = evaluate(Vectors(ids.get, unit, TextReader(TextSpec()), THREADS), read, asked, source.origin())
    report = EvaluationReport(sets=[result], geometry=geometry(unit, norms), seconds=0)
    return Evaluated(version=seed, reports=[(report, [outcomes])])


def told(new: Evaluated, held: list[Evidence]) -> str:
    (result, _), *_ = new.newest()
    return f"analogy {result.value:.4f}: " + ("refused, " + held[0].told if held else "passes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, or packed by xz, gzip or zstd")
    parser.add_argument("--questions", type=Path, required=True, help="Google's analogies, questions-words.txt")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of the whole text; all pairs of them are tried")
    chosen = parser.parse_args()
    digest = digest_of(chosen.questions)
    source = FileSource(name="questions", revision=1, key="", sha256=digest.sha256, n_bytes=digest.n_bytes)
    rule = PolicySet(file=FILE, type="analogy", max_drop=MAX_DROP)
    policy = StoredPolicy(policy=Policy(sets=(rule,), max_hubness_ratio=1.5), files={FILE: source})
    with tempfile.TemporaryDirectory() as made:
        whole = text_of(Path(made), source=chosen.corpus)
        half = Path(made) / "half.txt"
        content = whole.read_bytes()
        half.write_bytes(content[: content.index(b"\n", len(content) // 2) + 1])
        started = time.monotonic()
        twins = [trained(whole, source, chosen.questions, seed) for seed in range(1, chosen.seeds + 1)]
        worse = [trained(half, source, chosen.questions, seed) for seed in (101, 102)]
    print(f"{time.monotonic() - started:.0f} s for {len(twins) + len(worse)} trainings; max_drop {MAX_DROP}")
    refused = 0
    for before, after in permutations(twins, 2):
        held = held_against(policy, after, before)
        refused += bool(held)
        print(f"{before.version} -> {after.version}: {told(after, held)}")
    print(f"twins: {refused} of {len(twins) * (len(twins) - 1)} refused")
    for after in worse:
        for before in twins:
            print(f"half the text after {before.version}: {told(after, held_against(policy, after, before))}")


if __name__ == "__main__":
    main()
