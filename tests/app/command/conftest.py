"""The command line as a process of its own, and a service for it to ask."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.published import World, random_vectors

WORDS = ["king", "queen", "man", "woman"]
Ran = subprocess.CompletedProcess[str]
Wordkin = Callable[..., Ran]


def wordkin(*words: str, url: str = "", cwd: Path | None = None) -> Ran:
    code = "import sys; from app.command.cli import main; sys.argv[0] = 'wordkin'; main()"
    environment = {**os.environ, **({"WORDKIN_URL": url} if url else {})}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=cwd)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two versions of the model `first`, one of `second`."""
    world = World(tmp_path / "world")
    for model in ("first", "first", "second"):
        world.publish(model, WORDS, random_vectors(4, 6))
    yield world
    world.close()


@pytest.fixture
def service(world: World) -> Iterator[httpx.Client]:
    with world.served() as client:
        yield client


@pytest.fixture
def ask(service: httpx.Client) -> Wordkin:
    """Run a command that asks the service."""

    def run(*words: str, cwd: Path | None = None) -> Ran:
        return wordkin(*words, url=str(service.base_url), cwd=cwd)

    return run
