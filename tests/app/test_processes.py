"""Starting the service where it cannot start says why."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.core.settings import Settings
from app.failures import ServiceDied
from app.processes import Service, check_schema, migrate


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
