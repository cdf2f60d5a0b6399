"""What the command line asks of a running service, over HTTP like everybody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx
from httpx_sse import ServerSentEvent, connect_sse
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from app.command.failures import NoService, ServiceError
from app.command.options import key_header, needs_certificates

SLOW = 1e5
"""Tokens per second that are told in thousands, as morphemes are read."""
AWAY_SECONDS, RETRY_SECONDS = 60.0, 0.5
"""How long a service may be away while a job is followed, and how often it is looked for."""
AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What is answered for it then, by a proxy or by itself without its database."""
UPLOAD_PIECE_BYTES = 1 << 20
ENDED = ("succeeded", "failed", "cancelled")
LISTS = {
    "/problems/model-not-found": "models",
    "/problems/corpus-not-found": "corpora",
    "/problems/file-not-found": "files",
}
"""Where the names stand of which one was missed."""
SAID_OTHERWISE = (("with model=.", "with --model."), ("?encoding=,", "--encoding NAME,"), ("?encoding=", "--encoding "))
"""Of a problem's detail, what a command line writes in another way."""
KEY_PROBLEMS = ("/problems/key-required", "/problems/key-invalid")

Json = dict[str, Any]


class Client:
    """A running service at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        timeout = httpx.Timeout(60.0, connect=5.0)
        verify = needs_certificates(self.url)
        self._http = httpx.Client(base_url=self.url, timeout=timeout, headers=key_header(), verify=verify)

    def close(self) -> None:
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Raise `ServiceError` with the problem's own words unless the answer is a success."""
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise NoService(f"No service answers at {self.url} ({error}). Start one with: wordkin up") from error
        if response.is_error:
            raise self._failure(response)
        return response

    def send(self, method: str, *parts: object, **options: Any) -> httpx.Response:
        """Ask for a path of parts; a name in it may hold any character."""
        first, *names = parts
        return self.request(method, "/".join([str(first), *(quote(str(name), safe="") for name in names)]), **options)

    def get(self, *parts: object, **parameters: Any) -> Json:
        given = {name: value for name, value in parameters.items() if value is not None}
        answer: Json = self.send("GET", *parts, params=given).json()
        return answer

    @contextmanager
    def streamed(self, *parts: object, **parameters: Any) -> Iterator[httpx.Response]:
        """An answer whose body is still to be read, in the bytes that the service makes."""
        first, *names = parts
        path = "/".join([str(first), *(quote(str(name), safe="") for name in names)])
        given = {name: value for name, value in parameters.items() if value is not None}
        try:
            with self._http.stream("GET", path, params=given, headers={"Accept-Encoding": "identity"}) as response:
                if response.is_error:
                    response.read()
                    raise self._failure(response)
                yield response
        except httpx.ConnectError as error:
            raise ServiceError(f"No service answers at {self.url} ({error}). Start one with: wordkin up") from error
        except httpx.TransportError as error:
            raise ServiceError(f"The answer was cut off ({error}); the log of the service says why.") from error

    def upload(
        self, name: str, path: Path, *, noun: str = "corpora", content_encoding: str = "identity", **asked: str
    ) -> Json:
        """Send a file as it is; `asked` goes into the query."""
        headers = {"Content-Encoding": content_encoding, "Content-Type": "application/octet-stream"}
        with path.open("rb") as file:
            pieces = _pieces(file)
            answer: Json = self.send("PUT", f"/{noun}", name, content=pieces, headers=headers, params=asked).json()
        return answer

    def submit(self, submission: Json) -> Json:
        answer: Json = self.send("POST", "/jobs", json=submission).json()
        return answer

    def _failure(self, response: httpx.Response) -> ServiceError:
        try:
            problem: Json = response.json()
        except ValueError:
            told = f"{response.status_code} {response.reason_phrase}: {response.text[:200]}"
            return ServiceError(told, {"type": "about:blank", "status": response.status_code, "detail": told})
        told = f"{problem.get('title', response.reason_phrase)}: {_detail(problem)}{_hint(problem)}"
        listed = LISTS.get(problem.get("type", ""))
        if listed:
            names = [item["name"] for item in self.get(f"/{listed}")[listed]]
            told += f" There are: {', '.join(names)}." if names else ""
        return ServiceError(told, problem)

    def follow(self, job_id: str, console: Console) -> Json:
        """Show a progress bar until the job ends, and return it."""
        columns = (
            TextColumn("{task.fields[phase]:<26}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[loss]}"),
            TextColumn("{task.fields[eta]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=1.0, phase="waiting", speed="", loss="", eta="")
            for job in self._states(job_id, console):
                bar.update(task, completed=job["progress"], **_shown(job))
                if job["state"] in ENDED:
                    break
            return job

    def _states(self, job_id: str, console: Console) -> Iterator[Json]:
        """The job whenever something happens to it; while the service is away, which it may be for a while, nothing."""
        known: str | None = None
        away_since: float | None = None
        while True:
            try:
                for event in self._events(job_id, known):
                    known, away_since = event.id or known, None
                    if event.data:  # what keeps a quiet stream open comes as an event without any
                        yield event.json()
                job: Json = self.get("/jobs", job_id)  # where its stream was cut, or where there was no room for one
                away_since = None
                yield job
            except ServiceError as error:
                if error.problem.get("status", HTTPStatus.BAD_GATEWAY) not in AWAY:
                    raise
                now = time.monotonic()
                if away_since is None:
                    away_since = now
                    told = f"The service at {self.url} does not answer; waiting for it."
                    console.print(told, markup=False, highlight=False, soft_wrap=True)
                if now - away_since > AWAY_SECONDS:
                    raise
            time.sleep(RETRY_SECONDS)

    def _events(self, job_id: str, known: str | None) -> Iterator[ServerSentEvent]:
        """What happens to a job after the event that is known, as long as it is told."""
        path, headers = f"/jobs/{quote(job_id, safe='')}/events", {"Last-Event-ID": known} if known else {}
        with suppress(httpx.TransportError), connect_sse(self._http, "GET", path, headers=headers) as stream:
            if stream.response.is_success:
                yield from stream.iter_sse()


def _shown(job: Json) -> dict[str, Any]:
    phase = _doing(job) if job["state"] == "running" else None
    speed, loss, eta = job["tokens_per_second"], job["loss"], job["eta_seconds"]
    return {
        "phase": phase or {"queued": "waiting", "running": "starting"}.get(job["state"], job["state"]),
        "speed": told_speed(speed) if speed else "",
        "loss": f"loss {loss:.4f}" if loss is not None else "",
        "eta": f"{eta:.0f} s left" if eta else "",
    }


def told_speed(tokens_per_second: float) -> str:
    if tokens_per_second < SLOW:
        return f"{tokens_per_second / 1e3:.1f} k tokens/s"
    return f"{tokens_per_second / 1e6:.2f} M tokens/s"


def _doing(job: Json) -> str | None:
    """The phase, with its step where it has several."""
    if job["phase"] == "compiling":
        return "compiling (first time on this machine)"
    return ": ".join(part for part in (job["phase"], job["step"]) if part) or None


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(UPLOAD_PIECE_BYTES):
        yield piece


def _detail(problem: Json) -> str:
    """What is wrong, by the names that a command line has: ``k`` for ``query.k``, ``--model`` for ``model=``."""
    issues = problem.get("errors") or []
    if issues:
        return "; ".join(f"{issue['location'].rpartition('.')[2]}: {issue['message']}" for issue in issues)
    detail: str = problem.get("detail", "")
    for theirs, ours in SAID_OTHERWISE:
        detail = detail.replace(theirs, ours)
    return detail


def _hint(problem: Json) -> str:
    if problem.get("type") in KEY_PROBLEMS:
        return " Set WORDKIN_API_KEY to a key of this service."
    near = [f"{word} → {', '.join(words)}" for word, words in problem.get("suggestions", {}).items() if words]
    if near:
        return f" Near spellings: {'; '.join(near)}."
    return f" There are: {', '.join(problem['models'])}." if "models" in problem else ""
