"""What a job may set for Word2Vec, with bounds and the papers' defaults."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from app.core.hyperparameters.shared import Dim, Epochs, Hyperparameters, MaxWords, MinCount, Seed, Threads

PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"architecture": "cbow", "dim": 100, "epochs": 5},
    "quality": {"dim": 300, "n_negatives": 10, "subsampling_threshold": 1e-4, "epochs": 10},
    "small-corpus": {"dim": 100, "n_negatives": 10, "min_count": 2, "epochs": 25},
    # The whole line is the context of each item. Noise: Caselles-Dupré et al. 2018. On 9,835 baskets of groceries only
    # this output put what is bought together (bottled beer: bottled water, canned beer) first.
    "item2vec": {
        "window": 100,
        "shrink_windows": False,
        "subsampling_threshold": 0.0,
        "noise_exponent": -0.5,
        "output": "input+output",
        "epochs": 20,
    },
}
"""What a newcomer can name instead of numbers; fields that are given win over the preset's."""


class Word2VecHyperparameters(Hyperparameters):
    """Skip-gram and CBOW (Mikolov et al. 2013), by negative sampling or hierarchical softmax.

    Learning rates that are left out are filled in: 0.025 for skip-gram, for CBOW by its gradient: 0.05 for the legacy
    one, more for smaller ones (Irsoy et al. 2021): 0.12 for the root, 0.15 for the exact one (with hierarchical softmax
    0.09 and 0.075). The last rate is a ten-thousandth of the first; the root's is the first divided by four times the
    epochs: of few epochs, those at rates near zero are too large a share.
    """

    meaning_of_rows: ClassVar[tuple[str, ...]] = ("architecture", "objective", "output")
    # benchmarks/README.md has the figures for the root's; exact: of 0.075, 0.1, 0.15 and 0.25 (5 epochs, two seeds)
    # analogies 0.303, 0.314, 0.322, 0.306
    rates: ClassVar[dict[str, tuple[float, float]]] = {
        "skip-gram": (0.025, 0.025),
        "root": (0.12, 0.09),
        "exact": (0.15, 0.075),
        "legacy": (0.05, 0.05),
    }
    """First learning rates, with negative sampling and with hierarchical softmax."""

    preset: Annotated[
        Literal["fast", "quality", "small-corpus", "item2vec"] | None, Field(description="for a purpose")
    ] = None
    architecture: Literal["skip-gram", "cbow"] = "skip-gram"
    objective: Literal["negative-sampling", "hierarchical-softmax"] = "negative-sampling"
    dim: Dim = 100
    window: Annotated[int, Field(ge=1, le=100, description="words on one side, at most")] = 5
    shrink_windows: Annotated[bool, Field(description="draw each window's size from 1..window")] = True
    n_negatives: Annotated[int, Field(ge=1, le=64, description="noise words a window")] = 5
    noise_exponent: Annotated[float, Field(ge=-2, le=2, description="noise ~ count ** exponent")] = 0.75
    subsampling_threshold: Annotated[float, Field(ge=0, le=1, description="0 keeps every token")] = 1e-3
    learning_rate: Annotated[float | None, Field(gt=0, le=1, description="default by architecture")] = None
    min_learning_rate: Annotated[
        float | None, Field(ge=0, le=1, description="default: a ten-thousandth; CBOW with the root gradient: more")
    ] = None
    epochs: Epochs = 5
    stop_patience: Annotated[
        int | None, Field(ge=1, le=1000, description="stop after so many epochs without a better held-out loss")
    ] = None
    min_count: MinCount = 5
    max_words: MaxWords = None
    seed: Seed = 1
    threads: Threads = None
    output: Annotated[Literal["input", "input+output"], Field(description="what becomes the table")] = "input"
    cbow_gradient: Annotated[
        Literal["exact", "root", "legacy"] | None,
        Field(
            description="what each of n context words takes of the gradient of their mean: its n-th part, its part by "
            "the root of n, or the whole, as in word2vec.c; default for CBOW: root, else exact"
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = PRESETS.get(str(given.get("preset")), {})
        values = {**preset, **given}
        if given.get("objective") == "hierarchical-softmax":
            _refuse_noise(given, preset)
        if values.get("cbow_gradient") is None:
            values["cbow_gradient"] = _default_gradient(values)
        if values.get("learning_rate") is None:
            values["learning_rate"] = cls.default_learning_rate(values)
        if values.get("min_learning_rate") is None and isinstance(values["learning_rate"], int | float):
            values["min_learning_rate"] = values["learning_rate"] * cls._last_share(values)
        return values

    @classmethod
    def _last_share(cls, values: dict[str, Any]) -> float:
        """The last learning rate, of the first, where none is given."""
        try:
            epochs = float(values.get("epochs", cls.model_fields["epochs"].default))
        except (TypeError, ValueError):
            epochs = 0.0  # which is refused
        return 1 / (4 * epochs) if values["cbow_gradient"] == "root" and epochs >= 1 else 1e-4

    @model_validator(mode="after")
    def _check_together(self) -> Word2VecHyperparameters:
        if self.initial_learning_rate < self.final_learning_rate:
            raise ValueError("min_learning_rate must not exceed learning_rate")
        if self.output == "input+output" and self.objective == "hierarchical-softmax":
            raise ValueError("output 'input+output' needs negative-sampling: a Huffman tree's outputs are no words")
        if self.cbow_gradient != "exact" and self.architecture != "cbow":
            raise ValueError(f"cbow_gradient {self.cbow_gradient!r} needs architecture 'cbow'")
        return self

    @classmethod
    def default_learning_rate(cls, given: dict[str, Any]) -> float:
        values = {**PRESETS.get(str(given.get("preset")), {}), **given}
        kind = "skip-gram"
        if values.get("architecture") == "cbow":
            kind = str(values.get("cbow_gradient") or _default_gradient(values))
        return cls.rates.get(kind, cls.rates["exact"])[values.get("objective") == "hierarchical-softmax"]

    @property
    def rows_beside(self) -> dict[str, int]:
        return {"output_vectors": self.dim}

    @property
    def initial_learning_rate(self) -> float:
        return self.learning_rate or 0.0

    @property
    def final_learning_rate(self) -> float:
        return self.min_learning_rate or 0.0


def _default_gradient(values: dict[str, Any]) -> str:
    return "root" if values.get("architecture") == "cbow" else "exact"


def _refuse_noise(given: dict[str, Any], preset: dict[str, Any]) -> None:
    """Refuse what would have no effect; presets and complete records hold the values that nobody chose."""
    for name in ("n_negatives", "noise_exponent"):
        unchosen = preset.get(name, Word2VecHyperparameters.model_fields[name].default)
        if given.get(name, unchosen) != unchosen:
            raise ValueError(f"{name} needs objective 'negative-sampling': a Huffman path has no noise words")
