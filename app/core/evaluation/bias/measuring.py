"""From word sets and vectors to results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.core.evaluation.bias.association import ect, mac, rnd
from app.core.evaluation.bias.found import FoundSet
from app.core.evaluation.bias.results import BiasOptions, SingleWord, UsedSet
from app.core.evaluation.bias.rnsb import rnsb
from app.core.evaluation.bias.rows import Rows
from app.core.evaluation.bias.weat import Cosines, interval, single_category, weat

DECIMALS = 8
"""What is beyond depends on the order in which a library adds."""


def rounded(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0


def association(
    rows: Sequence[Rows], targets: Sequence[FoundSet], attributes: Sequence[FoundSet], options: BiasOptions
) -> dict[str, Any]:
    """The members of an `Association`.

    Parameters
    ----------
    rows : vectors of the four sets, targets first, float32 or float64 (n_words, dim) each
    targets, attributes : the words that they are of, two sets each
    options : BiasOptions
    """
    found = Cosines.of(*rows)
    result = weat(
        found,
        deviation=options.deviation,
        alternative=options.alternative,
        n_drawn=options.n_permutations,
        seed=options.seed,
    )
    low, high = interval(found, options.deviation, seed=options.seed)
    with_a, with_b = np.concatenate([found.x_a, found.y_a]), np.concatenate([found.x_b, found.y_b])
    sizes = single_category(with_a, with_b, options.deviation)
    words = [word for each in targets for word in each.words]
    order = np.argsort(-sizes, kind="stable").tolist()
    used = [[UsedSet(name=s.name, n=s.n, n_used=len(s.ids)) for s in each] for each in (targets, attributes)]
    return {
        "effect_size": rounded(result.effect_size),
        "deviation": options.deviation,
        "interval": (rounded(low), rounded(high)),
        "statistic": rounded(result.statistic),
        "mean_difference": rounded(result.mean_difference),
        "p_value": result.test.p_value,
        "alternative": options.alternative,
        "n_as_extreme": result.test.n_as_extreme,
        "n_partitions": result.test.n_partitions,
        "is_exact": result.test.is_exact,
        "seed": options.seed,
        "targets": used[0],
        "attributes": used[1],
        "missing": [word for each in (*targets, *attributes) for word in each.missing],
        "words": [SingleWord(word=words[i], effect_size=rounded(sizes[i])) for i in order],
    }


def measures(raw: Sequence[Rows], unit: Sequence[Rows], attributes: Sequence[FoundSet]) -> dict[str, float]:
    """All other measures of a test by names that say how they are made.

    Parameters
    ----------
    raw, unit : vectors of the four sets as they are and with length 1, targets first
    attributes : the words that the last two are of
    """
    found = {"mac_unit": mac(unit[:2], unit[2:])}
    for scaling, (x, y, a, b) in (("raw", raw), ("unit", unit)):
        for each, rows in zip(attributes, (a, b), strict=True):
            found[f"ect_{scaling}_{each.name}"] = ect(x, y, rows)
            found[f"rnd_{scaling}_{each.name}"] = rnd(x, y, rows)
        both = np.concatenate([x, y])
        found[f"rnsb_{scaling}_newton_intercept_free"] = rnsb(both, a, b).value
        found[f"rnsb_{scaling}_newton_intercept_penalised"] = rnsb(both, a, b, intercept="penalised").value
    return {name: rounded(value) for name, value in found.items()}
