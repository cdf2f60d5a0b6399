"""Starting the service where it cannot start says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.settings import Settings
from app.failures import ServiceDied
from app.processes import Service, check_schema, migrate, running


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceDied, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            Service(Settings(data_dir=tmp_path, port=port))


def test_an_old_schema_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(ServiceDied, match="run: wordkin migrate"):
        check_schema(settings)
    migrate(settings)
    check_schema(settings)


@pytest.mark.parametrize("module", ["app", "trainer"])
def test_a_wrong_setting_is_one_plain_error(module: str) -> None:
    command = [sys.executable, "-P", "-m", module]
    ended = subprocess.run(
        command, env=os.environ | {"WORDKIN_PORT": "70000"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert "less than or equal to 65535" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_folders_of_the_user_with_names_of_ours_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("app", "trainer", "migrations"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')")
    monkeypatch.chdir(tmp_path)
    with running(Settings(data_dir=tmp_path / "data", port=0)):
        pass
