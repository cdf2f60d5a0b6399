"""Every error is raised, has its status, and is documented by a route; every route tells of its problems."""

from __future__ import annotations

import ast
from pathlib import Path

from app.core.errors import WordkinError
from app.core.settings import Settings
from app.main import create_app
from app.web.problems import STATUS
from tests.test_architecture import sources, tree


def _raised() -> set[str]:
    """Names of the classes that some line calls, raises or hands on."""
    used = set()
    for path in sources("app", "trainer"):
        if path.startswith("app/core/errors/") or path == "app/web/problems.py":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Raise | ast.Call):
                for part in ast.walk(node):
                    if isinstance(part, ast.Name):
                        used.add(part.id)
                    elif isinstance(part, ast.Attribute):
                        used.add(part.attr)
    return used


def test_every_error_is_raised_somewhere() -> None:
    classes = {error.__name__ for error in WordkinError.__subclasses__() if error.__module__.startswith("app.")}
    assert classes - _raised() == set()


def test_every_error_that_is_answered_has_a_status() -> None:
    classes = {error for error in WordkinError.__subclasses__() if error.__module__.startswith("app.")}
    assert {error.__name__ for error in classes if (error in STATUS) != error.is_answered} == set()


def test_every_route_documents_its_problems_and_every_problem_a_route(tmp_path: Path) -> None:
    document = create_app(Settings(data_dir=tmp_path)).openapi()
    told: set[str] = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                problem = response.get("content", {}).get("application/problem+json")
                if int(status) >= 400 and path != "/readyz":
                    assert problem, f"{method} {path} {status} is no problem"
                told |= set((problem or {}).get("examples", {}))
            has_input = operation.get("parameters") or operation.get("requestBody")
            assert "422" in operation["responses"] or not has_input, f"{method} {path} does not tell of wrong input"
    assert {error.slug for error in STATUS} - told == set()
