"""The same training with other seeds, so that a version knows which of its neighbours are chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core import names
from app.core.evaluation.drift.floor import FLOOR_METRIC, floor_of_replicas
from app.core.evaluation.drift.spaces import Space
from app.core.hyperparameters import Hyperparameters
from app.core.table.arrays import AGREEMENT, Arrays, FloatArray, Neighbors
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise
from trainer.algorithms.algorithm import Trained, Work, identity
from trainer.evaluating.spread import SPREAD_METRIC, Effects, together
from trainer.publishing.neighbors import nearest_neighbors
from trainer.publishing.stability import agreement, facts
from trainer.steps.checkpoint import Checkpoints
from trainer.steps.progress import Progress, Report, ignore
from trainer.work.checkpoints import StorageCheckpoints
from trainer.work.context import Context

REPLICAS = "replicas"
FORM = "replica 2"
SEEDS = 1 << 63
Train = Callable[[Work, Any], Trained]
Expected = Mapping[str | None, float]


@dataclass(frozen=True, eq=False)
class Replica:
    """What is kept of a training: its neighbour table, what tests of bias found, and of the first its unit vectors.

    These are float32 (n_words, dim).
    """

    neighbors: Neighbors
    bias: Effects
    unit_vectors: FloatArray | None


@dataclass(frozen=True)
class Asked:
    """What further trainings are to be.

    Parameters
    ----------
    n : how many
    expected : seconds that each step of one takes
    measure : the effect sizes of tests of bias of unit vectors, float32 (n_words, dim)
    """

    n: int
    expected: Expected
    measure: Callable[[FloatArray], Effects]


class Stability:
    """What replicas say of a training: nothing, where there are none.

    Parameters
    ----------
    replicas : in the order of their seeds
    vocabulary : of all
    vectors : of the training itself, float32 (n_words, dim); unit vectors when `metrics` are asked for
    """

    def __init__(self, replicas: Sequence[Replica], vocabulary: Vocabulary, vectors: FloatArray) -> None:
        self._replicas = replicas
        self._vocabulary = vocabulary
        self._vectors = vectors
        self.told: dict[str, Any] = {}

    def arrays(self, neighbors: Neighbors) -> Arrays:
        if not self._replicas:
            return {}
        agreed = agreement(neighbors, [replica.neighbors.ids for replica in self._replicas])
        self.told = {"stability": facts(agreed, self._vocabulary, len(self._replicas) + 1)}
        return {AGREEMENT: agreed}

    def metrics(self, neighbors: Neighbors) -> dict[str, Any]:
        """The means of what `arrays` has found, and how far words and their bias change from seed to seed."""
        bias = together([replica.bias for replica in self._replicas])
        told = self.told | ({SPREAD_METRIC: bias} if any(bias.values()) else {})
        if not self._replicas or self._replicas[0].unit_vectors is None:
            return told
        first = Space(self._vocabulary, True, self._vectors, neighbors)
        second = Space(self._vocabulary, True, self._replicas[0].unit_vectors, self._replicas[0].neighbors)
        floor = floor_of_replicas(first, second)
        return told | ({FLOOR_METRIC: floor} if floor else {})


def replicas_of(train: Train, work: Work, chosen: Hyperparameters, asked: Asked, context: Context) -> list[Replica]:
    """Further trainings with the seeds that follow.

    Each that has ended is kept in storage until the job ends, so that another attempt does not train it again.
    """
    if not asked.n:
        return []
    report = context.report(REPLICAS)
    found = []
    for number in range(1, asked.n + 1):
        again = chosen.model_copy(update={"seed": (chosen.seed + number) % SEEDS})
        kept = _checkpoints(context, f"replica-{number}")
        key = identity(work, again, FORM, {"threads"})
        saved = kept.load() if kept else None
        if saved and saved[1].get("identity") == key:
            found.append(_replica(*saved))
            continue
        folder = work.scratch / f"training-{number}"
        folder.mkdir()
        told = replace(
            work,
            scratch=folder,
            report=_part(report, asked.expected, number - 1, asked.n),
            checkpoints=_checkpoints(context, f"replica-{number}-state"),
        )
        unit_vectors, _ = normalise(train(told, again).arrays["vectors"])
        neighbors = nearest_neighbors(unit_vectors, threads=context.threads, report=ignore)
        arrays = {"ids": neighbors.ids, "scores": neighbors.scores}
        arrays |= {"unit_vectors": unit_vectors} if number == 1 else {}
        state = {"identity": key, "bias": asked.measure(unit_vectors)}
        if kept:
            kept.save(arrays, state)
        found.append(_replica(arrays, state))
    return found


def _replica(arrays: Mapping[str, npt.NDArray[Any]], state: Mapping[str, Any]) -> Replica:
    """Copies, since a checkpoint's arrays are mapped from a file."""
    kept = {name: np.array(array) for name, array in arrays.items()}
    return Replica(Neighbors(kept["ids"], kept["scores"]), state["bias"], kept.get("unit_vectors"))


def _checkpoints(context: Context, name: str) -> Checkpoints | None:
    """A place beside that of the training itself, which must find its own again."""
    if context.checkpoints is None:
        return None
    key = f"{names.checkpoint_folder(context.job_id)}/{name}"
    every_seconds = context.checkpoints.every_seconds
    return StorageCheckpoints(context.storage, key, context.scratch / name, every_seconds, context.ending)


def _part(report: Report, expected: Expected, number: int, n: int) -> Report:
    """The report of one of n trainings, as that of a part of one step."""
    order = list(expected)
    total = sum(expected.values())

    def tell(progress: Progress) -> None:
        place = order.index(progress.step) if progress.step in expected else 0
        done = sum(expected[step] for step in order[:place]) + progress.fraction * expected[order[place]]
        report(Progress((number + done / total) / n, tokens_per_second=progress.tokens_per_second))

    return tell
