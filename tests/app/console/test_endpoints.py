"""Pages for browsers, none of which needs anything from elsewhere."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_the_start_leads_a_browser_to_the_console(client: TestClient) -> None:
    response = client.get("/", headers={"Accept": BROWSER, "Host": "localhost"}, follow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (307, "/console")
    assert response.headers["Vary"] == "Accept"


def test_the_start_tells_a_program_addresses_that_answer(client: TestClient) -> None:
    index = client.get("/").json()
    assert list(index) == ["console", "docs", "openapi", "models", "jobs", "corpora", "metrics", "health"]
    for name, path in index.items():
        assert client.get(path).status_code == 200, name
    assert client.head("/").headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/console", "/docs"])
def test_a_page_loads_from_this_service_alone(client: TestClient, path: str) -> None:
    page = client.get(path)
    loaded = re.findall(r"<(?:link|script|img)\b[^>]*(?:src|href)=\"([^\"]+)\"", page.text)
    files = [address for address in loaded if address != "data:,"]
    assert len(files) == 2
    for address in files:
        assert re.match(r"/\w", address), address
        assert client.get(address).status_code == 200
    assert "://" not in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_page_of_the_document_has_swagger_ui(client: TestClient) -> None:
    script = client.get("/docs/swagger-ui-bundle.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "SwaggerUIBundle" in script.text
    style = client.get("/docs/swagger-ui.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert ".swagger-ui" in style.text
    assert "url: '/openapi.json'" in client.get("/docs").text
