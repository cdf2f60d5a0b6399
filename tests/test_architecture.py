"""The rules of the house that a machine can hold. What fails here is mended in the code, not by an exception here."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("app", "trainer", "migrations")
EVERYTHING = (*PRODUCT, "tests", "benchmarks")

MOST_LINES = 300
MEDIAN_LINES = 150
MOST_FUNCTION_LINES = 40
MOST_KERNEL_PARAMETERS = 10

BUILT = {"Database", "Storage", "Registry", "Settings", "FastAPI"}
BUILDERS = {
    "app/__main__.py",
    "app/main.py",
    "app/resources.py",
    "app/command",
    "trainer/__main__.py",
    "trainer/work/child.py",  # the process of a job: what it needs crosses its border as plain values
    "migrations/env.py",
}

NEVER_FILES = {"utils", "util", "helpers", "helper", "manager", "managers", "info", "misc", "common"}
NEVER_NAMES = {
    "syn0": "input_vectors",
    "syn1": "output_vectors",
    "syn1neg": "output_vectors",
    "neg": "n_negatives",
    "ws": "window",
    "minn": "min_n",
    "maxn": "max_n",
    "vector_size": "dim",
}
"""What the field's programs call it, and what we call it."""


@cache
def sources(*folders: str) -> dict[str, str]:
    """Every Python file below the folders by its path in the repository."""
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: str) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def parameters(function: Function) -> list[str]:
    """Those that a caller gives; `typing` is numba's, of an intrinsic."""
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in listed if argument.arg not in {"self", "cls", "typing"}]


# Sizes


def test_no_file_is_longer_than_a_reader_wants() -> None:
    lines = {path: text.count("\n") for path, text in sources(*EVERYTHING).items()}
    assert {path: n for path, n in lines.items() if n > MOST_LINES} == {}
    product = [n for path, n in lines.items() if path.startswith(PRODUCT) and n]
    assert statistics.median(product) <= MEDIAN_LINES


def test_no_function_is_longer_than_a_reader_wants() -> None:
    """Of its code: the docstring, comments and empty lines do not count."""
    long = {}
    for path in sources("app", "trainer", "benchmarks"):
        if "kernels/" in path:
            continue
        for function in functions(path):
            has_docstring = ast.get_docstring(function) is not None
            if len(function.body) == has_docstring:
                continue
            start = function.body[has_docstring].lineno
            text = sources("app", "trainer", "benchmarks")[path].splitlines()[start - 1 : function.end_lineno]
            n_lines = sum(bool(line.strip()) and not line.strip().startswith("#") for line in text)
            if n_lines > MOST_FUNCTION_LINES:
                long[f"{path}:{function.name}"] = n_lines
    assert long == {}


def test_kernels_take_few_enough_parameters() -> None:
    """All other functions are counted by the linter."""
    many = {
        f"{path}:{function.name}": len(parameters(function))
        for path in sources("trainer/kernels")
        for function in functions(path)
        if len(parameters(function)) > MOST_KERNEL_PARAMETERS
    }
    assert many == {}


# Names


def test_file_names_say_what_is_in_them() -> None:
    named = {path for path in sources(*EVERYTHING) if Path(path).stem in NEVER_FILES}
    assert named == set()


def _names_made(path: str) -> Iterator[str]:
    """The names that a file gives: parameters, variables, fields, functions, classes."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, Function | ast.ClassDef):
            yield node.name


def test_ideas_have_the_names_of_the_glossary() -> None:
    wrong = {
        f"{path}: {name} is called {NEVER_NAMES.get(name, 'learning_rate')} here"
        for path in sources("app", "trainer")
        for name in _names_made(path)
        if name in NEVER_NAMES or (name == "alpha" and "glove" not in path)
    }
    assert wrong == set()


# Rooms


def _imported(path: str) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_trainer_stands_on_core_alone() -> None:
    outside = {
        f"{path}: {name}"
        for path in sources("trainer")
        for name in _imported(path)
        if name.split(".")[0] == "app" and not name.startswith("app.core.")
    }
    assert outside == set()


def test_kernels_know_arrays_alone() -> None:
    allowed = {"numpy", "numba", "llvmlite", *sys.stdlib_module_names}
    outside = {
        f"{path}: {name}"
        for path in sources("trainer/kernels")
        for name in _imported(path)
        if name.split(".")[0] not in allowed and not name.startswith("trainer.kernels.")
    }
    assert outside == set()


def test_versions_load_before_the_web_framework() -> None:
    code = "import sys, app.resources; print({'fastapi', 'starlette'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_core_holds_what_both_app_and_trainer_use() -> None:
    """Directly, or through what they use directly."""
    rooms = {path.split("/")[2].removesuffix(".py") for path in sources("app/core")} - {"__init__"}

    def named(paths: Iterator[str]) -> set[str]:
        return {
            name.split(".")[2] for path in paths for name in _imported(path) if name.startswith("app.core.")
        } & rooms

    inside = {
        room: named(path for path in sources("app/core") if path.split("/")[2].removesuffix(".py") == room)
        for room in rooms
    }

    def reached(start: set[str]) -> set[str]:
        found, waiting = set(start), list(start)
        while waiting:
            new = inside[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    by_trainer = reached(named(iter(sources("trainer"))))
    by_app = reached(named(path for path in sources("app") if not path.startswith("app/core/")))
    assert rooms - (by_trainer & by_app) == set()


def test_only_builders_build() -> None:
    built = set()
    for path in sources(*PRODUCT):
        if path in BUILDERS or path.rpartition("/")[0] in BUILDERS:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILT:
                built.add(f"{path}:{node.lineno} builds {node.func.id}")
    assert built == set()


# Words


def _documented(docstring: str) -> list[str] | None:
    """The names under "Parameters" of a numpydoc block; None without one."""
    match = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", docstring, re.S | re.M)
    if match is None:
        return None
    heads = [line.partition(" : ")[0] for line in match[1].splitlines() if re.match(r"\S.* : ", line)]
    return [name.strip() for head in heads for name in head.split(",")]


def _described() -> Iterator[tuple[str, list[str], list[str]]]:
    for path in sources("app", "trainer"):
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                signature = parameters(node)
            elif isinstance(node, ast.ClassDef):
                makers = [part for part in node.body if isinstance(part, Function) and part.name == "__init__"]
                fields = [
                    part.target.id
                    for part in node.body
                    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
                ]
                signature = parameters(makers[0]) if makers else fields
            else:
                continue
            listed = _documented(ast.get_docstring(node) or "")
            if listed is not None:
                yield f"{path}:{node.name}", listed, signature


def test_docstrings_list_the_parameters_of_the_signature() -> None:
    """All of them, by their names, in their order."""
    described = list(_described())
    assert len(described) > 20
    wrong = {where: (listed, signature) for where, listed, signature in described if listed != signature}
    assert wrong == {}


def test_every_exception_from_a_rule_says_why() -> None:
    bare = re.compile(r"# (?:noqa|type: ignore|pragma: no cover)[^\n(#]*$", re.M)
    found = {f"{path}: {match[0]}" for path, text in sources(*EVERYTHING).items() for match in bare.finditer(text)}
    assert found == set()
