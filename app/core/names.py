"""Names, each with one grammar: what users choose, what objects are called in storage, ``model@version``."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

CORPORA, FILES, VERSIONS = "corpora", "files", "versions"
CHECKPOINTS, QUARANTINE, UPLOADS = "checkpoints", "quarantine", "uploads"
"""The folders of a storage."""
MAX_NUMBER_DIGITS = 9
"""Of a version's number."""
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


def _with_revision(noun: str, example: str) -> Any:
    """Describes how a job names an upload."""
    return Field(
        pattern=r"^\w[\w.\-]*(@[1-9][0-9]{0,8})?$",
        max_length=110,
        description=f"an uploaded {noun}, its newest revision or ``name@revision``",
        examples=[example],
    )


CorpusReference = Annotated[str, _with_revision("corpus", "bible"), AfterValidator(composed)]
FileReference = Annotated[str, _with_revision("file", "glove.6B.50d.txt"), AfterValidator(composed)]


def new_corpus_key() -> str:
    return f"{CORPORA}/{secrets.token_hex(16)}"


def new_file_key() -> str:
    return f"{FILES}/{secrets.token_hex(16)}"


def new_part_key(upload_id: str) -> str:
    return f"{UPLOADS}/{upload_id}/{secrets.token_hex(16)}"


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


def pinned_number(version: str) -> int | None:
    """The number in ``3`` or ``v3``; None for an alias."""
    digits = version.removeprefix("v")
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= MAX_NUMBER_DIGITS else None


def split_reference(text: str) -> tuple[str, str | None]:
    """Model, and number or alias if one is named."""
    model, _, version = text.partition("@")
    return model, version or None


def in_one_order(references: Iterable[str]) -> list[str]:
    """By name, whatever is said behind it: two who hold what they name in this order never wait for each other."""
    return sorted(set(references), key=lambda each: (split_reference(each)[0], each))
