"""Requests that the service's own document makes up, right and wrong ones, sent to the real application in-process."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.python import asgi

from app.core import jobs
from app.core.database import Database
from app.core.errors import TrainingCrashed
from app.main import create_app
from tests.keyed import bearer, make_key
from tests.published import World, random_vectors

CALLERS = ("nobody", "anonymous", "read", "train", "admin")
"""`nobody` has no key where one is needed, `anonymous` none where none is; the others have keys of these scopes."""
REFUSED = [400, 401, 403, 404, 405, 406, 409, 410, 411, 412, 413, 415, 422, 428, 429, 501, 503]
"""What may be answered to what is wrong; what is wrong may be too large besides, or a name that is not known."""
UNTOLD = {"400", "412", "415", "422"}
"""What may be answered to what the document allows: rules between members, and what a version knows, it cannot say."""
SAYABLE = re.compile(r"(Input|String|List|Tuple|Set|Dictionary) should|Field required|is no such name")
"""What a refusal then may not say, because the document could have said it, too."""
UNKNOWN_HEADER = "in header - object with unexpected properties"
"""What whoever speaks HTTP has to take."""
WORDS = ["king", "queen", "man", "woman", "paris", "감동"]


@dataclass
class Found:
    """What an attack has found: each fault once, with a request that shows it."""

    tell: Callable[[str], None]
    n_requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    operations: set[str] = field(default_factory=set)

    def take(self, recorder: ScenarioRecorder) -> None:
        for case_id, interaction in recorder.interactions.items():
            self.n_requests += 1
            if interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
                self.operations.add(recorder.cases[case_id].value.operation.label)
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.status is Status.FAILURE and check.failure_info is not None:
                    self._fault(recorder, case_id, check.failure_info.failure)

    def _fault(self, recorder: ScenarioRecorder, case_id: str, failure: Failure) -> None:
        label = f"{recorder.cases[case_id].value.operation.label}: {failure.title}: {failure.message}"
        response = recorder.interactions[case_id].response if case_id in recorder.interactions else None
        answer = f"{response.status_code} {response.text[:400]}" if response is not None else ""
        if isinstance(failure, RejectedPositiveData) and answer[:3] in UNTOLD and not SAYABLE.search(answer):
            return
        if isinstance(failure, AcceptedNegativeData) and UNKNOWN_HEADER in failure.message:
            return
        if label not in self.faults:
            self.faults[label] = f"{recorder.cases[case_id].value.as_curl_command()[:1000]}\n  -> {answer}"
            self.tell(f"- {label}\n  {self.faults[label]}")


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A model of two versions, which an alias names beside `latest`, to be asked and changed."""
    made = World(folder, allowed_hosts=asgi.HOST, max_corpus_bytes=1 << 20)
    for seed in (0, 1):
        made.publish("m", WORDS, random_vectors(len(WORDS), 8, seed))
    made.move("m", "stable", 1)
    yield made
    made.close()


@contextmanager
def application(made: World, caller: str) -> Iterator[tuple[FastAPI, Mapping[str, str]]]:
    """The application, started, and what its caller sends."""
    scopes = () if caller == "anonymous" else ("read", "train", "admin")
    keys = {scope: make_key(made.database, scope) for scope in scopes}
    app = create_app(made.settings)
    stopping = threading.Event()
    ending = threading.Thread(target=_end_jobs, args=(made.database, stopping))
    try:
        with asgi.get_client(app) as client:  # the first client starts it
            client.get("/livez")
        app.state.registry.refresh()
        app.state.keyring.refresh()
        ending.start()
        yield app, bearer(keys[caller]) if caller in keys else {}
    finally:
        stopping.set()
        if ending.ident:
            ending.join()
        asgi.shutdown_lifespans()


def _end_jobs(database: Database, stopping: threading.Event) -> None:
    """Let every job fail, as a trainer might, so that no stream of its events is endless."""
    while not stopping.wait(0.2):
        while claim := jobs.claim(database, "attacked", lease_seconds=60, max_attempts=1):
            jobs.fail(database, claim, TrainingCrashed("There is no trainer here.").problem())


def attack(app: FastAPI, headers: Mapping[str, str], said: Mapping[str, Any], tell: Callable[[str], None]) -> Found:
    """Send what the document makes up; `said` is schemathesis's own configuration."""
    is_open = app.state.keyring.known(None) is not None
    always = {
        "headers": dict(headers),
        "continue-on-failure": True,
        "suppress-health-check": ["all"],
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSED}},
    }
    document = deepcopy(app.openapi())
    if is_open:
        for operation in (each for path in document["paths"].values() for each in path.values()):
            operation.pop("security", None)
    whole = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict({**always, **said}))
    whole.app = app
    # the first key would close an open service
    schema = whole.exclude(path="/keys", method="POST") if is_open else whole
    found = Found(tell)
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished(recorder=recorder):
                found.take(recorder)
            case events.NonFatalError(value=error, label=label):
                found.faults[f"{label}: {error}"] = ""
                tell(f"- {label}: {error}")
            case events.FatalError(exception=error):
                raise error
    return found
