"""Answers from the evidence of a version: what its corpus showed, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from typing import Any

from app.core.errors import EvidenceNotStored
from app.core.nearest import scores
from app.core.nearest.scores import DECIMALS
from app.core.table.evidence import Context, Evidence
from app.core.text.formats import Tokens
from app.serving.evidence.asking import ContextsQuery, CooccurrenceQuery, ExplainQuery
from app.serving.version import ServedVersion, Term

Body = dict[str, Any]

FEW_LINES = 10
"""These take about a millisecond."""


async def contexts(version: ServedVersion, asked: ContextsQuery) -> Body:
    (term,) = await version.terms([asked.word])
    evidence = _of_words(version, term)

    def answer() -> Body:
        found = [
            {
                "word": version.lookup.word(context.id),
                "ppmi": round(context.ppmi, DECIMALS),
                "count": context.count,
                "lines": _lines(version, evidence, (term.id, context.id), asked.lines),
            }
            for context in evidence.contexts(term.id)[: asked.k]
        ]
        return {"word": term.word, "window": evidence.described.window, "contexts": found}

    return await _made(version, answer, asked)


async def explain(version: ServedVersion, asked: ExplainQuery) -> Body:
    a, b = await version.terms([asked.a, asked.b])
    evidence = _of_words(version, a, b)
    return await _made(version, lambda: _explained(version, evidence, (a, b), asked), asked)


def _explained(version: ServedVersion, evidence: Evidence, pair: tuple[Term, Term], asked: ExplainQuery) -> Body:
    a, b = pair
    of_a, of_b = (
        {context.id: context for context in evidence.contexts(term.id) if context.id not in (a.id, b.id)}
        for term in (a, b)
    )
    products = {i: of_a[i].ppmi * of_b[i].ppmi for i in of_a.keys() & of_b.keys()}
    order = sorted(products, key=lambda i: (-products[i], i))
    total = math.fsum(products.values())
    together = _together(version, evidence, (a, b), asked.lines)

    def lines(pair: tuple[int, int]) -> list[str]:
        return _lines(version, evidence, pair, asked.lines)

    return {
        "a": a.word,
        "b": b.word,
        "score": scores.cosine(version.direction(a), version.direction(b)),
        "evidence": _kind(shares=bool(products), stands=bool(together["count"] or any(evidence.passages(a.id, b.id)))),
        "window": evidence.described.window,
        "overlap": round(total / max(_length(of_a) * _length(of_b), total), DECIMALS) if total else 0.0,
        "n_shared": len(products),
        "together": together,
        "shared": [
            {
                "word": version.lookup.word(i),
                "contribution": round(products[i] / total, DECIMALS) if total else 0.0,
                "ppmi_a": round(of_a[i].ppmi, DECIMALS),
                "ppmi_b": round(of_b[i].ppmi, DECIMALS),
                "count_a": of_a[i].count,
                "count_b": of_b[i].count,
                "lines": list(dict.fromkeys(line for word in (a, b) for line in lines((word.id, i)))),
            }
            for i in order[: asked.k]
        ],
    }


async def cooccurrence(version: ServedVersion, asked: CooccurrenceQuery) -> Body:
    a, b = await version.terms([asked.a, asked.b])
    evidence = _of(version)
    together = _together(version, evidence, (a, b), asked.lines)
    count = together["count"]
    ppmi = None if count is None else round(evidence.ppmi(a.id, b.id, count), DECIMALS)
    return {"a": a.word, "b": b.word, "window": evidence.described.window, "ppmi": ppmi, **together}


async def _made(version: ServedVersion, answer: Callable[[], Body], asked: ContextsQuery | ExplainQuery) -> Body:
    """Beside the loop if it takes long, so that others do not wait for it."""
    return await version.pool.beside(answer) if asked.k * asked.lines > FEW_LINES else answer()


def _of(version: ServedVersion) -> Evidence:
    """The version's evidence, or an error that says how to have it."""
    evidence = version.table.evidence
    if evidence is None:
        raise EvidenceNotStored(
            f"{version.model!r} version {version.number} was published without evidence of its corpus. "
            'Train with "evidence": true to store it; imported and derived versions have none.'
        )
    return evidence


def _of_words(version: ServedVersion, *terms: Term) -> Evidence:
    """The version's evidence, if it has that of these words."""
    evidence = _of(version)
    lacking = [term.word for term in terms if term.id >= evidence.n_explained]
    if lacking:
        raise EvidenceNotStored(
            f"Evidence is stored for the {evidence.n_explained:,} most frequent words; "
            f"{', '.join(map(repr, lacking))} {'is' if len(lacking) == 1 else 'are'} rarer.",
            missing=lacking,
        )
    return evidence


def _together(version: ServedVersion, evidence: Evidence, pair: tuple[Term, Term], n_lines: int) -> Body:
    a, b = pair
    found = evidence.cooccurrence(a.id, b.id)
    return {
        "count": found.count,
        "at_most": found.at_most,
        "lines": _lines(version, evidence, (a.id, b.id), n_lines),
    }


def _lines(version: ServedVersion, evidence: Evidence, pair: tuple[int, int], n_lines: int) -> list[str]:
    text = version.table.manifest.text.format
    between = f"{text.separator} " if isinstance(text, Tokens) else " "
    found = islice(evidence.passages(*pair), n_lines)
    return [between.join(map(version.lookup.word, passage)) for passage in found]


def _kind(*, shares: bool, stands: bool) -> str:
    if shares and stands:
        return "both"
    return "contexts" if shares else "together" if stands else "none"


def _length(row: dict[int, Context]) -> float:
    return math.sqrt(math.fsum(context.ppmi**2 for context in row.values()))
