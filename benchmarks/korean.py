"""Korean by tokenizer: ``python -m benchmarks.korean --wikipedia FILE --evaluation FOLDER --ratings FILE``.

Each row reads the same texts with the same settings. A word of several tokens is their mean, for every tokenizer;
analogies are answered among the words of their own section, so that no tokenizer has more wrong answers to choose from.
The classifier's texts and its protocol are those of `benchmarks.transfer`. What a row found stays in ``--folder``, so
that ``--only`` goes on where a run was ended; the tables hold all rows that are there.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from app.core.errors import ExtraMissing
from app.core.table import limits
from app.core.table.reading import Table
from benchmarks import machine
from benchmarks.corpora import UNPACK
from benchmarks.korean_questions import (
    ANALOGIES,
    WS_353,
    Answers,
    Asked,
    analogies,
    correlation,
    judgements,
    similarity,
)
from benchmarks.korean_rows import SETTINGS, table_of, warm
from benchmarks.transfer import FIELDS, rows_of, write_texts
from trainer.classifying.labelled import read_texts
from trainer.classifying.train import Training, Wanted
from trainer.steps.progress import ignore

N_LABELS = (1_000, 10_000, 150_000)


def accuracies(table: Table, labelled: Path) -> dict[int, float]:
    """Of a linear classifier on the means of the frozen vectors, by the number of labelled texts."""
    work = Training(table, read_texts(labelled, FIELDS, 10), Wanted("mean", 0.25, 1), ignore)
    sizes = [min(size, len(work.training)) for size in N_LABELS]
    return {size: work.scores(work.fitted(size).told).accuracy for size in sizes}


Measure = Callable[[Table], dict[str, Any]]


def run(what: str, corpus: Path, measure: Measure, arguments: argparse.Namespace) -> dict[str, Any]:
    """What each row found on this corpus, those of runs before among it; those that are new are kept as they come."""
    kept = {name: arguments.folder / f"{what}-{re.sub(r'[, ]+', '-', name)}.json" for name in SETTINGS}
    wanted = [name for name in arguments.only or SETTINGS if not kept[name].exists()]
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        if wanted:
            warm(corpus, Path(folder), arguments)
        for name in wanted:
            part = Path(folder) / str(wanted.index(name))
            part.mkdir()
            try:
                table, row = table_of(what, corpus, part, name, arguments)
            except ExtraMissing as error:
                print(f"{name}: {error.detail}")
                continue
            kept[name].write_text(json.dumps(row | measure(table)), encoding="utf-8")
            print(f"{what}, {name}: done", flush=True)
            shutil.rmtree(part)
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in kept.items() if path.exists()}


def questions_table(found: dict[str, Any], evaluation: Path) -> None:
    """Scores of what each row covers, and of the questions that all rows cover."""
    pairs = judgements(next(evaluation.glob(WS_353)))
    everyone = _covered_by_all([row["cosines"] for row in found.values()])
    sections = list(next(iter(found.values()))["analogies"])
    common = {name: _covered_by_all([row["analogies"][name] for row in found.values()]) for name in sections}
    heads = ["WS-353", "covered", f"of {len(everyone)} that all cover"]
    heads += [f"{name}, covered, of {len(places)}" for name, places in common.items()]
    _print_head(heads)
    for name, row in found.items():
        own = _covered_by_all([row["cosines"]])
        cells = [correlation(row["cosines"], pairs, places) for places in (own, everyone)]
        told = [f"{cells[0]:.3f}", f"{len(own) / len(pairs):.2f}", f"{cells[1]:.3f}"]
        for section, answers in row["analogies"].items():
            covered = _covered_by_all([answers])
            right = [_share(answers, places) for places in (covered, common[section])]
            told.append(f"{right[0]}, {len(covered) / len(answers):.2f}, {right[1]}")
        _print_row(name, row, told)


def _covered_by_all(each: list[Answers]) -> list[int]:
    return [place for place, answers in enumerate(zip(*each, strict=True)) if None not in answers]


def _share(answers: Answers, places: list[int]) -> str:
    return f"{sum(answers[place] or 0 for place in places) / len(places):.3f}" if places else "-"


def _print_head(heads: list[str]) -> None:
    spent = [f"{what}, s{of}" for what in ("reading", "training") for of in ("", " of processors")]
    print(f"\n| {' | '.join(['tokenizer', 'words', 'tokens', *heads, *spent])} |")
    print(f"|---{'|---' * (len(heads) + 6)}|")


def _print_row(name: str, row: dict[str, Any], told: list[str]) -> None:
    seconds = [f"{row[step][of]:.0f}" for step in ("reading", "training") for of in ("clock", "processors")]
    counts = [f"{row[what]:,}" for what in ("words", "tokens")]
    print(f"| {' | '.join([name, *counts, *told, *seconds])} |", flush=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wikipedia", type=Path, help="text that similarity and analogies are asked of")
    parser.add_argument("--evaluation", type=Path, help=f"a folder with {WS_353} and {ANALOGIES}")
    parser.add_argument("--ratings", type=Path, help="review, film, rating and text, with tabs between")
    parser.add_argument("--reviews", type=int, metavar="N", help="so many of them, drawn by a seed; default: all")
    parser.add_argument("--only", nargs="+", choices=SETTINGS, metavar="ROW", help=f"of {'; '.join(SETTINGS)}")
    parser.add_argument("--folder", type=Path, help="where what the rows find stays; those that are there are not run")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=machine.cores())
    arguments = parser.parse_args()
    if bool(arguments.wikipedia) != bool(arguments.evaluation):
        parser.error("--wikipedia and --evaluation go together")
    for pattern in (WS_353, ANALOGIES) if arguments.evaluation else ():
        if not any(arguments.evaluation.glob(pattern)):
            parser.error(f"{arguments.evaluation} has no {pattern}")
    return arguments


def main() -> None:
    arguments = parsed()
    # nobody asks for neighbours here
    limits.ALWAYS_COVERED, limits.MOST_PRODUCTS = limits.BLOCK, 0
    print(f"{machine.cpu_name()}, {machine.versions('numpy', 'numba')}, {arguments.threads} threads")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        arguments.folder = arguments.folder or folder / "rows"
        arguments.folder.mkdir(parents=True, exist_ok=True)
        if arguments.wikipedia:
            corpus = folder / "wikipedia.txt"
            corpus.write_bytes(UNPACK.get(arguments.wikipedia.suffix, bytes)(arguments.wikipedia.read_bytes()))
            sets = [next(arguments.evaluation.glob(pattern)) for pattern in (WS_353, ANALOGIES)]

            def questions(table: Table) -> dict[str, Any]:
                asked = Asked.of(table)
                return {"cosines": similarity(asked, judgements(sets[0])), "analogies": analogies(asked, sets[1])}

            questions_table(run("wikipedia", corpus, questions, arguments), arguments.evaluation)
        if arguments.ratings:
            rows = list(rows_of(arguments.ratings, None))
            if arguments.reviews and arguments.reviews < len(rows):
                drawn = np.random.default_rng(1).choice(len(rows), arguments.reviews, replace=False)
                rows = [rows[i] for i in sorted(drawn.tolist())]
            corpus, labelled = write_texts(rows, folder)
            found = run("reviews", corpus, lambda table: {"right": accuracies(table, labelled)}, arguments)
            if found:
                _print_head([f"NSMC, {int(n):,} labels" for n in next(iter(found.values()))["right"]])
            for name, row in found.items():
                _print_row(name, row, [f"{accuracy:.4f}" for accuracy in row["right"].values()])


if __name__ == "__main__":
    main()
