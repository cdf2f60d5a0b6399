"""The kinds of job by name: how a submission becomes a request that a trainer can do."""

from __future__ import annotations

from app.jobs.kinds.classifier import Classifier
from app.jobs.kinds.derive import Derive
from app.jobs.kinds.evaluate import Evaluate
from app.jobs.kinds.imported import Import
from app.jobs.kinds.kind import Kind
from app.jobs.kinds.train import Train

KINDS: dict[str, Kind] = {
    "train": Train(),
    "import": Import(),
    "derive": Derive(),
    "evaluate": Evaluate(),
    "classifier": Classifier(),
}
