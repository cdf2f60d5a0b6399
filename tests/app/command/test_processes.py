"""Starting the service where it cannot start says why."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.command.failures import ServiceDied
from app.command.processes import Service, running
from app.command.schema import check_schema, migrate
from app.core.settings import Settings
from tests.published import wait_until


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


@pytest.mark.parametrize("ask", [migrate, check_schema])
def test_a_database_that_does_not_answer_is_told_why(ask: Callable[[Settings], None]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and never listens
        url = f"postgresql://wordkin:secret@127.0.0.1:{nobody.getsockname()[1]}/wordkin"
        with pytest.raises(ServiceDied, match=r"does not answer: .*127\.0\.0\.1") as caught:
            ask(Settings(database_url=url))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("module", ["app", "trainer"])
def test_a_wrong_setting_is_one_plain_error(module: str) -> None:
    command = [sys.executable, "-P", "-m", module]
    ended = subprocess.run(
        command, env=os.environ | {"WORDKIN_PORT": "70000"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == "error: WORDKIN_PORT=70000: Input should be less than or equal to 65535\n"


def test_folders_of_the_user_with_names_of_ours_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("app", "trainer", "migrations"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')")
    monkeypatch.chdir(tmp_path)
    with running(Settings(data_dir=tmp_path / "data", port=0)):
        pass


def test_a_trainer_that_dies_is_started_again_and_the_api_goes_on(tmp_path: Path) -> None:
    with running(Settings(data_dir=tmp_path, port=0, log_level="error")) as service:
        waiting = threading.Thread(target=_wait_quietly, args=(service,), daemon=True)
        waiting.start()
        first = service.trainer
        first.kill()
        wait_until(lambda: service.trainer is not first and service.trainer.poll() is None)
        assert service.api.poll() is None
        assert httpx.get(f"{service.url}/livez").status_code == 200
        service.api.kill()
        waiting.join(20)
        assert not waiting.is_alive()


def _wait_quietly(service: Service) -> None:
    with pytest.raises(ServiceDied, match="API"):
        service.wait()


def test_up_says_in_one_line_where_it_is(tmp_path: Path) -> None:
    code = "import sys; from app.command.cli import main; sys.argv[0] = 'wordkin'; main()"
    command = [sys.executable, "-c", code, "up", "--port", "0"]
    environment = os.environ | {"WORDKIN_DATA_DIR": str(tmp_path), "WORDKIN_LOG_LEVEL": "error"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        line = process.stdout.readline()
        told = re.fullmatch(
            r"Wordkin is up at (http://127\.0\.0\.1:\d+), console: \1/console, API: \1/docs\. Ctrl-C ends it\.\n", line
        )
        process.terminate()
    assert told, line


def test_processes_get_the_time_to_end_that_the_settings_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    class Busy:
        """It ends when its time is up, and no sooner."""

        stdin = None

        def poll(self) -> None:
            return None

        def send_signal(self, _: int) -> None:
            return None

        def wait(self, seconds: float) -> None:
            waited.append(seconds)

    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: Busy())
    Service(Settings(data_dir=tmp_path, port=0, leave_seconds=60, stop_grace_seconds=8)).stop()
    Service(Settings(data_dir=tmp_path, port=0, leave_seconds=0, stop_grace_seconds=90)).stop()
    assert waited == [70, 70, 100, 100]
