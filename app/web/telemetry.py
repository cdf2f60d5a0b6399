"""Traces and metrics by OpenTelemetry, as the framework makes them; its variables say where they go."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from fastapi.telemetry import TelemetryConfig

OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
ENDPOINTS = tuple(f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT" for signal in ("", "TRACES_", "METRICS_"))


def configuration(*, is_on: bool) -> TelemetryConfig:
    """What the framework is told; what is missing for it ends the process."""
    if not is_on:
        return OFF
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        sys.exit("error: WORDKIN_TELEMETRY needs what is not installed: pip install 'wordkin[otel]'")
    if not any(os.environ.get(name) for name in ENDPOINTS):
        sys.exit(
            f"error: WORDKIN_TELEMETRY needs {ENDPOINTS[0]}: where a collector takes OTLP over HTTP, "
            "such as http://127.0.0.1:4318"
        )
    os.environ.setdefault("OTEL_SERVICE_NAME", "wordkin")
    # bodies and errors stay in our own log: they hold what users have sent
    return {"tracing": True, "metrics": True, "logs": False, "operation_spans": True, "auto_configure": True}
