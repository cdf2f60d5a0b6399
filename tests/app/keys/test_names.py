"""A key of certain names: everything else is, to its caller, as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openai import AuthenticationError, NotFoundError, OpenAI

from tests.keyed import bearer, make_key
from tests.published import World, random_vectors

WORDS = ["king", "queen", "man", "woman"]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Models `shop-a` and `other`, a classifier-like job of each, and corpora and files of both names."""
    world = World(tmp_path_factory.mktemp("world"))
    for model in ("shop-a", "other"):
        for seed in (0, 1):
            world.publish(model, WORDS, random_vectors(4, 6, seed))
    yield world
    world.close()


@pytest.fixture(scope="module")
def all_names(world: World) -> dict[str, str]:
    return bearer(make_key(world.database, "admin"))


@pytest.fixture(scope="module")
def shop_names(world: World) -> dict[str, str]:
    return bearer(make_key(world.database, "admin", ["shop-*"]))


@pytest.fixture(scope="module")
def service(world: World, all_names: dict[str, str], shop_names: dict[str, str]) -> Iterator[httpx.Client]:
    """Asked with the key of the shop unless a request says otherwise."""
    with world.served() as http:
        http.headers.update(all_names)
        for name in ("shop-c", "other"):
            assert http.put(f"/corpora/{name}", content=b"a b c\n").status_code == 201
            assert http.put(f"/files/{name}", content=b"king 1 2\n").status_code == 201
        http.headers.update(shop_names | {"X-Request-Id": "one"})  # answers tell it
        yield http


def without_the_name(answer: httpx.Response, name: str) -> str:
    return answer.text.replace(name, "NAME")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/neighbors?model=NAME&word=king", None),
        ("GET", "/neighbors?model=NAME&version=1&word=king", None),
        ("GET", "/words?model=NAME", None),
        ("POST", "/similarity", {"model": "NAME", "queries": [{"a": "king", "b": "queen"}]}),
        ("POST", "/similarity?model=NAME", {"queries": [{"a": "king", "b": "queen"}]}),
        ("POST", "/v1/embeddings", {"model": "NAME@1", "input": "king"}),
        ("POST", "/weat", {"model": "NAME", "targets": [["king"], ["queen"]], "attributes": [["man"], ["woman"]]}),
        ("POST", "/classify", {"classifier": "NAME", "texts": ["king"]}),
        ("GET", "/models/NAME", None),
        ("GET", "/models/NAME/versions/1", None),
        ("GET", "/models/NAME/versions/1/card", None),
        ("GET", "/models/NAME/versions/1/export?format=glove", None),
        ("GET", "/models/NAME/versions/latest/export?format=native", None),
        ("GET", "/models/NAME/versions/1/evaluations", None),
        ("GET", "/models/NAME/compare?a=1&b=2", None),
        ("GET", "/models/NAME/drift?from=1&to=2", None),
        ("GET", "/models/NAME/policy", None),
        ("GET", "/models/NAME/aliases", None),
        ("GET", "/models/NAME/aliases/latest", None),
        ("PUT", "/models/NAME/aliases/latest", {"version": 1}),
        ("DELETE", "/models/NAME/aliases/latest", None),
        ("DELETE", "/models/NAME/versions/1", None),
        ("DELETE", "/models/NAME", None),
        ("PATCH", "/models/NAME", {"keep_versions": 1}),
        ("GET", "/classifiers/NAME", None),
        ("GET", "/v1/models/NAME", None),
        ("GET", "/v1/models/NAME@latest", None),
        ("GET", "/corpora/NAME", None),
        ("GET", "/corpora/NAME/preview", None),
        ("GET", "/corpora/NAME/revisions", None),
        ("DELETE", "/corpora/NAME", None),
        ("GET", "/files/NAME", None),
        ("GET", "/files/NAME/revisions", None),
        ("DELETE", "/files/NAME/revisions/1", None),
        ("POST", "/jobs", {"kind": "derive", "model": "NAME", "into": "shop-b", "steps": [{"step": "center"}]}),
        ("POST", "/jobs", {"kind": "derive", "model": "shop-a", "steps": [{"step": "combine", "with": ["NAME"]}]}),
        ("POST", "/jobs", {"kind": "evaluate", "model": "NAME"}),
        ("POST", "/jobs", {"kind": "evaluate", "model": "shop-a", "sets": [{"file": "NAME", "type": "words"}]}),
        ("POST", "/jobs", {"kind": "import", "model": "shop-b", "file": "NAME"}),
        ("POST", "/jobs", {"model": "shop-b", "corpus": "NAME", "algorithm": "glove"}),
        ("POST", "/jobs", {"model": "shop-b", "corpus": "shop-c", "algorithm": "glove", "start": {"model": "NAME"}}),
    ],
)
def test_another_name_is_as_one_that_nothing_has(
    service: httpx.Client, method: str, path: str, body: Json | None
) -> None:
    """Status and problem are the same but for the name, so that they do not tell which names there are."""

    def ask(name: str) -> httpx.Response:
        said = None if body is None else _renamed(body, name)
        return service.request(method, path.replace("NAME", name), json=said)

    theirs, nobodys = ask("other"), ask("zzzzz")
    assert theirs.status_code == 404
    assert without_the_name(theirs, "other") == without_the_name(nobodys, "zzzzz")


def _renamed(part: Any, name: str) -> Any:
    if isinstance(part, dict):
        return {key: _renamed(value, name) for key, value in part.items()}
    if isinstance(part, list):
        return [_renamed(value, name) for value in part]
    return part.replace("NAME", name) if isinstance(part, str) else part


def test_lists_have_only_names_that_the_key_knows(service: httpx.Client, all_names: dict[str, str]) -> None:
    def listed(headers: dict[str, str] | None = None) -> dict[str, list[str]]:
        found = {
            noun: [each["name"] for each in service.get(f"/{noun}", headers=headers).json()[noun]]
            for noun in ("models", "corpora", "files")
        }
        openai = service.get("/v1/models", headers=headers).json()["data"]
        return found | {"openai": [each["id"] for each in openai]}

    assert listed() == {
        "models": ["shop-a"],
        "corpora": ["shop-c"],
        "files": ["shop-c"],
        "openai": ["shop-a", "shop-a@latest"],
    }
    assert listed(all_names)["models"] == ["other", "shop-a"]


def test_the_only_model_that_the_key_knows_is_the_default(service: httpx.Client, all_names: dict[str, str]) -> None:
    assert service.get("/neighbors?word=king").json()["model"] == "shop-a"
    several = service.get("/neighbors?word=king", headers=all_names)
    assert (several.status_code, several.json()["models"]) == (400, ["other", "shop-a"])


def test_nothing_is_made_under_another_name(service: httpx.Client) -> None:
    for noun in ("corpora", "files"):
        for name in ("other", "new"):
            refused = service.put(f"/{noun}/{name}", content=b"a b c\n")
            assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")
    train = {"corpus": "shop-c", "algorithm": "glove"}
    derive = {"kind": "derive", "model": "shop-a", "steps": [{"step": "center"}]}
    for body in (train | {"model": "other"}, train | {"model": "new"}, derive | {"into": "other"}):
        assert service.post("/jobs", json=body).status_code == 403
    made = service.post("/jobs", json=train | {"model": "shop-new"})
    assert made.status_code == 202
    assert service.delete(made.headers["Location"]).status_code == 409


def test_jobs_of_other_models_are_not_there(service: httpx.Client, world: World, all_names: dict[str, str]) -> None:
    body = {"model": "other", "corpus": "other", "algorithm": "glove"}
    idempotent = {"Idempotency-Key": "one"}
    job = service.post("/jobs", json=body, headers=all_names | idempotent).json()["id"]
    for method, path in (("GET", ""), ("GET", "/history"), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")):
        answers = [service.request(method, f"/jobs/{each}{path}") for each in (job, job[::-1])]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert without_the_name(answers[0], job) == without_the_name(answers[1], job[::-1])
    for query in ("", "?model=other", "?state=queued", "?limit=1"):
        assert {each["model"] for each in service.get(f"/jobs{query}").json()["jobs"]} <= {"shop-a", "shop-new"}
    mine = {"model": "shop-b", "corpus": "shop-c", "algorithm": "glove"}
    own = service.post("/jobs", json=mine, headers=idempotent)
    assert own.status_code == 202, "an idempotency key belongs to who sends it"
    assert service.post("/jobs", json=mine, headers=idempotent).json()["id"] == own.json()["id"] != job


def test_only_a_key_of_all_names_handles_keys(service: httpx.Client) -> None:
    """With another it could make itself one of all names."""
    assert service.post("/keys", json={"name": "x", "scope": "admin"}).status_code == 403
    assert service.get("/keys").status_code == 403
    assert service.get("/audit").status_code == 403
    assert service.delete("/keys/none").status_code == 403
    assert service.post("/keys/none/rotate", json={}).status_code == 403


def test_openai_s_client_sends_a_key(service: httpx.Client, shop_names: dict[str, str]) -> None:
    token = shop_names["Authorization"].removeprefix("Bearer ")
    client = OpenAI(base_url=f"{service.base_url}/v1", api_key=token, max_retries=0)
    assert client.embeddings.create(input="king", model="shop-a").model == "shop-a@2"
    with pytest.raises(NotFoundError):
        client.embeddings.create(input="king", model="other")
    with pytest.raises(AuthenticationError):
        OpenAI(base_url=client.base_url, api_key="none", max_retries=0).models.list()
