"""Names, each with one grammar: what users choose, what objects are called in storage, ``model@version``."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

CORPORA, FILES, VERSIONS = "corpora", "files", "versions"
CHECKPOINTS, QUARANTINE = "checkpoints", "quarantine"
"""The folders of a storage."""
MAX_WORD_BYTES = 65_536
"""Longer words are left out, of a corpus and of a query: no language has them, and half a word is a wrong word."""


def composed(name: str) -> str:
    """The one spelling of a name that may be spelled with composed or with single marks."""
    return unicodedata.normalize("NFC", name)


Name = Annotated[
    str,
    StringConstraints(pattern=r"^\w[\w.\-]*$", min_length=1, max_length=100),
    AfterValidator(composed),
]
"""Letters of any script, digits, ``_``, ``.`` and ``-``."""


def new_corpus_key() -> str:
    return f"{CORPORA}/{secrets.token_hex(16)}"


def new_file_key() -> str:
    return f"{FILES}/{secrets.token_hex(16)}"


def attempt_prefix(job_id: str, token: str) -> str:
    """The folder that one attempt of a job writes its version to."""
    return f"{VERSIONS}/{job_id}-{token}"


def attempt_of(prefix: str) -> tuple[str, str]:
    """Job id and lease token of an attempt's folder."""
    job_id, _, token = prefix.removeprefix(f"{VERSIONS}/").partition("-")
    return job_id, token


def checkpoint_folder(job_id: str) -> str:
    return f"{CHECKPOINTS}/{job_id}"


def checkpoint_key(job_id: str) -> str:
    return f"{checkpoint_folder(job_id)}/latest"


def quarantine_key(key: str, day: str) -> str:
    """Where an object is kept for some days before it is deleted."""
    return f"{QUARANTINE}/{day}/{key}"


def folder_of(key: str) -> str:
    """The folder of one corpus, version or job that an object belongs to."""
    return "/".join(key.split("/")[:2])


def reference(model: str, version: int | str) -> str:
    """``model@3`` or ``model@alias``."""
    return f"{model}@{version}"


def split_reference(text: str) -> tuple[str, str | None]:
    """Model, and number or alias if one is named."""
    model, _, version = text.partition("@")
    return model, version or None
