"""What the images, compose, the Makefile and the READMEs call exists, and is what they say. No engine runs here."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from app.command.cli import whole
from app.core.settings import Settings
from app.core.storage import CREDENTIALS

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("migrate", "app", "trainer")
READMES = ("README.md", "README.ko.md")
NOT_SETTINGS = {"WORDKIN_URL", "WORDKIN_API_KEY"}


def commands() -> set[str]:
    return set(typer.main.get_command(whole()).commands)  # type: ignore[attr-defined] # a group, for an app of many


def stages() -> dict[str, str]:
    """Name of each stage -> its text."""
    parts = re.split(r"^FROM \S+ AS (\w+)$", DOCKERFILE, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_images_run_commands_that_exist() -> None:
    assert re.findall(r'CMD \["wordkin", "([\w-]+)"', DOCKERFILE) == ["check"]
    assert "check" in commands()
    modules = re.findall(r'^CMD \["python", "-m", "(\w+)"\]$', DOCKERFILE, re.M)
    assert modules == ["app", "trainer"]
    for module in modules:
        assert (ROOT / module / "__main__.py").exists()


def test_both_images_are_built_for_a_user_without_rights() -> None:
    assert set(stages()) == {"build", "runtime", "app", "trainer"}
    assert re.search(r"^USER 10001$", stages()["runtime"], re.M)
    for target in ("app", "trainer"):
        assert "USER" not in stages()[target]
        assert "HEALTHCHECK" in stages()[target]


def test_images_copy_files_that_exist_and_the_context_lets_them_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {name for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.M) for name in line.split()}
    assert copied == {"requirements.txt", "pyproject.toml", "README.md", "app", "trainer", "migrations"}
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored


@pytest.mark.parametrize("service", OURS)
def test_compose_services_are_closed_and_built_from_stages(service: str) -> None:
    described = COMPOSE["services"][service]
    assert described["build"]["target"] in stages()
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert described["security_opt"] == ["no-new-privileges:true"]
    if "command" in described:
        assert described["command"][0] == "wordkin"
        assert described["command"][1] in commands()


def test_compose_publishes_on_loopback_only_and_has_no_working_default_secret() -> None:
    assert COMPOSE["services"]["app"]["ports"] == ["127.0.0.1:8000:8000"]
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{(\w+)(.*?)\}", text) == [("POSTGRES_PASSWORD", ":?set POSTGRES_PASSWORD")] * 2


def test_credentials_of_object_stores_are_passed_on_and_documented() -> None:
    names = {name for of_store in CREDENTIALS.values() for name in of_store}
    assert len(names) > 8
    for service in OURS:
        environment = COMPOSE["services"][service]["environment"]
        assert names <= environment.keys()
        assert {environment[name] for name in names} == {None}  # of whoever runs compose
    for readme in READMES:
        assert set(re.findall(r"`((?:AWS|GOOGLE|AZURE)_[A-Z_]+)", (ROOT / readme).read_text())) == names


def test_who_needs_no_key_is_on_this_host() -> None:
    """The image alone is closed; compose opens it for as long as it publishes on loopback."""
    assert "ALLOW_ANONYMOUS" not in DOCKERFILE
    app = COMPOSE["services"]["app"]
    assert app["environment"]["WORDKIN_ALLOW_ANONYMOUS"] == "true"
    assert app["environment"]["WORDKIN_ALLOWED_HOSTS"] == "127.0.0.1,localhost,app"
    assert all(port.startswith("127.0.0.1:") for port in app["ports"])


def test_compose_starts_in_order() -> None:
    services = COMPOSE["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("app", "trainer"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_every_variable_that_is_named_somewhere_is_a_setting() -> None:
    settings = {f"WORDKIN_{name.upper()}" for name in Settings.model_fields}
    for path in ("Dockerfile", "docker-compose.yml", *READMES):
        named = set(re.findall(r"WORDKIN_[A-Z_]+", (ROOT / path).read_text()))
        assert named - settings - NOT_SETTINGS == set(), path


@pytest.mark.parametrize("readme", READMES)
def test_readmes_name_commands_and_targets_that_exist(readme: str) -> None:
    text = (ROOT / readme).read_text()
    listed = re.search(r"```text\n(wordkin demo.*?)```", text, re.S)
    assert listed
    named = {name for line in listed[1].splitlines() for name in re.findall(r"[a-z]+", line.split("  ")[0])}
    assert {"demo", "up", "api", "trainer", "migrate", "train", "neighbors", "analogy"} <= named & commands()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", text):
        if target in ("test", "demo", "up", "bench-training", "bench-serving"):
            assert re.search(rf"^{target}:", makefile, re.M)


def test_readmes_link_to_files_that_exist() -> None:
    for readme in READMES:
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / readme).read_text()):
            assert (ROOT / link).exists(), link


def test_locks_are_hashed_and_name_no_address() -> None:
    for lock in ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt"):
        text = (ROOT / lock).read_text()
        pins = re.findall(r"^[a-z0-9][\w.\-]*(?:\[[\w,]+\])?==", text, re.M)
        assert len(pins) > 20
        assert len(re.findall(r"^\S.* \\$", text, re.M)) == len(pins)
        assert "://" not in text


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "requirements.txt": project["dependencies"],
        "requirements-demo.txt": [*project["dependencies"], *extras["demo"]],
        "requirements-dev.txt": [*project["dependencies"], *extras["demo"], *extras["dev"]],
    }
    for lock, requirements in wanted.items():
        pinned = set(re.findall(r"^([a-z0-9][\w.\-]*)(?:\[[\w,]+\])?==", (ROOT / lock).read_text(), re.M))
        for requirement in requirements:
            match = re.match(r"[\w.\-]+", requirement)
            assert match
            assert match[0].lower() in pinned, requirement


def test_the_makefile_lists_its_targets() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for target in ("demo", "up", "setup", "test", "bench-training"):
        assert f"make {target} " in listed


def test_nothing_reads_beside_the_repository() -> None:
    """A stranger has this repository and nothing else."""
    folders = [ROOT / name for name in ("app", "trainer", "migrations", "tests", "benchmarks")]
    code = [path for folder in folders for path in folder.rglob("*.py")]
    code += [ROOT / name for name in ("Makefile", "Dockerfile", "docker-compose.yml", ".ci/run")]
    for path in code:
        text = path.read_text(encoding="utf-8")
        depth = len(path.relative_to(ROOT).parts) - 1
        climbs = [int(number) for number in re.findall(r"__file__\)\.resolve\(\)\.parents\[(\d)\]", text)]
        assert all(number <= depth for number in climbs), path
        assert not re.search(r"shared/data|/ \"shared\"", text) or path == Path(__file__), path


def test_cleaning_up_keeps_what_users_have() -> None:
    told = subprocess.run(["make", "-n", "clean"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert ".venv" in told
    assert not re.search(r"\bdata\b", told)
