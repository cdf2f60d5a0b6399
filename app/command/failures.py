"""What goes wrong on a command line and can be mended by who typed it: one line, no traceback."""

from __future__ import annotations

from typing import Any


class CommandFailed(Exception):
    """One line for people, and for programs the problem document; `exit_code` ends the process."""

    exit_code = 1

    def __init__(self, message: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.problem = problem or {"type": "about:blank", "title": "Command failed", "detail": message}


class ServiceError(CommandFailed):
    """The service answered with a problem, or not at all."""


class NoService(ServiceError):
    """Nothing answers where the service should be; it may be starting."""


class ServiceDied(CommandFailed):
    """A process of the service ended by itself."""


class JobEnded(CommandFailed):
    """A job that was followed has failed, or was cancelled."""

    def __init__(self, job: dict[str, Any]) -> None:
        detail = (job["error"] or {}).get("detail", "")
        super().__init__(f"The job has {job['state']}: {detail}" if detail else "The job was cancelled.", job["error"])


class WrongUsage(CommandFailed):
    """What was typed cannot be meant; nothing was sent."""

    exit_code = 2
