"""Files on their way to a service, in parts: a lost connection, or a service that is away for a while, costs a part."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.command.client import AWAY_SECONDS, RETRY_SECONDS, UPLOAD_PIECE_BYTES, Client, Json
from app.command.failures import CommandFailed, NoService, ServiceError, WrongUsage
from app.command.options import url_again

PASSING = (409, 429, 502, 503, 504)
"""Statuses after which the upload is asked for its end, and gone on with."""


class Sending:
    """One file on its way.

    Parameters
    ----------
    client : of the service
    nouns, name : what it becomes, such as ``corpora`` and ``bible``
    path : the file
    report : is told how many bytes have come by now
    """

    def __init__(self, client: Client, nouns: str, name: str, path: Path, report: Callable[[int], None]) -> None:
        self._client = client
        self._where = (f"/{nouns}", name, "uploads")
        self._path = path
        self._report = report
        self._n_bytes = path.stat().st_size
        self._offset = -1
        self._away_since: float | None = None

    def run(self, upload_id: str | None, *, content_encoding: str, **asked: str) -> Json:
        """Send it, or the rest of an upload that was begun before; what the service says of it.

        Raises
        ------
        ServiceError
            It was refused.
        CommandFailed
            The service was away for too long; how to go on is said.
        """
        upload_id = upload_id or self._begin(content_encoding, asked)
        told = f"go on with --resume {upload_id}{url_again(self._client.url)}"
        while True:
            try:
                state = self._client.get(*self._where, upload_id)
                self._check(state)
                self._note(state["offset"])
                if state["is_sealed"] or state["offset"] == self._n_bytes:
                    return self._seal(upload_id)
                self._add(upload_id, state["offset"])
            except ServiceError as error:
                if not isinstance(error, NoService) and error.problem.get("status") not in PASSING:
                    raise
                self._wait(error, told)

    def _begin(self, content_encoding: str, asked: dict[str, str]) -> str:
        headers = {"Content-Encoding": content_encoding, "Upload-Length": str(self._n_bytes)}
        begun: Json = self._client.send("POST", *self._where, params=asked, headers=headers).json()
        upload_id: str = begun["id"]
        return upload_id

    def _check(self, state: Json) -> None:
        if state["length"] not in {None, self._n_bytes}:
            raise WrongUsage(f"The upload is of {state['length']} bytes, and {self._path} has {self._n_bytes}.")

    def _note(self, offset: int) -> None:
        """Whoever has brought something further may be away again."""
        self._report(offset)
        if offset > self._offset:
            self._away_since = None
        self._offset = offset

    def _add(self, upload_id: str, offset: int) -> None:
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/partial-upload"}
        self._client.send("PATCH", *self._where, upload_id, content=self._pieces(offset), headers=headers)

    def _pieces(self, offset: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(offset)
            while piece := file.read(UPLOAD_PIECE_BYTES):
                yield piece
                offset += len(piece)
                self._report(offset)

    def _seal(self, upload_id: str) -> Json:
        """The service reads all of it, which may take long; that it is this file says its digest."""
        with self._path.open("rb") as file:
            digest = base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
        headers: dict[str, Any] = {"Repr-Digest": f"sha-256=:{digest}:"}
        sealed: Json = self._client.send("POST", *self._where, upload_id, "seal", headers=headers, timeout=None).json()
        return sealed

    def _wait(self, error: ServiceError, told: str) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > AWAY_SECONDS:
            raise CommandFailed(f"{str(error).rstrip('.')}; {told}", error.problem) from error
        time.sleep(RETRY_SECONDS)


def send(
    client: Client, nouns: str, name: str, path: Path, *, resume: str | None, content_encoding: str, **asked: str
) -> Json:
    """Send a file with a bar of what has come on a terminal; raises as `Sending.run`."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from app.command.output import errors

    columns = (BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=path.stat().st_size)
        sending = Sending(client, nouns, name, path, lambda n_bytes: bar.update(task, completed=n_bytes))
        return sending.run(resume, content_encoding=content_encoding, **asked)
