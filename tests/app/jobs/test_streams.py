"""A caller has room for some event streams, which others do not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs import streams
from tests.keyed import bearer, make_key
from tests.published import World, wait_until


def test_streams_beyond_those_of_a_caller_or_of_all_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_STREAMS", 2)
    monkeypatch.setattr(streams, "MAX_STREAMS_OF_ONE", 1)
    world = World(tmp_path)
    first, second, third = (bearer(make_key(world.database, "train")) for _ in range(3))
    with world.served() as http:
        http.put("/corpora/c", content=b"a b c\n", headers=first)
        job = {"model": "m", "corpus": "c", "algorithm": "glove"}
        events = f"{http.post('/jobs', json=job, headers=first).headers['Location']}/events"
        with http.stream("GET", events, headers=first) as mine, http.stream("GET", events, headers=second) as theirs:
            assert (mine.status_code, theirs.status_code) == (200, 200)
            for headers in (first, third):
                refused = http.get(events, headers=headers)
                assert (refused.status_code, refused.json()["type"]) == (503, "/problems/streams-busy")
                assert refused.headers["Retry-After"] == "5"
        wait_until(lambda: not streams._open)
        with http.stream("GET", events, headers=first) as again:
            assert again.status_code == 200
    world.close()
