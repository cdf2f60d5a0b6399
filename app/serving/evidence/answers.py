"""What is answered about the evidence of a version, for the document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.serving.answers import Answer, Score

Count = Annotated[int, Field(description="how often the two stand within `window` words of each other, on one line")]
PPMI = Annotated[
    float,
    Field(
        ge=0,
        description="positive pointwise mutual information in nats, contexts smoothed by 0.75 "
        "(Levy, Goldberg and Dagan 2015)",
    ),
]
Lines = Annotated[
    list[str],
    Field(description="from lines of the corpus, as the training read them: without words that the vocabulary lacks"),
]
Window = Annotated[int, Field(description="words on each side that are near, the training's")]


class ContextWord(Answer):
    word: str
    ppmi: PPMI
    count: Count
    lines: Lines


class Contexts(Answer):
    """The strongest contexts of a word, of the 50 that are stored; contexts are among the most frequent words."""

    word: str
    window: Window
    contexts: list[ContextWord]


class Together(Answer):
    """Two words near each other. Where their pair is not stored, `count` is null; it is `at_most` that."""

    count: Annotated[int | None, Field(description="as for contexts; null if it is not stored")]
    at_most: int
    lines: Lines


class SharedContext(Answer):
    word: str
    contribution: Annotated[
        float, Field(ge=0, le=1, description="its share of the sum of ppmi_a x ppmi_b over all shared contexts")
    ]
    ppmi_a: PPMI
    ppmi_b: PPMI
    count_a: Count
    count_b: Count
    lines: Lines


class Explanation(Answer):
    """Why two words are alike, as far as the corpus shows it."""

    a: str
    b: str
    score: Score
    evidence: Annotated[
        Literal["contexts", "together", "both", "none"],
        Field(description="what there is: shared contexts, places where both stand together, both, or none"),
    ]
    window: Window
    overlap: Annotated[
        float, Field(ge=0, le=1, description="cosine of the two rows of stored PPMI, without the words themselves")
    ]
    n_shared: Annotated[int, Field(description="contexts that are stored for both, of 50 each")]
    together: Together
    shared: Annotated[list[SharedContext], Field(description="largest contribution first")]


class Cooccurrence(Together):
    """How often two words stand near each other: X_ij, exact where it is stored, else bounded."""

    a: str
    b: str
    window: Window
    ppmi: Annotated[PPMI | None, Field(description="of `b` as a context of `a`; null if the count is")]
