"""The web console: three static files that speak to the same API as everybody else."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

_FILES = files("app.console")
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def _file(name: str, media_type: str) -> Response:
    return Response((_FILES / name).read_bytes(), headers=_HEADERS, media_type=media_type)


@router.get("/console")
def page() -> Response:
    return _file("console.html", "text/html; charset=utf-8")


@router.get("/console/console.css")
def style() -> Response:
    return _file("console.css", "text/css; charset=utf-8")


@router.get("/console/console.js")
def script() -> Response:
    return _file("console.js", "text/javascript; charset=utf-8")
