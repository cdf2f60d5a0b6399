"""Every kind of job has its payload and its work; what cannot be read ends the job, and nothing else."""

from __future__ import annotations

import errno
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import structlog

from app.core import payloads
from app.core.claims import Claim
from app.core.errors import StorageFull, StorageUnavailable
from trainer.work import child
from trainer.work.kinds import KINDS
from trainer.work.messages import Interrupted, Order, Refused


def test_every_kind_has_payload_and_work() -> None:
    assert KINDS.keys() == payloads.KINDS.keys()


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("knit", {}, "no kind of job 'knit'"),
        ("train", {}, "corpus"),
        (
            "train",
            {"corpus": {"name": "gone"}, "algorithm": "word2vec", "hyperparameters": {}, "text": {}},
            "corpus.key",
        ),
    ],
)
def test_a_job_that_cannot_be_read_is_refused(tmp_path: Path, kind: str, payload: dict[str, Any], words: str) -> None:
    order = Order(Claim("1", "token", 1, kind, "m", payload), "versions/1-token", str(tmp_path), "", "", 1, 0.0)
    receiving, sending = multiprocessing.Pipe(duplex=False)
    child.run(order, sending)
    result = receiving.recv()
    assert isinstance(result, Refused)
    assert result.problem["type"] == "/problems/job-unreadable"
    assert words in result.problem["detail"]


def test_a_job_that_needs_too_much_memory_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused at once: the next attempt would need as much."""

    def too_much(*_: object) -> None:
        raise MemoryError("Unable to allocate 1.51 GiB")

    monkeypatch.setattr(child, "_do", too_much)
    receiving, sending = multiprocessing.Pipe(duplex=False)
    child.run(Order(Claim("1", "t", 1, "train", "m", {}), "versions/1-t", str(tmp_path), "", "", 1, 0.0), sending)
    problem = receiving.recv().problem
    assert problem["type"] == "/problems/memory-short"
    assert "Unable to allocate 1.51 GiB" in problem["detail"]


@pytest.mark.parametrize(
    ("error", "kind", "counts"),
    [
        (StorageUnavailable(), "storage-unavailable", False),
        (StorageFull("no room"), "storage-full", True),
        (OSError(errno.ENOSPC, "No space left on device"), "storage-full", True),
        (OSError(errno.EIO, "Input/output error"), "trainer-broken", True),
        (StorageFull("too large", needed_bytes=2, free_bytes=1), "storage-full", None),
    ],
)
def test_what_may_be_well_later_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str, counts: bool | None
) -> None:
    """All but what was refused before anything was written."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(child, "_do", fail)
    receiving, sending = multiprocessing.Pipe(duplex=False)
    child.run(Order(Claim("1", "t", 1, "train", "m", {}), "versions/1-t", str(tmp_path), "", "", 1, 0.0), sending)
    result = receiving.recv()
    assert result.problem["type"] == f"/problems/{kind}"
    assert (result.counts if isinstance(result, Interrupted) else None) == counts


def test_the_process_of_a_job_names_it_in_every_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    order = Order(Claim("1", "t", 2, "train", "m", {}), "versions/1-t", str(tmp_path), "", "", 1, 0.0, log_json=True)
    process = multiprocessing.get_context("spawn").Process(target=speaking, args=(order,))
    process.start()
    process.join(60)
    out, err = capfd.readouterr()
    (line,) = [json.loads(line) for line in err.splitlines() if "spoken" in line]
    assert (out, line["job"], line["attempt"], line["level"]) == ("", "1", 2, "warning")


def speaking(order: Order) -> None:
    """What a job's process is, with nothing to do but to say a word."""
    child._result = lambda *_: structlog.get_logger().warning("spoken", action="spoken")
    child.run(order, multiprocessing.Pipe(duplex=False)[1])
