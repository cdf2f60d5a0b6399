"""Every command that the documents show works, pasted a block at a time, and both languages show the same."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from rich.console import Console

from app.command.client import Client
from app.command.demo import SUBMISSION, build_corpus
from app.command.processes import Service, running
from app.core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = ("make ", "docker compose ", "POSTGRES_PASSWORD=")
"""Commands that are run by CI, by hand, or by an engine that is not here; what they name is checked."""
ADDRESS = "http://127.0.0.1:8000"
SAMPLE = "wordkin sample"
GUIDES = ("concepts", "transfer")
"""Beside the README, each in both languages."""
OPERATIONS = "operations"
"""Last: it closes the service to those without a key."""
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


def prose(name: str) -> str:
    return re.sub(r"```.*?```", "", (ROOT / name).read_text(), flags=re.S)


def headings(name: str) -> list[int]:
    return [len(level) for level in re.findall(r"^(#+) ", prose(name), re.M)]


def requests(name: str) -> list[str]:
    """What is shown with blanks before it: requests and files of which only the shape is meant."""
    return re.findall(r"^    .*$", prose(name), re.M)


def runnable(name: str) -> list[Block]:
    shown = [block for block in blocks(name) if block.language in {"sh", "python"}]
    return [block for block in shown if not block.text.startswith(ELSEWHERE)]


def run(block: Block, text: str, folder: Path, environment: dict[str, str]) -> None:
    """Run a block, `text` as it is for this service, as a reader would paste it."""
    program = ["bash", "-euo", "pipefail", "-c"] if block.language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*program, text], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{block.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(Settings(data_dir=tmp_path / "data", port=0)) as service:
        yield service


@pytest.fixture
def environment(service: Service, tmp_path: Path) -> dict[str, str]:
    """Of a reader who has activated the virtual environment, and whose curl fails where a page would only show it."""
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "curl").write_text(CURL.format(path=os.environ["PATH"]))
    (shims / "curl").chmod(0o755)
    path = f"{shims}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "WORDKIN_URL": service.url, "WORDKIN_DATA_DIR": str(tmp_path / "data")}


def part_of_the_corpus(folder: Path, chapters: slice, n_bytes: int | None = None) -> None:
    """Write less than the sample has, of each chapter `n_bytes`: only that the commands work is asked."""
    build_corpus(folder / "bible.txt")
    lines = (folder / "bible.txt").read_bytes().splitlines(keepends=True)
    (folder / "bible.txt").write_bytes(b"\n".join(line.strip()[:n_bytes] for line in lines[chapters]) + b"\n")


@pytest.mark.timeout(600)
def test_the_commands_of_the_readme_work_one_block_after_the_other(
    service: Service, environment: dict[str, str], tmp_path: Path
) -> None:
    """With the beginnings of the chapters of one of the corpus's two translations."""
    part_of_the_corpus(tmp_path, slice(1189), n_bytes=1500)
    for block in runnable("README.md"):
        text = block.text.replace(SAMPLE, "true").replace(ADDRESS, service.url)
        run(block, text.replace("JOB_ID", newest_job(service)), tmp_path, environment)


@pytest.mark.timeout(600)
def test_the_commands_of_the_guides_work_beside_a_demo(
    service: Service, environment: dict[str, str], tmp_path: Path
) -> None:
    """Concepts first, operations last; with every tenth chapter."""
    part_of_the_corpus(tmp_path, slice(None, None, 10))
    client = Client(service.url)
    client.upload("bible", tmp_path / "bible.txt")
    job = client.submit(SUBMISSION)
    assert client.follow(job["id"], Console(quiet=True))["state"] == "succeeded"
    for block in (block for name in (*GUIDES, OPERATIONS) for block in runnable(f"docs/{name}.md")):
        if "import torch" in block.text and importlib.util.find_spec("torch") is None:
            continue
        run(block, block.text.replace(SAMPLE, "true").replace(ADDRESS, service.url), tmp_path, environment)


def test_the_sample_that_blocks_begin_with_is_the_whole_corpus(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "wordkin"
    subprocess.run([program, *SAMPLE.split()[1:]], cwd=tmp_path, check=True, capture_output=True)
    assert len((tmp_path / "bible.txt").read_bytes().splitlines()) == 2 * 1189


def newest_job(service: Service) -> str:
    found = httpx.get(f"{service.url}/jobs", params={"limit": 1}, timeout=60).json()["jobs"]
    return str(found[0]["id"]) if found else "JOB_ID"


def test_commands_that_are_run_elsewhere_name_what_there_is() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for block in blocks("README.md") + blocks(f"docs/{OPERATIONS}.md"):
        if block.language == "sh" and block.text.startswith(ELSEWHERE):
            assert set(re.findall(r"\bmake ([a-z-]+)", block.text)) <= targets
            assert "docker compose" not in block.text or (ROOT / "docker-compose.yml").exists()


def test_no_command_needs_a_newer_curl_than_systems_have() -> None:
    for name in ("README.md", "README.ko.md", f"docs/{OPERATIONS}.md"):
        for block in blocks(name):
            newer = re.search(r"curl .*--(json|fail-with-body|url-query)\b", block.text.replace("\\\n", " "))
            assert newer is None, block.text


@pytest.mark.parametrize("name", ["README", "docs/bias", *(f"docs/{guide}" for guide in (*GUIDES, OPERATIONS))])
def test_both_languages_have_the_same_sections_and_commands(name: str) -> None:
    assert headings(f"{name}.ko.md") == headings(f"{name}.md")
    assert requests(f"{name}.ko.md") == requests(f"{name}.md")
    english, korean = blocks(f"{name}.md"), blocks(f"{name}.ko.md")
    assert [block.language for block in korean] == [block.language for block in english]
    for ours, theirs in zip(english, korean, strict=True):
        if ours.language in {"sh", "python"}:
            assert commands(theirs.text) == commands(ours.text)
