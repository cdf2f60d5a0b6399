"""The same training with other seeds, so that a version knows which of its neighbours are chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.core import names
from app.core.hyperparameters import Hyperparameters
from app.core.table.arrays import AGREEMENT, Arrays, Neighbors
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise
from trainer.algorithms.algorithm import Trained, Work, identity
from trainer.publishing.neighbors import nearest_neighbors
from trainer.publishing.stability import Ids, agreement, facts
from trainer.steps.checkpoint import Checkpoints
from trainer.steps.progress import Progress, Report, ignore
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.context import Context

REPLICAS = "replicas"
FORM = "replica 1"
SEEDS = 1 << 63
Train = Callable[[Work, Any], Trained]
Expected = Mapping[str | None, float]


class Stability:
    """What replicas say of a neighbour table: nothing, where there are none."""

    def __init__(self, replicas: Sequence[Ids], vocabulary: Vocabulary) -> None:
        self._replicas = replicas
        self._vocabulary = vocabulary
        self.told: dict[str, Any] = {}

    def arrays(self, neighbors: Neighbors) -> Arrays:
        if not self._replicas:
            return {}
        agreed = agreement(neighbors, self._replicas)
        self.told = {"stability": facts(agreed, self._vocabulary, len(self._replicas) + 1)}
        return {AGREEMENT: agreed}

    def metrics(self, _: Neighbors) -> dict[str, Any]:
        """Known when there are arrays."""
        return self.told


def nearest_of_replicas(
    train: Train, work: Work, chosen: Hyperparameters, n_trainings: int, expected: Expected, context: Context
) -> list[Ids]:
    """The nearest words in `n_trainings - 1` further trainings with the seeds that follow; int32 (n_covered, k) each.

    Each that has ended is kept in storage until the job ends, so that another attempt does not train it again.
    """
    if n_trainings == 1:
        return []
    report = context.report(REPLICAS)
    found = []
    for number in range(1, n_trainings):
        again = chosen.model_copy(update={"seed": (chosen.seed + number) % SEEDS})
        kept = _checkpoints(context, f"replica-{number}")
        key = identity(work.corpus, again, FORM, {"threads"})
        saved = kept.load() if kept else None
        if saved and saved[1].get("identity") == key:
            found.append(np.array(saved[0]["ids"]))
            continue
        folder = work.scratch / f"training-{number}"
        folder.mkdir()
        told = replace(
            work,
            scratch=folder,
            report=_part(report, expected, number - 1, n_trainings - 1),
            checkpoints=_checkpoints(context, f"replica-{number}-state"),
        )
        unit_vectors, _ = normalise(train(told, again).arrays["vectors"])
        ids = nearest_neighbors(unit_vectors, threads=context.threads, report=ignore).ids
        if kept:
            kept.save({"ids": ids}, {"identity": key})
        found.append(ids)
    return found


def _checkpoints(context: Context, name: str) -> Checkpoints | None:
    """A place beside that of the training itself, which must find its own again."""
    if context.checkpoints is None:
        return None
    key = f"{names.checkpoint_folder(context.job_id)}/{name}"
    return StorageCheckpoints(context.storage, key, context.scratch / name, context.checkpoints.every_seconds)


def _part(report: Report, expected: Expected, number: int, n: int) -> Report:
    """The report of one of n trainings, as that of a part of one step."""
    order = list(expected)
    total = sum(expected.values())

    def tell(progress: Progress) -> None:
        place = order.index(progress.step) if progress.step in expected else 0
        done = sum(expected[step] for step in order[:place]) + progress.fraction * expected[order[place]]
        report(Progress((number + done / total) / n, tokens_per_second=progress.tokens_per_second))

    return tell
