"""A card as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.core.evaluation.bias.results import BiasReport, TestResult
from app.core.evaluation.results import SetResult
from app.core.names import reference
from app.core.table.manifest import FileOrigin, StepDone
from app.models.card.schemas import Ancestor, ModelCard
from app.models.schemas import VersionDescription

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
NOT_SAID = "Nobody has said."


def markdown_of(card: ModelCard) -> str:
    """One page; what is not known of the version is said to be unknown, not left out."""
    version, about = card.version, card.about
    sections = {
        "Intended use": about.intended_use or NOT_SAID,
        "Limitations": about.limitations or NOT_SAID,
        "Licence": _licence(about.licence, version),
        "Where the vectors come from": _origin(version),
        "How text is read": _table(version.text.model_dump(mode="json")),
        "Settings": _table(version.hyperparameters or {}) or "None are known.",
        "Steps": _steps(version.steps or []) or "None.",
        "Lineage": _lineage(card.lineage) or "No other version.",
        "Evaluation": _evaluations(card.evaluations) or "It has not been evaluated with any set of questions.",
        "Bias": "\n\n".join(map(_bias, card.bias)) or "It has not been measured.",
        "Steps against a bias": _debiasing(card) or "None.",
        "Geometry": _table(card.geometry.model_dump() if card.geometry else {}) or "Not measured.",
        "Search": _table({"index": version.index.kind, "recall@10 of words": version.index.recall_at_10}),
        "Digests": _table({"manifest.json": version.manifest_sha256} | _digests(version)),
    }
    name = reference(version.model, version.version)
    head = [f"# {escaped(name)}", *([about.description] if about.description else []), _named(card)]
    return "\n\n".join([*head, *(f"## {title}\n\n{text}" for title, text in sections.items())]) + "\n"


def escaped(value: Any) -> str:
    """A value as a table or a line shows it: no mark of it is read as Markdown or HTML."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _table(members: Mapping[str, Any]) -> str:
    rows = [f"| {escaped(name)} | {escaped(value)} |" for name, value in members.items() if value is not None]
    return "\n".join(["| | |", "|---|---|", *rows]) if rows else ""


def _listed(columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(map(escaped, row)) + " |" for row in rows]
    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join([*head, *lines]) if lines else ""


def _facts(version: VersionDescription) -> str:
    by = f" by {version.algorithm}" if version.algorithm else ""
    return f"{version.n_words:,} words of {version.dim} dimensions, {version.origin}{by}"


def _named(card: ModelCard) -> str:
    version = card.version
    names = ", ".join(card.aliases) or "no alias"
    moment = f"{version.created_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"{_facts(version)}, published {moment} by Wordkin {escaped(version.code_version)}. Named by: {escaped(names)}."
    )


def _licence(said: str | None, version: VersionDescription) -> str:
    told = [said] if said else []
    if version.licence:
        told.append(f"The file that was imported: {escaped(version.licence)}.")
    return "\n\n".join(told) or "Nobody has said. That of the corpus or file may bind you."


def _origin(version: VersionDescription) -> str:
    if version.corpus:
        return _table(version.corpus.model_dump())
    if version.file:
        return _table({"format": version.format, "source": version.source} | _file(version.file))
    parents = (reference(each.model, each.version) for each in version.parents or [])
    files = (f"{each.name}@{each.revision}, SHA-256 {each.sha256}" for each in version.step_files or [])
    return _table({"derived from": ", ".join(parents), "files of the steps": "; ".join(files) or None})


def _file(file: FileOrigin) -> dict[str, Any]:
    return {"file": f"{file.name}@{file.revision}", "bytes": file.n_bytes, "SHA-256": file.sha256}


def _steps(steps: Sequence[StepDone]) -> str:
    return _listed(("step", "asked for", "found"), ((each.step.get("step"), each.step, each.found) for each in steps))


def _lineage(ancestors: Sequence[Ancestor]) -> str:
    columns = ("version", "relation", "to", "made of", "state", "SHA-256 of its manifest")
    return _listed(columns, (_related(each) for each in ancestors))


def _related(each: Ancestor) -> tuple[str, ...]:
    name = reference(each.model, each.version)
    return (name, each.relation, each.of, each.made_of or "", each.state, each.manifest_sha256)


def _evaluations(results: Sequence[SetResult]) -> str:
    return _listed(("set", "metric", "score", "95 %", "covered", "convention"), (_scored(each) for each in results))


def _scored(result: SetResult) -> tuple[str, ...]:
    score = result.scores.get(result.metric)
    interval = score.interval if score else None
    return (
        f"{reference(result.file.name, result.file.revision)} ({result.type})",
        result.metric,
        f"{score.value:.4f}" if score else "none",
        f"{interval.low:.4f} to {interval.high:.4f}" if interval else "",
        f"{result.n_covered:,} of {result.n:,}",
        result.convention,
    )


def _bias(report: BiasReport) -> str:
    """The tests of a collection of word sets; a small p says that words are divided, not that anybody is harmed."""
    about = ", ".join([*(["experimental"] if report.experimental else []), f"{len(report.skipped)} tests skipped"])
    columns = ("test", "effect size", "95 %", "over seeds", "p", "p by Holm")
    tests = _listed(columns, (_tested(each) for each in report.tests))
    return "\n\n".join(filter(None, [f"{escaped(reference(report.name, report.version))} ({about}):", tests]))


def _tested(test: TestResult) -> tuple[str, ...]:
    low, high = test.interval
    effect, interval = f"{test.effect_size:+.4f}", f"{low:+.4f} to {high:+.4f}"
    seeds = f"{test.seeds.least:+.4f} to {test.seeds.greatest:+.4f}" if test.seeds else ""
    return (test.test, effect, interval, seeds, f"{test.p_value:.3g}", f"{test.p_adjusted:.3g}")


def _debiasing(card: ModelCard) -> str:
    """What readers still find, first in words, beside what they found in the parent."""
    if (found := card.debiasing) is None:
        return ""
    parents = ", ".join(reference(each.model, each.version) for each in card.version.parents or [])
    steps = ", ".join(f"{step['step']} (mean cosine {step['mean_cosine']:.4f})" for step in found.cost.steps)
    residue = (
        (each.direction, test.test, test.metric, _number(test.before), _number(test.after))
        for each in found.residue
        for test in each.tests
    )
    associations = (
        (each.test, _number(each.before), _number(each.after), "flips" if each.is_flipped else "")
        for each in found.associations
    )
    parts = (
        escaped(found.told),
        escaped(f"Made from {parents} by {steps}."),
        _listed(("direction", "reader", "metric", "before", "after"), residue),
        _listed(("test", "effect size before", "after", "sign"), associations),
    )
    return "\n\n".join(filter(None, parts))


def _number(value: float | None) -> str:
    return "too few words" if value is None else f"{value:.4f}"


def _digests(version: VersionDescription) -> dict[str, str]:
    return {name: file.sha256 for name, file in sorted(version.files.items())}
