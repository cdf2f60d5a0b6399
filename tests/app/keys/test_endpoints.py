"""Keys over HTTP, and what is written down of their use; on both databases."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.core.access import keys
from app.core.database import Database
from app.core.records import ApiKey, AuditEntry
from app.core.settings import Settings
from app.serving.keyring import Keyring
from tests.keyed import bearer


@pytest.fixture
def admin(client: TestClient) -> dict[str, str]:
    return bearer(client.post("/keys", json={"name": "admin", "scope": "admin"}).json()["token"])


def audit(client: TestClient, admin: dict[str, str]) -> list[tuple[str, str, str, int | None]]:
    entries = client.get("/audit", headers=admin).json()["entries"]
    return [(each["key_name"], each["method"], each["path"], each["status"]) for each in entries]


def test_a_key_is_made_shown_once_listed_and_revoked(client: TestClient, admin: dict[str, str]) -> None:
    wanted = {"name": "shop", "scope": "train", "grants": ["shop-*"], "days": 30}
    made = client.post("/keys", json=wanted, headers=admin)
    assert made.status_code == 201
    key = made.json()
    assert keys.TOKEN.fullmatch(key["token"].encode())
    assert key["token"].split("_")[1] == key["id"]
    listed = client.get("/keys", headers=admin).json()["keys"]
    assert [each["name"] for each in listed] == ["shop", "admin"]
    del key["token"]
    assert listed[0] == key
    assert (key["scope"], key["grants"], key["revoked_at"]) == ("train", ["shop-*"], None)
    ended = client.delete(f"/keys/{key['id']}", headers=admin).json()
    assert ended["revoked_at"] is not None
    assert client.delete(f"/keys/{key['id']}", headers=admin).json() == ended
    assert client.delete("/keys/none", headers=admin).json()["type"] == "/problems/key-not-found"


def test_only_a_digest_is_stored(client: TestClient, admin: dict[str, str], settings: Settings) -> None:
    token = admin["Authorization"].removeprefix("Bearer ")
    with Database(settings.database).reading() as session:
        stored = session.get_one(ApiKey, token.split("_")[1])
        secret = keys.secret_of(session, "")
    assert len(secret) == 64
    assert stored.digest == keys.digest(secret, token.encode()).hex()
    assert token.split("_")[2] not in str(vars(stored))


def test_a_key_that_means_nothing_is_refused(client: TestClient, admin: dict[str, str]) -> None:
    wrong: list[dict[str, object]] = [
        {"scope": "root"},
        {"grants": []},
        {"grants": ["a/b"]},
        {"grants": ["("]},
        {"days": 0},
        {"token": "x"},
        {"name": ""},
    ]
    for said in wrong:
        assert client.post("/keys", json={"name": "x", **said}, headers=admin).status_code == 422, said


def test_a_rotated_key_stays_good_for_a_while(client: TestClient, admin: dict[str, str]) -> None:
    old = client.post("/keys", json={"name": "shop", "scope": "train", "grants": ["a"]}, headers=admin).json()
    new = client.post(f"/keys/{old['id']}/rotate", json={"overlap_hours": 1}, headers=admin).json()
    assert {name: new[name] for name in ("name", "scope", "grants")} == {
        "name": "shop",
        "scope": "train",
        "grants": ["a"],
    }
    for each in (old, new):
        assert client.get("/models", headers=bearer(each["token"])).status_code == 200
    again = client.post(f"/keys/{new['id']}/rotate", json={"overlap_hours": 0}, headers=admin)
    assert again.status_code == 201
    assert client.get("/models", headers=bearer(new["token"])).status_code == 401
    assert client.post(f"/keys/{new['id']}/rotate", json={}, headers=admin).status_code == 404


def test_another_process_knows_a_revoked_key_no_more_after_its_next_look(
    client: TestClient, admin: dict[str, str], settings: Settings
) -> None:
    header = admin["Authorization"].encode()
    other = Keyring(Database(settings.database), settings)
    other.refresh()
    caller = other.known(header)
    assert caller is not None
    assert caller.sees("m")
    client.delete(f"/keys/{caller.key_id}", headers=admin)
    other.refresh()
    assert other.known(header) is None
    assert not caller.sees("m"), "an answer that is being given ends, too"


def test_everything_but_reading_is_written_down_with_its_outcome(client: TestClient, admin: dict[str, str]) -> None:
    train = bearer(client.post("/keys", json={"name": "nightly", "scope": "train"}, headers=admin).json()["token"])
    client.put("/corpora/c", content=b"a b c\n", headers=train)
    client.post("/jobs", json={"model": "m", "corpus": "none", "algorithm": "glove"}, headers=train)
    client.get("/models", headers=train)
    client.post("/neighbors", json={"queries": [{"word": "a"}]}, headers=train)
    client.delete("/models/none", headers=train)
    assert audit(client, admin) == [
        ("nightly", "POST", "/jobs", 404),
        ("nightly", "PUT", "/corpora/c", 201),
        ("admin", "POST", "/keys", 201),
    ]
    first = client.get("/audit?limit=1", headers=admin).json()
    assert first["entries"][0]["address"] == "testclient"
    assert len(first["entries"][0]["request_id"]) == 32
    rest = client.get("/audit", params={"before": first["next"]}, headers=admin).json()
    assert ([each["path"] for each in rest["entries"]], rest["next"]) == (["/corpora/c", "/keys"], None)


def test_a_fault_is_written_down_and_the_entry_comes_before_the_deed(
    client: TestClient, admin: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int | None] = []

    def broken(*_: object, **__: object) -> None:
        with Database(settings.database).reading() as session:
            seen.extend(session.scalars(select(AuditEntry.status)))
        raise RuntimeError("a fault")

    monkeypatch.setattr("app.core.catalog.removal.delete_model", broken)
    assert client.delete("/models/m", headers=admin).status_code == 500
    assert seen == [None]
    assert audit(client, admin) == [("admin", "DELETE", "/models/m", 500)]


def test_use_is_written_and_old_entries_are_forgotten(
    client: TestClient, admin: dict[str, str], settings: Settings
) -> None:
    client.delete("/models/none", headers=admin)
    database = Database(settings.database)
    keyring = Keyring(database, settings.model_copy(update={"audit_days": 1e-9}))
    keyring.refresh()
    assert keyring.known(admin["Authorization"].encode())
    keyring.keep_house(always=True)
    assert client.get("/keys", headers=admin).json()["keys"][0]["last_used_at"] is not None
    assert audit(client, admin) == []


def test_a_service_whose_database_is_away_lets_known_keys_in(
    client: TestClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.core.errors import DatabaseUnavailable  # noqa: PLC0415 (of this test alone)

    def away() -> None:
        raise DatabaseUnavailable

    assert client.get("/problems", headers=admin).status_code == 200
    monkeypatch.setattr(client.app.state.keyring, "_look", away)  # type: ignore[attr-defined] # an ASGI application in general
    assert client.get("/models", headers=admin).status_code == 200
    unknown = client.get("/models", headers=bearer("wk_" + "0" * 16 + "_" + "0" * 64))
    assert unknown.status_code == 401
