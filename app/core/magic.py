"""The first bytes of what is no text, by which files are known."""

from __future__ import annotations

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
XZ = b"\xfd7zXZ\x00"
ZIP = b"PK\x03\x04"
PARQUET = b"PAR1"
