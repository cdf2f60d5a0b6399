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

from tests.published import wait_until

Line = dict[str, Any]


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
