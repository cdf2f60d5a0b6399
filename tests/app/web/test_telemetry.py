"""OpenTelemetry: nothing of it unless it is switched on; then a collector is told of every request."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.core.settings import Settings
from app.main import create_app
from app.web import telemetry
from tests.published import World, random_vectors

ASK = """
import sys
from fastapi.testclient import TestClient
from app.core.settings import Settings
from app.main import create_app

with TestClient(create_app(Settings()), "http://127.0.0.1") as client:
    client.app.state.registry.refresh()
    assert client.get("/neighbors?word=king", headers={"X-Request-Id": "mine"}).status_code == 200
    assert client.get("/jobs/gone").status_code == 404
print("opentelemetry.sdk" in sys.modules)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    world = World(tmp_path)
    world.publish("m", ["king", "queen"], random_vectors(2, 8))
    world.close()
    return world.folder


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Where OTLP is taken over HTTP, and the traces that came."""
    taken: list[bytes] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                taken.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Take) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()
        thread.join()


def ask(folder: Path, **said: str) -> str:
    environment = os.environ | {"WORDKIN_DATA_DIR": str(folder), **said}
    return subprocess.run(
        [sys.executable, "-c", ASK], env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def test_a_collector_is_told_of_every_request(folder: Path) -> None:
    with collector() as (url, taken):
        assert ask(folder, WORDKIN_TELEMETRY="true", OTEL_EXPORTER_OTLP_ENDPOINT=url) == "True\n"
    told = {}
    for body in taken:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
            assert service == "wordkin"
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                told[span.name] = {a.key: a.value for a in span.attributes}
    neighbors, job = told["GET /neighbors"], told["GET /jobs/{id}"]
    assert neighbors["wordkin.request_id"].string_value == "mine"
    assert neighbors["http.response.status_code"].int_value == 200
    assert job["http.response.status_code"].int_value == 404


def test_without_it_nothing_of_it_is_imported(folder: Path) -> None:
    assert ask(folder) == "False\n"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    with pytest.raises(SystemExit, match="WORDKIN_TELEMETRY needs OTEL_EXPORTER_OTLP_ENDPOINT"):
        create_app(Settings(telemetry=True))
    monkeypatch.setattr(telemetry, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=r"pip install 'wordkin\[otel\]'"):
        create_app(Settings(telemetry=True))
