"""``wordkin glove``: the C program's files in and out, for those who use it, too."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar

from app.core.cores import usable_cores
from app.core.errors import WordkinError
from app.core.hyperparameters import GloVeHyperparameters
from app.core.hyperparameters.assigned import assigned
from app.core.text import TextSpec
from trainer.algorithms.algorithm import Work
from trainer.algorithms.glove import training as glove
from trainer.algorithms.glove.c_files import (
    read_records,
    read_vocabulary,
    write_records,
    write_vectors,
    write_vocabulary,
)
from trainer.algorithms.glove.cooccurrence import count as count_cells
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.steps.progress import Progress, Report

VOCABULARY, RECORDS = "vocab.txt", "cooccurrence.bin"

app = typer.Typer(
    help="Read and write the files of GloVe's C program. Its defaults of reading are kept: words as they are, between "
    "blanks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True)

Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A hyperparameter of GloVe; may be repeated.")
]


@app.command()
def count(
    corpus: Annotated[
        Path, typer.Argument(metavar="CORPUS", exists=True, dir_okay=False, help="UTF-8 text, plain, gzip or zstd.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=f"Receives {VOCABULARY} and {RECORDS}.")],
    tokenizer: Annotated[str, typer.Option(help="words, or whitespace as the C program has it.")] = "whitespace",
    case: Annotated[str, typer.Option(help="keep or lower.")] = "keep",
    set_: Settings = None,
) -> None:
    """Count a corpus as a job would, and write what vocab_count and cooccur write."""
    chosen = _hyperparameters(set_)
    spec, threads = TextSpec.model_validate({"tokenizer": tokenizer, "case": case}), chosen.threads or usable_cores()
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="count-", dir=folder) as name, Bar(console=errors) as bar:
        scratch, reading = Path(name), _shown(bar, "reading")
        encoded = encode(
            corpus,
            scratch,
            spec=spec,
            min_count=chosen.min_count,
            max_words=chosen.max_words,
            threads=threads,
            report=reading,
        )
        reading(Progress(1.0))
        table = count_cells(Work(encoded, scratch, threads, _shown(bar, "counting"), None), chosen)
        write_vocabulary(encoded.vocabulary, folder / VOCABULARY)
        write_records(table, folder / RECORDS)
    typer.echo(f"{folder / VOCABULARY}: {len(encoded.vocabulary):,} words; {folder / RECORDS}: {table.n_cells:,} cells")


@app.command()
def train(
    vocabulary: Annotated[
        Path, typer.Argument(metavar="VOCABULARY", exists=True, dir_okay=False, help="What vocab_count wrote.")
    ],
    records: Annotated[
        Path, typer.Argument(metavar="RECORDS", exists=True, dir_okay=False, help="What cooccur or shuffle wrote.")
    ],
    vectors: Annotated[
        Path, typer.Argument(metavar="VECTORS", dir_okay=False, help="Receives a word and its numbers a line.")
    ],
    set_: Settings = None,
) -> None:
    """Train on the C program's counts, as glove does, and write vectors as it does.

    The settings window, symmetric and distance_weighting must be those the records were counted with.
    """
    chosen = _hyperparameters(set_)
    words = read_vocabulary(vocabulary)
    window, symmetric, weighting = chosen.counted
    table = read_records(records, len(words), window, symmetric=symmetric, weighting=weighting)
    with TemporaryDirectory(prefix="train-", dir=vectors.parent) as scratch, Bar(console=errors) as bar:
        n_tokens = int(words.counts.sum())
        counted = EncodedCorpus(np.zeros(0, np.int32), words, n_tokens, n_tokens, n_lines=0)
        work = Work(counted, Path(scratch), usable_cores(), _shown(bar, "training"), None)
        trained = glove.train(work, chosen, table)
        write_vectors(words, trained.arrays["vectors"], vectors)
    cost, n_epochs = trained.facts["costs"][-1], trained.facts["epochs_run"]
    typer.echo(f"{vectors}: {len(words):,} words, mean cost {cost:.4f} after {n_epochs} epochs")


def _hyperparameters(assignments: list[str] | None) -> GloVeHyperparameters:
    try:
        return GloVeHyperparameters.model_validate(assigned(GloVeHyperparameters, assignments or []))
    except ValueError as error:
        _fail(f"--set: {error}")


def _shown(bar: Bar, what: str) -> Report:
    task = bar.add_task(what, total=1.0)
    return lambda progress: bar.update(task, completed=progress.fraction)


def _fail(message: str) -> NoReturn:
    errors.print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(1)


def main() -> None:
    """Run the command line; what a user can mend is one line on standard error and exit code 1."""
    try:
        app(prog_name="wordkin glove")
    except WordkinError as error:
        _fail(str(error))


if __name__ == "__main__":
    main()
