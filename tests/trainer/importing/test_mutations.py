"""Files that were cut, changed by bits or lie in their first bytes: told as unreadable, and never at a great cost."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from safetensors.numpy import save

from app.core.errors import WordkinError
from app.core.payloads import RowPolicies
from app.core.text import TextReader
from app.core.vector_files import VectorFormat
from tests.published import random_vectors, write_version
from tests.trainer.importing import test_fasttext, test_finalfusion, test_model2vec
from tests.trainer.importing.conftest import AS_IT_IS
from tests.trainer.importing.test_matrices import saved
from tests.trainer.work.test_restore import changed as resealed
from tests.trainer.work.test_restore import packed
from trainer.importing.bundle import unpack
from trainer.importing.read import READERS, format_of
from trainer.importing.source import Source

N_CASES = int(os.environ.get("WORDKIN_MUTATIONS", "320"))
"""Of all formats together; more are tried by hand."""
CONSTANT_BYTES = 24 << 20
"""Blocks that a reader works on, whatever the size of the file."""
LIES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1]

N_WORDS, DIM = 40, 8
WORDS = [f"word{i}" for i in range(N_WORDS)]
VECTORS = random_vectors(N_WORDS, DIM)


def _saved_by_gensim(folder: Path, *, binary: bool, header: bool = True) -> bytes:
    vectors = KeyedVectors(DIM)
    vectors.add_vectors(WORDS, VECTORS)
    vectors.save_word2vec_format(str(folder / "saved"), binary=binary, write_header=header)
    return (folder / "saved").read_bytes()


def _bundle(folder: Path) -> bytes:
    write_version(folder / "version", WORDS, VECTORS)
    return packed(folder / "version")


WRITERS: dict[VectorFormat, Callable[[Path], bytes]] = {
    "word2vec-text": lambda folder: _saved_by_gensim(folder, binary=False),
    "word2vec-binary": lambda folder: _saved_by_gensim(folder, binary=True),
    "glove": lambda folder: _saved_by_gensim(folder, binary=False, header=False),
    "safetensors": lambda _: save({"vectors": VECTORS, "bias": VECTORS[0]}),
    "npy": lambda _: saved(VECTORS),
    "finalfusion": lambda _: test_finalfusion.written(
        (1, test_finalfusion.simple(WORDS)), (2, VECTORS), (6, np.ones(N_WORDS, np.float32))
    ),
    "fasttext-binary": lambda _: test_fasttext.written(),
    "model2vec": lambda _: test_model2vec.model(
        embeddings=test_model2vec.TABLE, mapping=np.arange(4), weights=np.ones(4, np.float32)
    ),
    "native": _bundle,
}


def mutated(content: bytes, rng: np.random.Generator, n_cases: int) -> Iterator[bytes]:
    """Cut, with bits changed, or with a number in its first bytes that lies; one after the other."""
    for case in range(n_cases):
        changed = bytearray(content)
        if case % 3 == 0:
            del changed[int(rng.integers(len(content))) :]
        elif case % 3 == 1:
            for place in rng.integers(len(content), size=rng.integers(1, 9)).tolist():
                changed[place] ^= 1 << int(rng.integers(8))
        else:
            width, place = int(rng.choice([1, 4, 8])), int(rng.integers(min(len(content) - 8, 1200)))
            lie = LIES[rng.integers(len(LIES))] & (2 ** (8 * width) - 1)
            changed[place : place + width] = lie.to_bytes(width, "little")
        yield bytes(changed)


def _read(asked: VectorFormat, folder: Path, content: bytes, case: int) -> None:
    """Read it as what it was, or by its first bytes."""
    path = folder / "mutated"
    path.write_bytes(content)
    name = format_of(path) if case % 4 == 0 else asked
    if name == "native":
        (folder / f"unpacked{case}").mkdir()
        unpack(path, folder / f"unpacked{case}")
        return
    policies = RowPolicies(bad_rows="drop" if case % 2 else "error", header="ignore" if case % 2 else "error")
    READERS[name](Source(path, len(content), policies, TextReader(AS_IT_IS), 1, lambda _: None, folder / "vocabulary"))


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_not_whole_is_told_or_read(name: VectorFormat, tmp_path: Path) -> None:
    (tmp_path / "vocabulary").write_text("\n".join(WORDS), encoding="utf-8")
    content = WRITERS[name](tmp_path)
    _read(name, tmp_path, content, -1)  # as it is, it can be read
    rng = np.random.default_rng(list(name.encode()))
    n_refused, most = 0, 0
    tracemalloc.start()
    try:
        for case, changed in enumerate(mutated(content, rng, N_CASES // len(WRITERS))):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            try:
                _read(name, tmp_path, changed, case)
            except WordkinError:
                n_refused += 1
            most = max(most, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert n_refused > N_CASES // len(WRITERS) // 4
    assert most < 2 * len(content) + CONSTANT_BYTES


def test_a_bundle_whose_digests_were_made_to_fit_is_told_or_sound(tmp_path: Path) -> None:
    write_version(tmp_path / "version", WORDS, VECTORS)
    table = tmp_path / "version" / "table.safetensors"
    n_sound, rng = 0, np.random.default_rng(1)
    for case, changed in enumerate(mutated(table.read_bytes(), rng, N_CASES // 4)):
        table.write_bytes(changed)
        resealed(tmp_path / "version", lambda said: said)
        with suppress(WordkinError):
            _read("native", tmp_path, packed(tmp_path / "version"), 4 * case + 1)
            n_sound += 1
    assert n_sound < N_CASES // 4 // 2


def test_every_format_is_tried() -> None:
    assert set(WRITERS) == {*READERS, "native"}
