"""Keys on the command line: made in the database, sent by the variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.app.command.conftest import typed
from tests.published import World


@pytest.fixture
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The settings of the command line name the world's database."""
    monkeypatch.setenv("WORDKIN_DATA_DIR", str(world.folder))
    return world


def test_commands_send_the_key_that_a_variable_names(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = typed("keys", "create", "me", "--scope", "train", "--json", url="")
    assert made.returncode == 0, made.stderr
    with here.served() as service:
        url = str(service.base_url)
        refused = typed("models", "list", url=url)
        assert (refused.returncode, "WORDKIN_API_KEY" in refused.stderr) == (1, True)
        monkeypatch.setenv("WORDKIN_API_KEY", json.loads(made.stdout)["token"])
        assert "first" in typed("models", "list", url=url).stdout
        forbidden = typed("models", "delete", "first", "--yes", url=url)
    assert (forbidden.returncode, "scope 'admin'" in forbidden.stderr) == (1, True)


def test_keys_are_listed_rotated_and_revoked(here: World) -> None:
    plain = typed("keys", "create", "shop", "--grant", "shop-*", "--grant", "b", "--days", "30", url="")
    token = plain.stdout.strip()
    assert token.startswith("wk_")
    assert "never shown again" in plain.stderr
    key_id = token.split("_")[1]
    assert "shop-*, b" in typed("keys", "list", url="").stdout
    rotated = json.loads(typed("keys", "rotate", key_id, "--json", url="").stdout)
    assert (rotated["grants"], rotated["id"] != key_id) == (["shop-*", "b"], True)
    assert typed("keys", "revoke", key_id, "--yes", url="").returncode == 0
    listed = json.loads(typed("keys", "list", "--json", url="").stdout)["keys"]
    assert {key["id"]: key["revoked_at"] is None for key in listed} == {rotated["id"]: True, key_id: False}
    unknown = typed("keys", "revoke", "none", "--yes", url="")
    assert (unknown.returncode, "There is no key 'none'." in unknown.stderr) == (1, True)


@pytest.mark.parametrize("wrong", [("--scope", "root"), ("--grant", "a/b")])
def test_what_cannot_be_meant_is_refused(here: World, wrong: tuple[str, str]) -> None:
    refused = typed("keys", "create", "x", *wrong, url="")
    assert (refused.returncode, wrong[1] in refused.stderr) == (2, True)


@pytest.mark.parametrize("allowed", [False, True])
def test_an_address_that_others_reach_is_not_served_without_a_key(world: World, allowed: bool) -> None:
    settings = {"DATA_DIR": str(world.folder), "HOST": "0.0.0.0", "PORT": "0", "ALLOW_ANONYMOUS": str(allowed)}  # noqa: S104 (what is refused)
    environment = os.environ | {f"WORDKIN_{name}": value for name, value in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", "app"], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    if allowed:
        assert any("listening" in line for line in process.stderr)
        process.terminate()
    told = process.communicate(timeout=60)[1]
    if not allowed:
        assert process.returncode == 1
        errors = [line for line in told.splitlines() if line.startswith("error: ")]
        assert [error.partition(" Make one")[0] for error in errors] == [
            "error: 0.0.0.0 can be reached by others, and there is no key."
        ], told
