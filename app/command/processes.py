"""API and trainer as two processes, started and stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from app.command.failures import ServiceDied
from app.command.options import needs_certificates
from app.command.schema import migrate
from app.core.parent import FLAG
from app.core.settings import Settings

START_SECONDS = 60.0
STOP_SECONDS = 10.0
"""For what is under way, beside the time that the settings give."""
RESTART_SECONDS = 1.0


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """A migrated, started service that answers; stopped at the end."""
    migrate(settings)
    service = Service(settings)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


class Service:
    """The two processes. They get the settings by their environment, as in production."""

    def __init__(self, settings: Settings) -> None:
        port = _bindable(settings.host, settings.port)
        self.url = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{port}"
        environment = os.environ | {
            "WORDKIN_DATA_DIR": str(settings.data_dir.resolve()),
            "WORDKIN_HOST": settings.host,
            "WORDKIN_PORT": str(port),
            "WORDKIN_LOG_LEVEL": settings.log_level,
        }
        self._environment = environment
        self._stop_seconds = STOP_SECONDS + max(settings.leave_seconds, settings.stop_grace_seconds)
        self.api = self._start("app")
        self.trainer = self.start_trainer()

    def start_trainer(self) -> subprocess.Popen[bytes]:
        """Start one more trainer, which the caller must stop."""
        return self._start("trainer")

    def _start(self, module: str) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches only us, and we stop the processes in order.
        # -P: a folder named like one of our packages, where the user happens to be, is not ours
        # stdin: of a pipe, which closes when we are killed
        command = [sys.executable, "-P", "-m", module, FLAG]
        return subprocess.Popen(command, env=self._environment, start_new_session=True, stdin=subprocess.PIPE)  # noqa: S603 (our own modules)

    def wait_until_ready(self) -> None:
        """Raise `ServiceDied` when it does not come up."""
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(timeout=2.0, verify=needs_certificates(self.url)) as http:
            while time.monotonic() < deadline:
                self.check()
                with suppress(httpx.TransportError):
                    if http.get(f"{self.url}/readyz").is_success:
                        self.check()
                        return
                time.sleep(0.1)
        raise ServiceDied(f"The service did not become ready at {self.url} within {START_SECONDS:g} s.")

    def check(self) -> None:
        """Raise `ServiceDied` unless both processes live."""
        for name, process in (("API", self.api), ("trainer", self.trainer)):
            if (code := process.poll()) is not None:
                raise ServiceDied(f"The {name} process ended with exit code {code}; its message stands above.")

    def wait(self) -> None:
        """Return only by an exception: Ctrl-C, or `ServiceDied`. A trainer that died is started again."""
        while True:
            if (code := self.api.poll()) is not None:
                raise ServiceDied(f"The API process ended with exit code {code}; its message stands above.")
            if (code := self.trainer.poll()) is not None:
                print(f"the trainer ended with exit code {code}; it is started again", file=sys.stderr)  # noqa: T201 (for who started it)
                time.sleep(RESTART_SECONDS)
                self.trainer = self.start_trainer()
            time.sleep(0.5)

    def stop(self) -> None:
        """Ask both to end, and kill what does not."""
        processes = (self.trainer, self.api)
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(self._stop_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _bindable(host: str, port: int) -> int:
    """The port, or a free one for 0; raise `ServiceDied` if another program has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServiceDied(
                f"{host}:{port} cannot be listened on ({error.strerror}); choose another with --port or --host."
            ) from error
        bound: int = probe.getsockname()[1]
        return bound
