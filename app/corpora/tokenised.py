"""Lines of a preview as a tokenizer reads them, in a process of its own: it may be slow, or large, or learn pieces."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from threading import BoundedSemaphore

from app.core.errors import InvalidRequest, Overloaded, WordkinError, reason
from app.core.text import TextSpec
from app.core.text.sample import read_tokenised
from app.core.text.tokenizers import Resources

MOST_SECONDS = 60.0
WAITING_SECONDS = 10.0
"""For the preview of somebody else: one process at a time, since an analyser may take half a gigabyte."""

_turn = BoundedSemaphore(1)
_SPAWN = multiprocessing.get_context("spawn")


def tokenised(text: str, spec: TextSpec, resources: Resources, n_lines: int) -> list[list[str]]:
    """The first lines that have words.

    Raises
    ------
    InvalidRequest
        The tokenizer cannot be made of this text or these files, or takes too long.
    Overloaded
    """
    if not _turn.acquire(timeout=WAITING_SECONDS):
        raise Overloaded("Another preview with a tokenizer is being made; try again shortly.")
    try:
        return _in_a_process(text, spec, resources, n_lines)
    finally:
        _turn.release()


def _in_a_process(text: str, spec: TextSpec, resources: Resources, n_lines: int) -> list[list[str]]:
    ours, theirs = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_read, args=(theirs, text, spec, dict(resources), n_lines), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(MOST_SECONDS):
            raise InvalidRequest(
                f"tokenizer: it has not read the beginning of the corpus within {MOST_SECONDS:g} seconds; a job may."
            )
        found: list[list[str]] | str = ours.recv()
    except EOFError as error:
        raise InvalidRequest("tokenizer: its process has ended before it had read the text.") from error
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(found, str):
        raise InvalidRequest(f"tokenizer: {found}")
    return found


def _read(theirs: Connection, text: str, spec: TextSpec, resources: dict[str, bytes], n_lines: int) -> None:
    try:
        theirs.send(read_tokenised(text, spec, resources, n_lines))
    except WordkinError as error:
        theirs.send(error.detail)
    except Exception as error:  # of a library
        theirs.send(reason(error))
