"""Bytes from the network -> a file in storage."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.core.catalog.uploads import FileContent
from app.core.errors import FileEmpty
from app.core.names import new_file_key
from app.web.uploads import Receiver, Upload


class FileReceiver(Receiver):
    """Takes a body of any kind that is not empty."""

    def finish(self) -> None:
        super().finish()
        if not self.n_bytes:
            raise FileEmpty


async def receive(upload: Upload, body: AsyncIterator[bytes]) -> FileContent:
    """Stream a body into storage; raises as `FileReceiver`, and leaves nothing then."""
    key = new_file_key()
    received = await upload.store(key, body, FileReceiver)
    return FileContent(key, received.sha256, received.n_bytes)
