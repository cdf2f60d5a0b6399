"""The API in this process, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.core.settings import Settings
from app.main import create_app


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path / "data", database_url=database_url, max_corpus_bytes=1 << 20, registry_poll_seconds=0.05
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), "http://127.0.0.1", raise_server_exceptions=False) as client:
        client.app.state.registry.refresh()  # type: ignore[attr-defined] # the first one runs in the background
        client.app.state.keyring.refresh()  # type: ignore[attr-defined] # likewise
        yield client
