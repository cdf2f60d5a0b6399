"""Names that users choose, with one grammar for all of them."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


Name = Annotated[
    str,
    StringConstraints(pattern=r"^\w[\w.\-]*$", min_length=1, max_length=100),
    AfterValidator(_nfc),
]
"""Letters of any script, digits, ``_``, ``.`` and ``-``."""
