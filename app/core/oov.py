"""What may become of words that the vocabulary lacks; here, where the command line finds it without numpy."""

from __future__ import annotations

from typing import Literal

Oov = Literal["compose", "reject"]
