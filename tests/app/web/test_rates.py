"""Who asks too often is refused, and told when to ask again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app.core.settings import Settings
from app.main import create_app
from app.web import rates
from tests.keyed import bearer, make_key
from tests.published import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, rate_limit="3/hour;100/day")
    yield world
    world.close()


def test_each_key_and_each_address_has_a_count_of_its_own(world: World) -> None:
    first, second = (bearer(make_key(world.database, "read")) for _ in range(2))
    wrong = bearer("wk_nothing")
    with TestClient(create_app(world.settings), "http://127.0.0.1") as client:
        client.app.state.keyring.refresh()  # type: ignore[attr-defined] # an ASGI application in general
        answers = [client.get("/models", headers=first) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        policies = {answer.headers["RateLimit-Policy"] for answer in answers}
        assert policies == {'"3600s";q=3;w=3600, "86400s";q=100;w=86400'}
        left = [answer.headers["RateLimit"].split(";")[1] for answer in answers]
        assert left == ["r=2", "r=1", "r=0", "r=0"]
        assert answers[3].json()["type"] == "/problems/rate-exceeded"
        assert 0 < int(answers[3].headers["Retry-After"]) <= 7200
        assert client.head("/models", headers=first).content == b""
        assert client.get("/models", headers=second).status_code == 200
        without = [client.get("/models", headers=headers).status_code for headers in (None, wrong, wrong, None, wrong)]
        assert without == [401, 401, 401, 429, 429]
        assert client.get("/livez", headers=first).status_code == 200


def test_a_customer_has_one_count_whatever_address_of_theirs_they_use() -> None:
    networks = {rates._network(f"2001:db8:1:2:{i}::1") for i in range(5)}
    assert networks == {"2001:db8:1:2::/64"}
    assert rates._network("2001:db8:1:3::1") == "2001:db8:1:3::/64"
    assert (rates._network("192.0.2.1"), rates._network("testclient")) == ("192.0.2.1", "testclient")


def test_a_limit_that_means_nothing_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="WORDKIN_RATE_LIMIT: 'often' is no limit"):
        Settings(rate_limit="often")
