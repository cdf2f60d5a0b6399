"""A corpus to train on, and a job that does."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

BODY: dict[str, Any] = {"model": "m", "corpus": "c", "algorithm": "word2vec", "hyperparameters": {"dim": 64}}


@pytest.fixture
def corpus(client: TestClient) -> None:
    assert client.put("/corpora/c", content=b"one two three\n").status_code == 201
