"""Jobs, corpora and models: listed, shown and changed by the command line."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.app.command.conftest import Wordkin


@pytest.fixture
def job_id(service: httpx.Client) -> str:
    """A queued job; no trainer runs."""
    assert service.put("/corpora/한국어", content="하나 둘 셋\n" * 9).status_code == 201
    body = {"model": "first", "corpus": "한국어", "algorithm": "word2vec", "hyperparameters": {"dim": 8}}
    job: str = service.post("/jobs", json=body).json()["id"]
    return job


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_jobs_are_listed_shown_cancelled_and_deleted(ask: Wordkin, job_id: str) -> None:
    heading, row, *others = lines(ask("jobs", "list").stdout)
    assert {other[1] for other in others} == {"succeeded"}
    assert heading == ["id", "state", "model", "done", "version", "created"]
    assert row[:4] == [job_id, "queued", "first", "0%"]
    newest = json.loads(ask("jobs", "list", "--limit", "1", "--json").stdout)["jobs"]
    assert [job["id"] for job in newest] == [job_id]
    assert ask("jobs", "list", "--state", "failed").stderr == "There is no job.\n"
    assert "corpus: 한국어\n" in ask("jobs", "show", job_id).stdout
    assert ask("jobs", "cancel", job_id).stdout == "It is cancelled.\n"
    followed = ask("jobs", "follow", job_id)
    assert (followed.returncode, followed.stderr.splitlines()[-1]) == (1, "error: The job was cancelled.")
    assert ask("jobs", "delete", job_id, "--yes").returncode == 0
    assert ask("jobs", "show", job_id).stderr == f"error: Job not found: There is no job '{job_id}'.\n"


def test_corpora_are_listed_previewed_and_deleted(ask: Wordkin, job_id: str, service: httpx.Client) -> None:
    service.put("/corpora/한국어", content="넷 다섯\n")
    heading, row = lines(ask("corpora", "list").stdout)
    assert (heading[:4], row[:6]) == (["name", "revision", "lines", "words"], ["한국어", "2", "1", "2", "11", "B"])
    assert [row[1] for row in lines(ask("corpora", "show", "한국어").stdout)] == ["revision", "2", "1"]
    assert ask("corpora", "preview", "한국어").stdout == "넷 다섯\n"
    single = '{"kind": "character-ngrams", "n": 1}'
    assert ask("corpora", "preview", "한국어", "--tokenizer", single).stdout == "넷 다 섯\n"
    wrong = ask("corpora", "preview", "한국어", "--format", "csv")
    assert (wrong.returncode, "--format csv: which column has the text?" in wrong.stderr) == (2, True)
    service.put("/corpora/baskets", content=b"a b;c\n")
    items = ask("corpora", "preview", "baskets", "--format", "tokens", "--separator", ";", "--json")
    assert json.loads(items.stdout)["lines"] == [["a b", "c"]]
    service.delete("/corpora/baskets")
    assert ask("corpora", "delete", "한국어", "--yes").stderr.startswith("error: Corpus in use: ")
    ask("jobs", "cancel", job_id)
    refused = ask("corpora", "delete", "한국어")
    assert (refused.returncode, "[y/N]" in refused.stderr) == (1, True)
    assert ask("corpora", "delete", "한국어", "--revision", "1", "--yes").returncode == 0
    assert ask("corpora", "delete", "한국어", "--yes").returncode == 0
    assert ask("corpora", "list").stderr == "There is no corpus.\n"
    assert ask("corpora", "show", "a#b?").stderr.startswith("error: Invalid request: name: ")


def test_models_are_listed_and_rolled_back(ask: Wordkin) -> None:
    heading, first, second = lines(ask("models", "list").stdout)
    assert heading == ["model", "aliases", "newest", "loaded", "size"]
    assert (first[:5], second[:5]) == (["first", "latest", "→", "2", "2"], ["second", "latest", "→", "1", "1"])
    assert "aliases: latest → 2\n" in ask("models", "show", "first").stdout
    assert ask("models", "rollback", "first").stdout == "first@latest is version 1 now.\n"
    assert ask("models", "rollback", "first", "--to", "2").stdout == "first@latest is version 2 now.\n"
    refused = ask("models", "rollback", "second")
    assert (refused.returncode, refused.stderr) == (
        2,
        "error: second@latest has always been version 1; say where with --to.\n",
    )
    assert json.loads(ask("neighbors", "king", "--model", "first", "--json").stdout)["version"] == 2


def test_a_model_says_what_it_is_for_and_its_card_repeats_it(ask: Wordkin) -> None:
    assert ask("models", "about", "first", "--licence", "CC0").stdout == "licence: CC0\n"
    assert "\n## Licence\n\nCC0\n" in ask("models", "card", "first@1").stdout
    assert json.loads(ask("models", "card", "first@1", "--json").stdout)["about"]["licence"] == "CC0"
    assert ask("models", "about", "first", "--licence", "").stdout == ""
    assert ask("models", "about", "first").returncode == 2


def test_aliases_are_made_and_moved_and_all_is_deleted(ask: Wordkin) -> None:
    assert ask("models", "alias", "first", "staging", "1").stdout == "first@staging is version 1 now.\n"
    moved = json.loads(ask("models", "alias", "first", "staging", "2", "--json").stdout)
    assert (moved["alias"], moved["version"], moved["revision"]) == ("staging", 2, 2)
    assert ask("models", "alias", "frist", "staging", "1").stderr.startswith("error: Model not found: ")
    assert ask("models", "delete", "first", "--version", "2", "--yes").returncode == 1
    assert ask("models", "delete", "first", "--version", "1", "--yes").returncode == 0
    assert ask("models", "delete", "first", "--alias", "staging", "--yes").returncode == 0
    assert ask("models", "delete", "first", "--yes").returncode == 0
    assert [row[0] for row in lines(ask("models", "list").stdout)] == ["model", "second"]
