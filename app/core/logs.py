"""Structured logs on standard error: lines to read, or JSON. Each event names its `action`."""

from __future__ import annotations

import logging
import os
import sys

import structlog

from app.core.settings import unknown_variables


def configure(level: str, *, as_json: bool) -> None:
    """Set up logging for this process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    if not as_json:
        shared.pop()  # the console renderer shows exceptions itself
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # lines of libraries, such as the server's
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def warn_of_unknown_settings() -> None:
    """Name the variables that look like settings and are none."""
    for name, meant in unknown_variables(os.environ).items():
        hint = f"did you mean {meant}?" if meant else "see app/core/settings.py"
        structlog.get_logger().warning("unknown setting", action="setting_unknown", variable=name, hint=hint)
