"""The report of bias of made-up vectors: beside plain references, with what is missing and what is skipped."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from app.core.errors import EvaluationSetUnreadable
from app.core.evaluation.bias.direction import bias_direction, direct_bias
from app.core.evaluation.bias.results import BiasOptions, BiasReport
from app.core.evaluation.bias.words import shipped_content
from app.core.table.manifest import FileOrigin
from app.core.text import TextReader, TextSpec
from benchmarks.quality import unit_rows
from tests.oracles import bias as oracle
from trainer.evaluating.bias import CAVEATS, EXPERIMENTAL, SPREAD_UNKNOWN, AskedBias, bias_report
from trainer.evaluating.words import Vectors

SETS: dict[str, list[Any]] = {
    "x": [f"x{i}" for i in range(6)],
    "y": [*(f"y{i}" for i in range(6)), {"word": "gone", "alternatives": ["away", "Y6"]}],
    "few": ["x1", "x2"],
    "lost": ["x1", "no1", "no2"],
    "a": [f"a{i}" for i in range(4)],
    "b": ["b0", "b1", "b2", "b3", "b4", "gone"],
}
FILE = {
    "name": "own",
    "version": 3,
    "experimental": True,
    "sets": SETS,
    "tests": {
        "one": {"about": "x and y", "targets": ["x", "y"], "attributes": ["a", "b"]},
        "back": {"targets": ["y", "x"], "attributes": ["a", "b"]},
        "small": {"targets": ["few", "x"], "attributes": ["a", "b"]},
        "missing": {"targets": ["x", "y"], "attributes": ["lost", "b"]},
    },
    "directions": {
        "way": {
            "pairs": [["a0", "b0"], ["a1", "b1"], ["a2", "b2"], ["a3", "b3"]],
            "words": ["x", "lost"],
            "indirect": [["x1", "x2"], ["x1", "gone"]],
        },
        "none": {"pairs": [["a0", "b0"], ["gone", "b1"], ["a2", "a2"]], "words": ["x"]},
    },
}
WORDS = [*(f"x{i}" for i in range(6)), *(f"y{i}" for i in range(7)), *(f"{s}{i}" for s in "ab" for i in range(5))]
RAW = (np.random.default_rng(8).standard_normal((len(WORDS), 9)) + 0.5).astype(np.float32)
ORIGIN = FileOrigin(name="own.json", revision=1, sha256="0" * 64, n_bytes=9)


def report(content: bytes, replicas: dict[str, Any] | None = None, **options: Any) -> BiasReport:
    find = {word: i for i, word in enumerate(WORDS)}.get
    vectors = Vectors(find, unit_rows(RAW), TextReader(TextSpec()), 1)
    norms = np.linalg.norm(RAW, axis=1)
    return bias_report(vectors, norms, AskedBias(content, "own.json", ORIGIN, BiasOptions(**options)), replicas or {})


@pytest.fixture(scope="module")
def found() -> BiasReport:
    return report(json.dumps(FILE).encode())


def plain(*words: str) -> list[list[float]]:
    rows: list[list[float]] = RAW[[WORDS.index(word) for word in words]].tolist()
    return rows


X, Y, A, B = SETS["x"], [f"y{i}" for i in range(7)], SETS["a"], SETS["b"][:-1]


def test_tests_have_the_numbers_of_their_formulas(found: BiasReport) -> None:
    one, back = found.tests
    assert (one.test, one.about, back.test) == ("one", "x and y", "back")
    x, y, a, b = plain(*X), plain(*Y), plain(*A), plain(*B)
    assert one.effect_size == pytest.approx(oracle.effect_size(x, y, a, b, 1), abs=1e-6)
    assert back.effect_size == pytest.approx(-one.effect_size, abs=1e-8)
    assert (one.missing, one.n_partitions) == (["gone"], 1716)
    assert [(used.name, used.n, used.n_used) for used in (*one.targets, *one.attributes)] == [
        ("x", 6, 6),
        ("y", 7, 7),
        ("a", 4, 4),
        ("b", 6, 5),
    ]
    assert one.measures["mac_unit"] == pytest.approx(oracle.mac([x, y], [a, b]), abs=1e-6)
    assert one.measures["ect_raw_a"] == pytest.approx(oracle.ect(x, y, a), abs=1e-6)
    assert one.measures["rnd_raw_b"] == pytest.approx(oracle.rnd(x, y, b), abs=1e-6)
    unit = [unit_rows(np.array(rows, np.float32)).tolist() for rows in (x, y, b)]
    assert one.measures["rnd_unit_b"] == pytest.approx(oracle.rnd(*unit), abs=1e-6)
    assert one.measures["rnd_unit_b"] != pytest.approx(one.measures["rnd_raw_b"], abs=1e-3)
    assert {
        f"rnsb_{s}_newton_intercept_{i}" for s in ("raw", "unit") for i in ("free", "penalised")
    } < one.measures.keys()


def test_p_values_are_adjusted_for_the_tests_that_were_done(found: BiasReport) -> None:
    low, high = sorted(found.tests, key=lambda test: test.p_value)
    assert low.p_adjusted == pytest.approx(min(1, 2 * low.p_value))
    assert high.p_adjusted == pytest.approx(max(low.p_adjusted, high.p_value))


def test_what_cannot_be_measured_is_listed_with_the_reason(found: BiasReport) -> None:
    small, missing, none = found.skipped
    assert (small.test, missing.test, none.test) == ("small", "missing", "none")
    assert "2 and 6 words with vectors, and 6 are needed in each: with so few, no p below 0.036" in small.reason
    assert missing.reason.startswith("lost: 2 of 3 words have no vector")
    assert missing.missing == ["no1", "no2", "gone"]
    assert none.missing == ["gone/b1", "a2/a2"]
    assert [test.test for test in report(json.dumps(FILE).encode(), max_missing=0.7).tests] == [
        "one",
        "back",
        "missing",
    ]


def test_directions_are_measured_with_their_words(found: BiasReport) -> None:
    (way,) = found.directions
    pairs = [(a, b) for a, b in zip(A, B, strict=False)]
    unit = dict(zip(WORDS, unit_rows(RAW), strict=True))
    direction, explained = bias_direction(np.array([[unit[a], unit[b]] for a, b in pairs]))
    np.testing.assert_allclose(way.explained, explained[:5], atol=1e-7)
    x, lost = way.words
    assert x.direct_bias_unit == pytest.approx(direct_bias(np.array([unit[w] for w in X]), direction), abs=1e-7)
    expected = oracle.ripa([(plain(a)[0], plain(b)[0]) for a, b in pairs], plain(*X))
    assert x.ripa_raw == pytest.approx(expected, abs=1e-5)
    assert (lost.n, lost.n_used, lost.missing) == (3, 1, ["no1", "no2"])
    assert [(each.a, each.b) for each in way.indirect] == [("x1", "x2")]


def test_a_report_says_what_it_was_made_from(found: BiasReport) -> None:
    content = json.dumps(FILE).encode()
    assert (found.name, found.version, found.file) == ("own", 3, ORIGIN)
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.caveats == [*CAVEATS, SPREAD_UNKNOWN, EXPERIMENTAL]
    assert BiasReport.model_validate_json(found.model_dump_json()) == found
    assert report(content) == found
    with pytest.raises(EvaluationSetUnreadable):
        report(b"{}")


def test_other_trainings_give_a_test_its_spread() -> None:
    """Their effect sizes are kept with n-1; the spread is of those that were asked for."""
    content = json.dumps(FILE).encode()
    replicas = {hashlib.sha256(content).hexdigest(): {"one": [0.5, -0.25]}}
    one, back = report(content, replicas, deviation="n").tests
    sizes = [one.effect_size, 0.5 * (13 / 12) ** 0.5, -0.25 * (13 / 12) ** 0.5]
    assert one.seeds is not None
    expected = (3, min(sizes), max(sizes), float(np.std(sizes, ddof=1)))
    assert tuple(one.seeds.model_dump().values()) == pytest.approx(expected, abs=2e-8)
    assert back.seeds is None


def test_a_version_without_any_word_skips_everything() -> None:
    found = report(shipped_content("weat"))
    assert (found.tests, found.directions) == ([], [])
    assert [skipped.test for skipped in found.skipped] == [*(f"WEAT{n}" for n in range(1, 11)), "gender"]
    assert found.caveats == [*CAVEATS, SPREAD_UNKNOWN]
