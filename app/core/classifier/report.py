"""What a classifier was measured to be worth, on texts that it was not trained on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RowsRead(_Part):
    """What became of the rows of the file."""

    n_rows: int
    n_without_label: int
    n_without_text: int
    n_unreadable: int
    n_duplicates: Annotated[int, Field(description="rows with the text of an earlier one; each text counts once")]
    n_contradictory: Annotated[int, Field(description="texts with several labels; the most frequent counts")]
    rare_labels: Annotated[dict[str, int], Field(description="labels with too few texts, which are left out")]
    n_without_known_word: Annotated[int, Field(description="training texts that have no word of the version")]
    first_bad: list[str]


class Interval(_Part):
    low: float
    high: float


class Scores(_Part):
    """Shares of the held-out texts; a text without a known word counts as answered wrongly."""

    accuracy: float
    macro_f1: Annotated[float, Field(description="mean over labels of the harmonic mean of precision and recall")]


class LabelScores(_Part):
    label: str
    n_training: int
    n_held_out: int
    precision: float
    recall: float
    f1: float
    telling_words: Annotated[list[str], Field(description="those that speak most for the label, the strongest first")]


class Baselines(_Part):
    majority: Scores
    tfidf: Annotated[Scores, Field(description="logistic regression on TF-IDF of one to four characters of words")]
    tfidf_c: float
    tfidf_n_texts: Annotated[int, Field(description="training texts that it had; more take too much memory")]


class CurvePoint(_Part):
    """The same with fewer training texts, and C chosen anew."""

    n_texts: int
    c: float
    accuracy: float
    macro_f1: float
    tfidf_accuracy: float | None


class GroupScores(_Part):
    group: str | None
    n: int
    n_errors: int
    n_abstained: int
    accuracy: float


class Report(_Part):
    """All of it is of the same held-out texts, none of which is in the training."""

    rows: RowsRead
    n_training: int
    n_held_out: int
    n_abstained: Annotated[int, Field(description="held-out texts without a known word")]
    scores: Scores
    accuracy_of_answered: float
    labels: list[LabelScores]
    confusion: Annotated[
        list[list[int]], Field(description="a row a label as it is, a column a label as it is told, abstained last")
    ]
    groups: list[GroupScores]
    baselines: Baselines
    beats_baseline: Annotated[
        bool, Field(description="whether the better baseline is worse by more than the chance of these texts")
    ]
    difference: Annotated[float, Field(description="of the accuracy to the better baseline's")]
    interval: Annotated[Interval, Field(description="of that difference, 95 %")]
    learning_curve: list[CurvePoint]
