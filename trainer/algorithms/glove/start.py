"""What a GloVe training starts from."""

from __future__ import annotations

from app.core.table.arrays import FloatArray
from trainer.kernels.hashing import fill_uniform, key_of
from trainer.kernels.rows import padded
from trainer.steps.keys import GloVeKey


def initialise(parameters: FloatArray, dim: int, seed: int) -> None:
    """Draw vectors and biases uniformly within half a unit over `dim`, as the C program does; squared gradients 1."""
    size = padded(dim)
    for role, vectors in enumerate((parameters[:, : 2 * size], parameters[:, 2 * size : 4 * size])):
        fill_uniform(vectors, dim, key_of(seed, GloVeKey.INITIAL, role), 0.5 / dim)
        vectors[:, size:] = 1
        biases = parameters[:, 4 * size + 2 * role : 4 * size + 2 * role + 2]
        fill_uniform(biases, 1, key_of(seed, GloVeKey.INITIAL, 2 + role), 0.5 / dim)
        biases[:, 1] = 1
