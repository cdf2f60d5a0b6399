"""What the API says while it starts: each thing once, and every line as JSON."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.published import wait_until

Line = dict[str, Any]


@pytest.fixture(autouse=True)
def no_variable_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORDKIN_REQUIRE_ALL", raising=False)


def read_until(stream: IO[str], action: str) -> list[Line]:
    """Lines up to the first of this action."""
    lines: list[Line] = []
    for line in stream:
        lines.append(json.loads(line))
        if lines[-1].get("action") == action:
            return lines
    raise AssertionError(f"no line with {action}: {lines}")


def test_an_api_without_a_schema_says_once_what_it_is_told_and_lacks(tmp_path: Path) -> None:
    """The database is looked at a hundred times a second, and was never migrated."""
    settings = {"DATA_DIR": str(tmp_path), "PORT": "0", "LOG_JSON": "true", "REGISTRY_POLL_SECONDS": "0.01"}
    environment = os.environ | {f"WORDKIN_{name}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "app"], env=environment | {"WORDKIN_DATAA_DIR": "x"}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    try:
        lines = read_until(process.stderr, "listening")
        address = lines[-1]["address"]
        assert (lines[-1]["console"], lines[-1]["docs"]) == (f"{address}/console", f"{address}/docs")
        wait_until(lambda: httpx.get(f"{address}/readyz").json()["database"] == "down")
        parts = urlsplit(address)
        with socket.create_connection((str(parts.hostname), parts.port or 0)) as wrong:
            wrong.sendall(b"this is no request\r\n\r\n")
            assert wrong.recv(100).startswith(b"HTTP/1.1 400 ")
    finally:
        process.terminate()
        rest = process.communicate(timeout=30)[1]
    lines += [json.loads(line) for line in rest.splitlines()]
    of_action = {action: [line for line in lines if line.get("action") == action] for action in map(action_of, lines)}
    assert len(of_action["listening"]) == 1
    assert [line["reason"] for line in of_action["registry_poll_failed"]] == [
        "The database has not the newest schema; run: wordkin migrate"
    ]
    assert [(line["variable"], line["hint"]) for line in of_action["setting_unknown"]] == [
        ("WORDKIN_DATAA_DIR", "did you mean WORDKIN_DATA_DIR?")
    ]
    assert {"event": "Invalid HTTP request received.", "level": "warning", "logger": "uvicorn.error"}.items() <= next(
        line for line in lines if "logger" in line
    ).items()


def action_of(line: Line) -> str | None:
    return line.get("action")


@pytest.mark.parametrize("module", ["app", "trainer"])
def test_a_storage_that_cannot_be_opened_ends_the_process_with_the_reason(module: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    environment |= {"WORDKIN_DATA_DIR": str(tmp_path), "WORDKIN_STORAGE_URL": "az://container/x"}
    process = subprocess.Popen([sys.executable, "-m", module], env=environment, stderr=subprocess.PIPE, text=True)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert told.startswith("error: The storage cannot be used: ")
    assert "AZURE_STORAGE_ACCOUNT_NAME" in told


def test_a_storage_that_refuses_is_said_at_the_start(tmp_path: Path) -> None:
    """Nothing listens at this address; the API starts all the same, as what is loaded needs no storage."""
    settings = {"DATA_DIR": str(tmp_path), "PORT": "0", "LOG_JSON": "true", "STORAGE_URL": "s3://bucket/x"}
    environment = os.environ | {f"WORDKIN_{name}": value for name, value in settings.items()}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    environment = {name: value for name, value in environment.items() if name != "AWS_ALLOW_HTTP"} | keys
    process = subprocess.Popen([sys.executable, "-m", "app"], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        refused = read_until(process.stderr, "storage_refused")[-1]
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert "AWS_ALLOW_HTTP" in refused["reason"].partition("(not set: ")[2]
