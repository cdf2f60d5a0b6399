"""Clients that go on whatever breaks: they repeat what was not answered, and write down what they were told."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

import httpx

WORDS = ["".join(letters) for letters in itertools.product("abcdef", repeat=2)]
MODELS = ["first", "second", "third"]
CORPORA = [f"corpus-{number}" for number in range(6)]
MOST_UNFINISHED = 4
"""Jobs that wait or run at a time; the trainers must have done them in the end."""
ANSWER_SECONDS = 30.0
REPEAT_SECONDS = 60.0
UNABLE = (503, 507)
"""What is answered while database, storage or disk are ill."""
PIECE = b"a large text that no job reads\n" * 300_000


class Ledger:
    """What all clients were told, and what of it cannot be; they are the more patient the slower the machine is."""

    def __init__(self) -> None:
        self.patience = 1.0
        self._lock = threading.Lock()
        self.accepted: dict[str, str] = {}
        self.confirmed: dict[str, str] = {}
        """Digests of those corpora that nobody deletes or replaces."""
        self.answers: dict[tuple[str, int, str], bytes] = {}
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []

    def violated(self, what: str) -> None:
        with self._lock:
            self.violations.append(what)

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def accept(self, key: str, job_id: str) -> None:
        with self._lock:
            if self.accepted.setdefault(key, job_id) != job_id:
                self.violations.append(f"the key {key} made the jobs {self.accepted[key]} and {job_id}")

    def compare(self, question: tuple[str, int, str], answer: bytes) -> None:
        with self._lock:
            self.counts["answers compared"] += question in self.answers
            if self.answers.setdefault(question, answer) != answer:
                self.violations.append(f"{question} was answered {self.answers[question]!r} and {answer!r}")


class Unexpected(Exception):
    """An answer that should not have come; it is in the ledger."""


class Client:
    """One of several that work at the same time, each on a path that its seed decides."""

    def __init__(self, urls: list[str], ledger: Ledger, random: Random, name: str) -> None:
        self._urls = urls
        self._ledger = ledger
        self._random = random
        self._name = name
        self._n_keys = 0
        self._versions: list[tuple[str, int]] = []
        self._http = httpx.Client(timeout=ANSWER_SECONDS)

    def work(self, is_over: threading.Event) -> None:
        acts: dict[Callable[[], None], int] = {
            self.upload: 4,
            self.keep: 1,
            self.upload_large: 1,
            self.submit: 6,
            self.delete_while_submitting: 2,
            self.learn: 6,
            self.ask: 20,
        }
        while not is_over.is_set():
            [act] = self._random.choices(list(acts), weights=list(acts.values()))
            try:
                act()
            except Unexpected:
                continue
            except httpx.HTTPError as error:
                self._ledger.violated(f"{act.__name__} was not answered in time: {error!r}")
            except Exception as error:
                self._ledger.violated(f"{act.__name__}: {error!r}")
                raise
            time.sleep(self._random.uniform(0.0, 0.1))
        self._http.close()

    def request(self, method: str, path: str, expected: set[int], **given: Any) -> httpx.Response:
        """The answer, asked for again while nobody is there; it must be one of the expected ones."""
        deadline = time.monotonic() + REPEAT_SECONDS * self._ledger.patience
        while True:
            try:
                url = self._random.choice(self._urls) + path
                response = self._http.request(method, url, timeout=ANSWER_SECONDS * self._ledger.patience, **given)
            except httpx.ReadTimeout:
                self._ledger.violated(f"{method} {path} hung for {ANSWER_SECONDS * self._ledger.patience:g} s")
                raise
            except httpx.TransportError:
                self._ledger.count("connections broken")
                if time.monotonic() > deadline:
                    raise
            else:
                self._ledger.count(f"status {response.status_code}")
                if response.status_code not in UNABLE or time.monotonic() > deadline:
                    break
            time.sleep(0.1)
        if response.status_code not in expected:
            self._ledger.violated(f"{method} {path}: {response.status_code} {response.text[:300]}")
            raise Unexpected
        return response

    def upload(self) -> None:
        name = self._random.choice(CORPORA)
        self._upload(name, corpus(name, self._random.choice([1, 1, 1, 2])), {200, 201, 409})

    def keep(self) -> None:
        """A corpus that nobody deletes or replaces."""
        self._n_keys += 1
        name = f"kept-{self._name}-{self._n_keys}"
        text = corpus(name, 1)
        if self._upload(name, text, {200, 201}).is_success:
            self._ledger.confirmed[name] = hashlib.sha256(text).hexdigest()

    def _upload(self, name: str, text: bytes, expected: set[int]) -> httpx.Response:
        response = self.request("PUT", f"/corpora/{name}", expected, content=text)
        if response.is_success and response.json()["sha256"] != hashlib.sha256(text).hexdigest():
            self._ledger.violated(f"the digest of {name} is not its text's: {response.text}")
        return response

    def upload_large(self) -> None:
        """One that is cut in the middle now and then; no job reads it."""

        def body() -> Iterator[bytes]:
            for _ in range(3):
                yield PIECE
                time.sleep(0.1)

        try:
            url = self._random.choice(self._urls)
            response = self._http.put(f"{url}/corpora/large-{self._name}", content=body())
            self._ledger.count(f"status {response.status_code}")
        except httpx.TransportError:
            self._ledger.count("connections broken")
        self.request("DELETE", f"/corpora/large-{self._name}", {204, 404})

    def submit(self) -> None:
        if self._has_room():
            self._submit(self._random.choice(CORPORA))

    def _has_room(self) -> bool:
        unfinished = 0
        for state in ("queued", "running"):
            response = self.request("GET", "/jobs", {200}, params={"state": state})
            unfinished += len(response.json()["jobs"]) if response.is_success else MOST_UNFINISHED
        return unfinished < MOST_UNFINISHED

    def _submit(self, name: str) -> None:
        """Repeated with its key until it is answered, and now and then once more."""
        self._n_keys += 1
        key = f"{self._name}-{self._n_keys}"
        job = training(self._random.choice(MODELS), name, self._random.choice([2, 2, 20, 200]))
        for _ in range(self._random.choice([1, 1, 2])):
            response = self.request("POST", "/jobs", {202, 404}, json=job, headers={"Idempotency-Key": key})
            if response.status_code == 202:
                self._ledger.accept(key, response.json()["id"])
            elif key in self._ledger.accepted:
                self._ledger.violated(f"the job {self._ledger.accepted[key]} was accepted and then refused")
        if self._random.random() < 0.2:
            self.cancel()

    def cancel(self) -> None:
        accepted = list(self._ledger.accepted.values())
        if accepted:
            job_id = self._random.choice(accepted[-3:])
            self.request("POST", f"/jobs/{job_id}/cancel", {202, 409})

    def delete_while_submitting(self) -> None:
        name = self._random.choice(CORPORA)
        with ThreadPoolExecutor(1) as other, beside(self) as deleting:
            deletion = other.submit(deleting.request, "DELETE", f"/corpora/{name}", {204, 404, 409})
            if self._has_room():
                self._submit(name)
            deletion.result()

    def learn(self) -> None:
        """What versions there are, from jobs that succeeded."""
        for job in self.request("GET", "/jobs", {200}, params={"state": "succeeded", "limit": 20}).json()["jobs"]:
            if (found := (job["model"], job["version"])) not in self._versions:
                self._versions.append(found)

    def ask(self) -> None:
        """By number, and what is latest."""
        if not self._versions:
            return
        model, number = self._random.choice(self._versions[-6:])
        for word in self._random.sample(WORDS[:6], 3):
            version = self._random.choice([str(number), "latest"])
            asked = {"model": model, "version": version, "word": word}
            response = self.request("GET", "/neighbors", {200}, params=asked)
            if response.is_success:
                told = response.json()
                self._ledger.compare((told["model"], told["version"], told["word"]), response.content)


@contextmanager
def beside(client: Client) -> Iterator[Client]:
    """Another client for a second thread: connections and random numbers are not shared."""
    other = Client(client._urls, client._ledger, Random(client._random.random()), client._name)
    yield other
    other._http.close()


def corpus(name: str, edition: int) -> bytes:
    """A small text, another one for every name and edition."""
    random = Random(f"{name} {edition}")
    lines = (" ".join(random.choices(WORDS, weights=range(len(WORDS), 0, -1), k=10)) for _ in range(200))
    return "\n".join(lines).encode()


def training(model: str, name: str, epochs: int) -> dict[str, Any]:
    hyperparameters = {"dim": 16, "epochs": epochs, "min_count": 1, "subsampling_threshold": 0}
    job = {"model": model, "corpus": name, "algorithm": "word2vec", "hyperparameters": hyperparameters}
    return job | {"align": False}  # turned onto another version, the same training would be another table
