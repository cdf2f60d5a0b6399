"""What generators of clients need of the OpenAPI document, each of which stumbled over something here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.web import document as document_module
from app.web.later import LaterRoutes

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Json = dict[str, Any]


@pytest.fixture
def document(client: TestClient) -> Json:
    document: Json = client.get("/openapi.json").json()
    return document


def within(part: object) -> Iterator[Json]:
    """Every object of the document."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from within(value)
    elif isinstance(part, list):
        for item in part:
            yield from within(item)


def operations(document: Json) -> dict[str, Json]:
    return {o["operationId"]: o for path in document["paths"].values() for o in path.values()}


def test_a_member_that_is_a_model_has_no_default(document: Json) -> None:
    """openapi-python-client drops such a model, and every operation that takes it."""
    members = [part for part in within(document) if {"$ref", "oneOf", "anyOf", "allOf"} & part.keys()]
    assert len(members) > 50
    assert [part for part in members if isinstance(part.get("default"), dict)] == []
    for algorithm in ("Word2Vec", "GloVe"):
        submission = document["components"]["schemas"][f"{algorithm}Submission"]
        assert submission["required"] == ["model", "corpus", "algorithm"]
    assert document["components"]["schemas"]["Word2VecHyperparameters"]["properties"]["dim"]["default"] == 100


def test_bodies_are_of_types_that_generators_send(document: Json) -> None:
    """openapi-python-client drops text/plain."""
    bodies = {name: o["requestBody"]["content"] for name, o in operations(document).items() if "requestBody" in o}
    for streamed in ("upload_corpus", "upload_file", "append_to_corpus_upload", "append_to_file_upload"):
        assert bodies.pop(streamed) == {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    assert {name: list(content) for name, content in bodies.items()} == {name: ["application/json"] for name in bodies}
    assert {"submit_job", "move_alias", "create_embeddings", "batch_neighbors"} <= bodies.keys()


def test_every_reference_leads_somewhere(document: Json) -> None:
    names = {part["$ref"] for part in within(document) if "$ref" in part}
    assert len(names) > 20
    for name in names:
        assert name.startswith("#/components/schemas/")
        assert name.rpartition("/")[2] in document["components"]["schemas"]


def test_every_operation_has_a_name_that_is_an_identifier_and_an_answer(document: Json) -> None:
    for name, operation in operations(document).items():
        assert name.isidentifier()
        assert any(status.startswith("2") for status in operation["responses"]), name


def test_two_who_ask_first_get_one_document(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The framework's making of it is not made for two threads."""
    made = []
    entered = threading.Barrier(2)

    def make(app: Any) -> Json:
        made.append(app)
        time.sleep(0.05)
        return {"paths": {}}

    def ask() -> Json:
        entered.wait()
        return app.openapi()

    app = FastAPI()
    document_module.Document().install(app, LaterRoutes(app.router.routes, 0, list))
    monkeypatch.setattr(document_module, "_made", make)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(ask), pool.submit(ask)
    assert first.result() is second.result()
    assert len(made) == 1


def test_what_a_key_must_allow_is_told(document: Json) -> None:
    """By every operation; those that need none are told so."""
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    needed = {name: operation["security"] for name, operation in operations(document).items()}
    assert {name for name, needs in needed.items() if not needs} == {
        "livez",
        "readyz",
        "list_problem_types",
        "get_problem_type",
    }
    some = {name: needed[name] for name in ("get_neighbors", "submit_job", "delete_model")}
    assert some == {
        "get_neighbors": [{"key": ["read"]}],
        "submit_job": [{"key": ["train"]}],
        "delete_model": [{"key": ["admin"]}],
    }
    told = operations(document)["get_neighbors"]["responses"]
    examples = {
        status: set(told[status]["content"]["application/problem+json"]["examples"]) for status in ("401", "429")
    }
    assert examples == {"401": {"key-required", "key-invalid"}, "429": {"overloaded", "rate-exceeded"}}
    assert told["429"]["description"] == "Overloaded; Rate exceeded"


def test_limits_of_numbers_are_told(document: Json) -> None:
    """A validator between a type and its limits keeps them out of the schema."""
    schemas = document["components"]["schemas"]
    told = {
        (name, member): (schemas[name]["properties"][member]["minimum"], schemas[name]["properties"][member]["maximum"])
        for name, member in (
            ("GloVeSubmission", "replicas"),
            ("StartChoice", "anchor_strength"),
            ("BiasOptions", "n_permutations"),
        )
    }
    assert told == {
        ("GloVeSubmission", "replicas"): (1, 10),
        ("StartChoice", "anchor_strength"): (0, 1000),
        ("BiasOptions", "n_permutations"): (1000, 200_000),
    }


def test_a_member_that_tells_schemas_apart_must_be_there(document: Json) -> None:
    """It has a default in each, which nobody may rely on among others."""
    schemas = document["components"]["schemas"]
    found = [part["discriminator"] for part in within(document) if "mapping" in part.get("discriminator", {})]
    assert {each["propertyName"] for each in found} >= {"kind", "step", "algorithm"}
    for each in found:
        for reference in each["mapping"].values():
            assert each["propertyName"] in schemas[reference.rpartition("/")[2]]["required"]
    assert "kind" in schemas["Kiwi"]["required"], "a tokenizer is a name, or one of these"


def test_what_is_sent_beside_a_body_is_never_null_and_bounds_are_whole(document: Json) -> None:
    parameters = [part for part in within(document) if part.get("in") in {"query", "header"} and "schema" in part]
    assert len(parameters) > 50
    assert [part["name"] for part in parameters if {"type": "null"} in part["schema"].get("anyOf", [])] == []
    seed = document["components"]["schemas"]["Word2VecHyperparameters"]["properties"]["seed"]
    assert (seed["minimum"], seed["exclusiveMaximum"]) == (0, 2**63)
    assert isinstance(seed["exclusiveMaximum"], int)
