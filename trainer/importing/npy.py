"""A matrix as numpy saves it, by rows or by columns. Objects, which numpy would unpickle, are refused."""

from __future__ import annotations

import re

from app.core.errors import VectorsUnreadable
from trainer.importing.listed import read_listed
from trainer.importing.matrix import Matrix
from trainer.importing.rows import Collected
from trainer.importing.source import Source

MAGIC = b"\x93NUMPY"
MAX_HEADER_BYTES = 1 << 16
LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
"""Of the header's length, by version."""
TYPES = {b"<f2": "F16", b"<f4": "F32", b"<f8": "F64"}
_DTYPE = re.compile(rb"'descr': *'([^']{1,20})'")
_ORDER = re.compile(rb"'fortran_order': *(True|False)")
_SHAPE = re.compile(rb"'shape': *\(([0-9]{1,12}), *([0-9]{1,9}),?\)")


def read_npy(source: Source) -> Collected:
    """Read the matrix, with words from the vocabulary.

    Raises
    ------
    VectorsUnreadable
    """
    matrix = _matrix(source)
    if matrix.start + matrix.n_bytes < source.n_bytes:
        end = matrix.start + matrix.n_bytes
        raise VectorsUnreadable(f"The matrix ends at byte {end}, the file at byte {source.n_bytes}.", byte=end)
    return read_listed(matrix, source)


def _matrix(source: Source) -> Matrix:
    with source.path.open("rb") as file:
        head = file.read(len(MAGIC) + 2)
        n_length = LENGTH_BYTES.get(head[6], 0) if len(head) == 8 and head.startswith(MAGIC) else 0
        n_header = int.from_bytes(file.read(n_length), "little")
        if not 0 < n_header <= MAX_HEADER_BYTES:
            raise VectorsUnreadable(
                f"Byte 0: this is no file of numpy of version 1 to 3 with a header up to {MAX_HEADER_BYTES}.", byte=0
            )
        header = file.read(n_header)
    start = len(head) + n_length
    dtype, order, shape = (pattern.search(header) for pattern in (_DTYPE, _ORDER, _SHAPE))
    if not dtype or not order or not shape or dtype[1] not in TYPES:
        raise VectorsUnreadable(
            f"Byte {start}: a matrix of two dimensions of {', '.join(t.decode() for t in TYPES)} can be read, not "
            f"{header[:120].decode('latin-1').strip()}.",
            byte=start,
        )
    n_rows, dim = int(shape[1]), int(shape[2])
    return Matrix(source.path, start + n_header, TYPES[dtype[1]], n_rows, dim, "F" if order[1] == b"True" else "C")
