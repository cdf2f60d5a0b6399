"""Every command that the documents show works, pasted a block at a time, and both languages show the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from app.command.processes import Service, running
from app.core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = ("make ", "docker compose ", "POSTGRES_PASSWORD=")
"""Commands that are run by CI, by hand, or by an engine that is not here; what they name is checked."""
CURL = """#!/bin/sh
exec /usr/bin/env -i PATH="{path}" curl --fail --silent --show-error "$@"
"""


class Block(NamedTuple):
    language: str
    text: str


def blocks(name: str) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / name).read_text(), re.M | re.S)
    return [Block(*block) for block in found]


def commands(text: str) -> list[str]:
    """Without comments and blank lines."""
    lines = (re.sub(r"(^|\s+)#.*$", "", line) for line in text.splitlines())
    return [line for line in lines if line.strip()]


def headings(name: str) -> list[int]:
    prose = re.sub(r"```.*?```", "", (ROOT / name).read_text(), flags=re.S)
    return [len(level) for level in re.findall(r"^(#+) ", prose, re.M)]


def runnable(name: str) -> list[Block]:
    shown = [block for block in blocks(name) if block.language in {"sh", "python"}]
    return [block for block in shown if not block.text.startswith(ELSEWHERE)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(Settings(data_dir=tmp_path / "data", port=0)) as service:
        yield service


def test_the_commands_of_the_readme_work_one_block_after_the_other(service: Service, tmp_path: Path) -> None:
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "curl").write_text(CURL.format(path=os.environ["PATH"]))
    (shims / "curl").chmod(0o755)
    path = f"{shims}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "WORDKIN_URL": service.url}
    for block in runnable("README.md"):
        text = block.text.replace("http://127.0.0.1:8000", service.url).replace("JOB_ID", newest_job(service))
        program = ["bash", "-euo", "pipefail", "-c"] if block.language == "sh" else [sys.executable, "-c"]
        done = subprocess.run(
            [*program, text], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def newest_job(service: Service) -> str:
    found = httpx.get(f"{service.url}/jobs", params={"limit": 1}).json()["jobs"]
    return str(found[0]["id"]) if found else "JOB_ID"


def test_commands_that_are_run_elsewhere_name_what_there_is() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for block in blocks("README.md"):
        if block.language == "sh" and block.text.startswith(ELSEWHERE):
            assert set(re.findall(r"\bmake ([a-z-]+)", block.text)) <= targets
            assert "docker compose" not in block.text or (ROOT / "docker-compose.yml").exists()


def test_no_command_needs_a_newer_curl_than_systems_have() -> None:
    for name in ("README.md", "README.ko.md"):
        for block in blocks(name):
            newer = re.search(r"curl .*--(json|fail-with-body|url-query)\b", block.text.replace("\\\n", " "))
            assert newer is None, block.text


def test_both_languages_have_the_same_sections_and_commands() -> None:
    assert headings("README.ko.md") == headings("README.md")
    english, korean = blocks("README.md"), blocks("README.ko.md")
    assert [block.language for block in korean] == [block.language for block in english]
    for ours, theirs in zip(english, korean, strict=True):
        if ours.language in {"sh", "python"}:
            assert commands(theirs.text) == commands(ours.text)
