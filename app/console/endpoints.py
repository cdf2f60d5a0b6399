"""What a browser shows: the console, and the API's document; both speak to this service alone."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse, RedirectResponse

from app.web.scopes import OPEN

router = APIRouter(include_in_schema=False)

INDEX = {
    "console": "/console",
    "docs": "/docs",
    "openapi": "/openapi.json",
    "models": "/models",
    "jobs": "/jobs",
    "corpora": "/corpora",
    "metrics": "/metrics",
    "health": "/readyz",
}
_FILES = files("app.console")
_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def _file(name: str, media_type: str) -> Response:
    return Response((_FILES / name).read_bytes(), headers=_HEADERS, media_type=media_type)


@router.get("/", openapi_extra=OPEN)
def index(request: Request) -> Response:
    """Lead a browser to the console, and tell a program what there is."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/console", headers={"Vary": "Accept"})
    return JSONResponse(INDEX, headers={"Vary": "Accept"})


@router.get("/console", openapi_extra=OPEN)
def page() -> Response:
    return _file("console.html", "text/html; charset=utf-8")


@router.get("/console/console.css", openapi_extra=OPEN)
def style() -> Response:
    return _file("console.css", "text/css; charset=utf-8")


@router.get("/console/console.js", openapi_extra=OPEN)
def script() -> Response:
    return _file("console.js", "text/javascript; charset=utf-8")


@router.get("/openapi.json", openapi_extra=OPEN)
def document(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


@router.get("/docs", openapi_extra=OPEN)
def docs() -> Response:
    """Show the document with Swagger UI."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Wordkin: the API",
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    page.headers.update(_HEADERS | {"Content-Security-Policy": _docs_policy(bytes(page.body))})
    return page


def _docs_policy(page: bytes) -> str:
    """Swagger UI starts itself by a script within the page, which is named by its digest; it writes styles itself."""
    digests = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _SCRIPT.findall(page)]
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"{_POLICY}; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'"


@router.get("/docs/swagger-ui.css", openapi_extra=OPEN)
def docs_style() -> Response:
    return _swagger_ui("swagger-ui.css", "text/css; charset=utf-8")


@router.get("/docs/swagger-ui-bundle.js", openapi_extra=OPEN)
def docs_script() -> Response:
    return _swagger_ui("swagger-ui-bundle.js", "text/javascript; charset=utf-8")


def _swagger_ui(name: str, media_type: str) -> Response:
    """A file of Swagger UI, which comes with a package, so that the page needs no internet."""
    content = (files("fastapi_offline") / "static" / name).read_bytes()
    return Response(content, headers=_HEADERS | {"Cache-Control": "max-age=3600"}, media_type=media_type)
