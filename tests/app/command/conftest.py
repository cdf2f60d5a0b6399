"""The command line, and a service for it to ask."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import httpx
import pytest

from app.command import cli
from tests.published import World, random_vectors

WORDS = ["king", "queen", "man", "woman"]
Ran = subprocess.CompletedProcess[str]
Wordkin = Callable[..., Ran]


def wordkin(*words: str, url: str = "", cwd: Path | None = None) -> Ran:
    """Run a command as a process of its own."""
    code = "import sys; from app.command.cli import main; sys.argv[0] = 'wordkin'; main()"
    environment = {**os.environ, **({"WORDKIN_URL": url} if url else {})}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=cwd)


def typed(*words: str, url: str, cwd: Path | None = None) -> Ran:
    """The same in this process, which has imported what a process of its own must import first."""
    out, err = io.BytesIO(), io.BytesIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.TextIOWrapper(out, encoding="utf-8", write_through=True)),
        redirect_stderr(io.TextIOWrapper(err, encoding="utf-8", write_through=True)),
    ):
        patch.setattr(sys, "argv", ["wordkin", *words])
        patch.setattr(sys, "stdin", io.StringIO())
        patch.setenv("WORDKIN_URL", url)
        if cwd:
            patch.chdir(cwd)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = [out.getvalue().decode(), err.getvalue().decode()]
    return Ran(words, int(ended.value.code or 0), *told)


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
        return typed(*words, url=str(service.base_url), cwd=cwd)

    return run
