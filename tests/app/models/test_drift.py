"""Drift between two versions over HTTP: planted changes, one word, both floors, and wrong questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from app.core.evaluation.drift.floor import FLOOR_METRIC, floor_of_replicas
from app.core.table.vocabulary import Vocabulary
from app.models.drift import comparison
from benchmarks.world import add_version
from tests.app.core.evaluation.drift.planted import CHANGED, SWAPPED, WORDS, N, counts_of, learned, space
from tests.published import FloatArray, World, provenance
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore

KEPT = N - 40
"""Words of version 2, the most frequent ones of the others, and one of its own."""
NEW = [*WORDS[:KEPT], "brandnew"]
Json = dict[str, Any]


def add(
    world: World, model: str, words: list[str], vectors: FloatArray, *, known: bool = True, floor: Json | None = None
) -> None:
    """Publish a version with the counts of `planted`."""
    folder = world.folder / f"{model}-{len(list(world.folder.iterdir()))}"
    folder.mkdir()
    told = provenance()
    written = publish(
        folder,
        Vocabulary.from_words(words, counts_of(len(words))),
        {"vectors": vectors.copy()},
        provenance=Provenance(told.origin, told.text, counts_known=known),
        threads=2,
        report=ignore,
        measure=lambda _: {FLOOR_METRIC: floor} if floor else {},
    )
    add_version(world.database, world.storage, model, folder, written)


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of `m`, 2 has other dimensions and swapped words, 3 is a turned copy of 1; `replicas` 2 has a measured floor."""
    world = World(tmp_path_factory.mktemp("drift"))
    first, second = learned(1), learned(2, dim=40, pairs=SWAPPED)
    add(world, "m", WORDS, first)
    add(world, "m", NEW, np.ascontiguousarray(second[: KEPT + 1]))
    add(world, "m", WORDS, np.ascontiguousarray(first[:, ::-1]))
    world.move("m", "old", 1)
    floor = floor_of_replicas(space(learned(5)), space(learned(6)))
    add(world, "replicas", WORDS, first)
    add(world, "replicas", WORDS, learned(2, pairs=SWAPPED), floor=floor)
    add(world, "imported", WORDS, first, known=False)
    add(world, "imported", WORDS, second, known=False)
    with world.served() as client:
        yield client
    world.close()


def get(http: httpx.Client, first: object, second: object, model: str, others: Json) -> httpx.Response:
    asked = {"from": first, "to": second, **others}
    return http.get(f"/models/{model}/drift", params={name: str(value) for name, value in asked.items() if value})


def ask(http: httpx.Client, first: object, second: object = None, model: str = "m", **others: Any) -> Json:
    response = get(http, first, second, model, others)
    assert response.status_code == 200, response.text
    body: Json = response.json()
    return body


def problem(
    http: httpx.Client, status: int, first: object, second: object = None, model: str = "m", **others: Any
) -> Json:
    response = get(http, first, second, model, others)
    assert response.status_code == status, response.text
    body: Json = response.json()
    return body


def test_the_words_that_changed_most_come_first(http: httpx.Client) -> None:
    report = ask(http, "old", 2, n=30)
    assert {name: report[name] for name in ("model", "from", "to", "floor", "overlap_floor")} == {
        "model": "m",
        "from": 1,
        "to": 2,
        "floor": "estimated",
        "overlap_floor": None,
    }
    assert (report["n_shared"], report["n_added"], report["n_removed"], report["n_considered"]) == (KEPT, 1, 40, KEPT)
    assert {word["word"] for word in report["words"][: len(CHANGED)]} == CHANGED
    z = [word["z"] for word in report["words"]]
    assert z == sorted(z, reverse=True)
    assert len(CHANGED) <= report["n_changed"] < 120
    assert 0.7 < report["overlap_at_10"] < 0.95


def test_a_word_s_old_and_new_neighbors_are_told(http: httpx.Client) -> None:
    a, _ = SWAPPED[0]
    (told,) = ask(http, 1, 2, word=f"w{a}")["words"]
    for version, name in ((1, "neighbors_from"), (2, "neighbors_to")):
        near = http.get("/neighbors", params={"model": "m", "version": version, "word": f"w{a}", "k": 10}).json()
        assert told[name] == near["neighbors"]
    before, after = ({near["word"] for near in told[name]} for name in ("neighbors_from", "neighbors_to"))
    assert (set(told["gained"]), set(told["lost"])) == (after - before, before - after)
    assert told["overlap_at_10"] == len(before & after) / 10 < 0.2
    assert {int(word[1:]) % 50 for word in before} == {a % 50}
    assert told["q"] < 0.01
    assert (told["count_from"], told["count_to"], told["rank_from"], told["rank_to"]) == (counts_of(N)[a],) * 2 + (
        a + 1,
    ) * 2
    most = {word["word"]: word for word in ask(http, 1, 2, n=30)["words"]}
    assert most[f"w{a}"] == told


def test_a_word_that_is_not_considered_is_told_without_a_q(http: httpx.Client) -> None:
    report = ask(http, 1, 2, word="w900", max_words=500, floor="estimated")
    (told,) = report["words"]
    assert (report["n_considered"], told["word"], told["q"]) == (500, "w900", None)
    (whole,) = ask(http, 1, 2, word="w900")["words"]
    assert (told["likeness"], told["overlap_at_10"]) == (whole["likeness"], whole["overlap_at_10"])
    assert told["shift"] == pytest.approx(whole["shift"], abs=0.01)


def test_a_turned_copy_has_not_changed(http: httpx.Client) -> None:
    report = ask(http, 1, 3)
    assert (report["n_changed"], report["overlap_at_10"]) == (0, 1.0)
    assert {(word["aligned"], word["likeness"], word["shift"]) for word in report["words"]} == {(1.0, 1.0, 0.0)}
    assert all(not word["gained"] and not word["lost"] for word in report["words"])


def test_a_floor_of_replicas_is_used_where_there_is_one(http: httpx.Client) -> None:
    report = ask(http, 1, model="replicas", n=16)
    assert (report["to"], report["floor"]) == (2, "replicas")
    assert {word["word"] for word in report["words"]} == CHANGED
    assert report["overlap_floor"] == pytest.approx(report["overlap_at_10"], abs=0.05)
    assert ask(http, 2, 1, model="replicas")["floor"] == "replicas"
    assert ask(http, 1, model="replicas", floor="estimated")["floor"] == "estimated"
    refused = problem(http, 422, 1, 2, floor="replicas")
    assert refused["detail"] == "Neither version has a floor that was measured with replicas."


def test_where_counts_are_not_known_ranks_decide(http: httpx.Client) -> None:
    report = ask(http, 1, 2, model="imported", min_count=99_999, n=16)
    assert (report["n_considered"], report["floor"]) == (N, "estimated")
    assert {word["word"] for word in report["words"]} == CHANGED
    assert {(word["count_from"], word["count_to"]) for word in report["words"]} == {(None, None)}


def test_fewer_words_are_considered(http: httpx.Client) -> None:
    assert ask(http, 1, 2, max_words=300)["n_considered"] == 300
    assert ask(http, 1, 2, min_count=260)["n_considered"] == 500
    refused = problem(http, 422, 1, 2, min_count=1_000_000)
    assert refused["detail"].startswith(f"None of the {KEPT} words that both versions have is among")


def test_answers_are_the_same_from_the_kept_comparison(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison._kept.clear()
    asked = {"from": 2, "to": 1}
    first = http.get("/models/m/drift", params=asked)
    monkeypatch.setattr(comparison, "_compare", None)  # whatever calls it fails
    assert http.get("/models/m/drift", params=asked).content == first.content
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert http.get("/models/m/drift", params={"from": 2, "to": "old"}).headers["cache-control"] == "no-cache"
    monkeypatch.undo()
    for max_words in range(100, 100 + 2 * comparison.MAX_KEPT):
        ask(http, 1, 2, max_words=max_words)
    assert len(comparison._kept) == comparison.MAX_KEPT


def test_wrong_questions(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem(http, 422, "old", "1")["detail"] == "from and to are both version 1."
    assert problem(http, 404, "gone", 2)["type"] == "/problems/version-not-found"
    assert problem(http, 404, 1, 9)["type"] == "/problems/version-not-found"
    assert problem(http, 404, 1, 2, model="none")["type"] == "/problems/model-not-found"
    problem(http, 422, None, 2)
    problem(http, 422, 1, 2, n=201)
    lacking = problem(http, 404, 1, 2, word="w999")
    assert lacking["detail"] == "The vocabulary of 'm' version 2 does not have 'w999'."
    assert problem(http, 404, 1, 2, word="brandnew")["missing"] == ["brandnew"]
    assert "w100" in problem(http, 404, 1, 2, word="v100")["suggestions"]["v100"]
    problem(http, 422, 1, 2, word="two words")
    with monkeypatch.context() as patched:
        patched.setattr(comparison, "_slots", threading.BoundedSemaphore(0))
        assert problem(http, 429, 1, 2)["type"] == "/problems/overloaded"
    monkeypatch.setattr(comparison, "MOST_WORDS", N - 1)
    too_large = problem(http, 422, 1, 2, max_words=77)
    assert (too_large["limit"], too_large["detail"][:25]) == (N - 1, "Version 1 has 1,000 words")
