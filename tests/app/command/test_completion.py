"""What Tab offers, as a shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest


def offered(words: str, url: str = "http://127.0.0.1:9") -> list[str]:
    """Bash's own question, for the last of the words."""
    code = "import sys; from app.command.cli import main; sys.argv[0] = 'wordkin'; main()"
    asked = {"_WORDKIN_COMPLETE": "complete_bash", "COMP_WORDS": f"wordkin {words}", "WORDKIN_URL": url}
    asked["COMP_CWORD"] = str(len(words.split(" ")))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | asked
    )
    return done.stdout.split()


def known(words: str, url: str) -> list[str]:
    """What is offered by a service that answers in time, which a busy machine's may not do at first."""
    return next((found for _ in range(10) if (found := offered(words, url))), [])


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("train x --algorithm ", ["word2vec", "glove", "fasttext"]),
        ("train x --algorithm g", ["glove"]),
        ("train x --preset q", ["quality"]),
        ("train x --set ep", ["epochs="]),
        ("train x --algorithm glove --set x", ["x_max="]),
        ("train x --set architecture=", ["architecture=skip-gram", "architecture=cbow"]),
        ("train x --set shrink_windows=t", ["shrink_windows=true"]),
        ("train x --set dim=", []),
        ("neighbors x --model ", []),
    ],
)
def test_values_are_completed_without_a_service(words: str, values: list[str]) -> None:
    assert offered(words) == values


def test_names_are_asked_of_the_service(service: httpx.Client) -> None:
    service.put("/corpora/bible", content="in the beginning\n")
    url = str(service.base_url)
    assert known("neighbors x --model ", url) == ["first", "second"]
    assert known("neighbors x --model first --version ", url) == ["latest", "2", "1"]
    assert known("models show s", url) == ["second"]
    assert known("models alias first l", url) == ["latest"]
    assert known("corpora show b", url) == ["bible"]
    assert known("jobs show ", url) == [job["id"] for job in service.get("/jobs").json()["jobs"]]
