"""What other tools call what a job may set, for those who come from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

OTHER_NAMES = {
    # gensim
    "vector_size": "dim",
    "size": "dim",
    "sg": "architecture",
    "hs": "objective",
    "negative": "n_negatives",
    "sample": "subsampling_threshold",
    "workers": "threads",
    "alpha": "learning_rate",  # GloVe's own alpha is a name of ours
    "start_alpha": "learning_rate",
    "min_alpha": "min_learning_rate",
    "end_alpha": "min_learning_rate",
    "ns_exponent": "noise_exponent",
    "max_vocab_size": "max_words",
    "max_final_vocab": "max_words",
    # word2vec.c
    "cbow": "architecture",
    "iter": "epochs",
    # fastText
    "model": "architecture",
    "epoch": "epochs",
    "lr": "learning_rate",
    "ws": "window",
    "neg": "n_negatives",
    "loss": "objective",
    "t": "subsampling_threshold",
    "bucket": "n_buckets",
    "thread": "threads",
    # GloVe's C programs
    "eta": "learning_rate",
    "window_size": "window",
    "max_vocab": "max_words",
    "memory": "memory_limit_bytes",
    # many others
    "embedding_dim": "dim",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "random_state": "seed",
}
OTHER_VALUES = {
    "w2v": "word2vec",
    "ft": "fasttext",
    "sg": "skip-gram",
    "ns": "negative-sampling",
    "hs": "hierarchical-softmax",
}
LONGEST = 64
NEAR = 0.55
"""Of the letters: `alfa` is near `alpha`, and `ns` is near nothing."""


def meant(name: str, allowed: Iterable[str], others: Mapping[str, str] = OTHER_NAMES) -> str | None:
    """The allowed name that a user of another tool, or of another spelling, means; None if none is near."""
    from rapidfuzz import process  # noqa: PLC0415 (many modules, which only wrong names need)
    from rapidfuzz.distance import OSA  # noqa: PLC0415 (as above)

    by_letters = {_letters(known): known for known in allowed}
    letters = _letters(name)
    if letters in by_letters:
        return by_letters[letters]
    other = {_letters(known): ours for known, ours in others.items()}.get(letters)
    if other in by_letters.values():
        return other
    if not by_letters or len(letters) > LONGEST:
        return None
    found = process.extractOne(letters, by_letters.keys(), scorer=OSA.normalized_similarity, score_cutoff=NEAR)
    return by_letters[found[0]] if found else None


def hint(issue: Mapping[str, Any]) -> str:
    """What to add to pydantic's message: ``. Did you mean 'hnsw'?`` where few values are allowed and one is near."""
    context = issue.get("ctx", {})
    given = context.get("tag", issue.get("input"))
    allowed = re.findall(r"'([^']+)'", str(context.get("expected", context.get("expected_tags", ""))))
    near = meant(given, allowed, OTHER_VALUES) if allowed and isinstance(given, str) else None
    return f". Did you mean {near!r}?" if near else ""


def _letters(name: str) -> str:
    """The name without what tools spell differently: ``--min-count``, ``minCount``, ``min_count``."""
    return name.replace("-", "").replace("_", "").lower()
