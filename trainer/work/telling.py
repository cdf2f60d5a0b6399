"""Tells the worker, over a pipe, where the job is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

from trainer.steps.progress import Progress, Report
from trainer.work.forecast import Forecast, Step
from trainer.work.messages import Advanced

COMPILING = "compiling"
"""The phase in which kernels are compiled, the first time on a machine that they are needed."""


class Teller:
    """What a job calls to say what it does; kernels may be compiled, and tell so, on any thread."""

    def __init__(self, connection: Connection, forecast: Forecast | None = None) -> None:
        self._connection = connection
        self._forecast = forecast or Forecast()
        self._lock = Lock()
        self._n_compiling = 0
        self._step: Step | None = None
        self._fraction = 0.0

    def report(self, phase: str) -> Report:
        """The report of a phase, which begins with this call."""

        def report(progress: Progress) -> None:
            measures = {name: value for name, value in asdict(progress).items() if value is not None}
            for own in ("fraction", "step", "left_out", "history"):
                measures.pop(own, None)
            history = [epoch.model_dump() for epoch in progress.history] if progress.history is not None else None
            with self._lock:
                if progress.left_out:
                    self._forecast.leave_out(Step(phase, progress.left_out))
                self._step, self._fraction = Step(phase, progress.step), min(max(progress.fraction, 0.0), 1.0)
                self._forecast.advance(self._step, self._fraction)
                self._send(measures, history)

        report(Progress(0.0))
        return report

    def expect(self, seconds: Mapping[Step, float]) -> None:
        """What all steps that are ahead will take, in their order."""
        with self._lock:
            self._forecast.expect(seconds)

    def compiling(self, begins: bool) -> None:
        """Kernels begin to be compiled, or have been; one may need others."""
        with self._lock:
            self._n_compiling += 1 if begins else -1
            if self._n_compiling:
                self._forecast.pause()
            else:
                self._forecast.go_on()
            self._send({})

    def _send(self, measures: dict[str, float], history: list[dict[str, Any]] | None = None) -> None:
        step, eta = self._step, self._forecast.eta_seconds
        if self._n_compiling or step is None:
            step, eta = Step(COMPILING), None
        self._connection.send(Advanced(*step, self._fraction, self._forecast.progress, eta, measures, history))
