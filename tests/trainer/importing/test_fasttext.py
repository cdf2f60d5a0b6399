"""Models of fastText: vectors as gensim composes them, words by count; what is not read is refused by name."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
from gensim.models import FastText
from gensim.models.fasttext import ft_ngram_hashes, load_facebook_vectors, save_facebook_model

from app.core.errors import VectorsUnreadable
from app.core.table.composing import NgramComposer
from app.core.table.parts import Ngrams
from tests.trainer.importing.conftest import Read

N_BUCKETS, DIM = 11, 3
ENTRIES = [(b"king", 9, 0), ("왕궁".encode(), 12, 0), (b"</s>", 5, 0)]
LABELS = [(b"__label__good", 2, 1)]
MAGIC = struct.pack("<ii", 793712314, 12)
ROWS = np.random.default_rng(1).standard_normal((len(ENTRIES) + N_BUCKETS, DIM)).astype(np.float32)


def written(
    entries: list[tuple[bytes, int, int]] = ENTRIES,
    rows: np.ndarray = ROWS,
    sizes: tuple[int, int] = (2, 4),
    magic: bytes = MAGIC,
    n_pruned: int = -1,
    quantised: int = 0,
    kind: int = 2,
) -> bytes:
    """A model of fastText; without `magic` as its first versions wrote it."""
    n_labels = sum(entry[2] for entry in entries)
    content = magic + struct.pack("<12id", DIM, 5, 5, 1, 5, 1, 2, kind, N_BUCKETS, *sizes, 100, 1e-4)
    content += struct.pack("<3iq", len(entries), len(entries) - n_labels, n_labels, 100)
    content += struct.pack("<q", n_pruned) if magic else b""
    content += b"".join(word + b"\0" + struct.pack("<qb", count, of) for word, count, of in entries)
    mark = bytes([quantised]) if magic else b""
    return content + 2 * (mark + struct.pack("<qq", *rows.shape) + rows.tobytes())


def composed(word: bytes, row: int, sizes: tuple[int, int] = (2, 4)) -> Any:
    hashes = ft_ngram_hashes(word.decode(), *sizes, N_BUCKETS)
    return ROWS[[row, *(len(ENTRIES) + np.array(hashes, np.int64))]].mean(axis=0)


def test_what_gensim_saves_is_read_as_gensim_reads_it(read: Read, tmp_path: Path) -> None:
    sentences = [["왕", "king", "queen", "바다의", "é"], ["king", "sea", "바다"], ["king"]] * 20
    model = FastText(sentences, vector_size=7, bucket=97, min_count=1, min_n=2, max_n=5, epochs=2, seed=1)
    save_facebook_model(model, str(tmp_path / "model.bin"))
    found = read((tmp_path / "model.bin").read_bytes())
    expected = load_facebook_vectors(str(tmp_path / "model.bin"))
    assert sorted(found.words) == sorted(expected.index_to_key)
    np.testing.assert_allclose(found.vectors, [expected[word] for word in found.words], atol=1e-7)
    assert found.counts is not None
    counts = dict(zip(found.words, found.counts.tolist(), strict=True))
    assert (counts["king"], counts["바다"]) == (60, 20)


def test_words_have_their_n_grams_and_the_end_of_a_line_has_none(read: Read) -> None:
    found = read(written())
    assert (found.words, found.counts is not None and found.counts.tolist()) == (["king", "왕궁", "</s>"], [9, 12, 5])
    expected = [composed(b"king", 0), composed("왕궁".encode(), 1), ROWS[2]]
    np.testing.assert_allclose(found.vectors, expected, atol=1e-6)


@pytest.mark.parametrize("sizes", [(2, 5), (1, 3)])
def test_words_that_it_lacks_are_composed_as_fasttext_composes_them(
    read: Read, tmp_path: Path, sizes: tuple[int, int]
) -> None:
    sentences = [["왕", "king", "queen", "바다의", "é"], ["king", "sea", "바다"]] * 5
    min_n, max_n = sizes
    model = FastText(sentences, vector_size=7, bucket=97, min_count=1, min_n=min_n, max_n=max_n, epochs=1, seed=1)
    save_facebook_model(model, str(tmp_path / "model.bin"))
    parts = read((tmp_path / "model.bin").read_bytes()).parts
    assert parts is not None
    assert isinstance(parts.composition, Ngrams)
    assert (parts.composition.n_buckets, parts.keys.tolist()) == (97, list(range(97)))
    occurring = {code for word in model.wv.index_to_key for code in ft_ngram_hashes(word, *sizes, 97)}
    assert parts.trained is not None
    assert set(np.flatnonzero(parts.trained).tolist()) == occurring
    composer, theirs = NgramComposer(parts, parts.composition), fasttext.load_model(str(tmp_path / "model.bin"))
    for word in ("kings", "바다가", "éé", "sea-king", "k"):
        found, hashes = composer.compose(word), ft_ngram_hashes(word, *sizes, 97)
        assert found is not None
        rows = [theirs.get_input_vector(row) for row in theirs.get_subwords(word)[1]]
        np.testing.assert_allclose(found.vector, np.mean(rows, axis=0), atol=1e-7)
        direction = theirs.get_word_vector(word)
        np.testing.assert_allclose(found.direction, direction / np.linalg.norm(direction), atol=1e-5)
        assert found.confidence == round(sum(code in occurring for code in hashes) / len(hashes), 4)


def test_rows_of_n_grams_that_are_not_finite_are_left_out(read: Read) -> None:
    rows = ROWS.copy()
    rows[-1, 1] = np.nan
    unused = set(range(N_BUCKETS)) - {N_BUCKETS - 1}
    parts = read(written([(b"</s>", 5, 0), (b"a", 3, 0), (b"b", 1, 0)], rows)).parts
    assert parts is not None
    assert set(parts.keys.tolist()) == unused


@pytest.mark.parametrize("policy", ["trained", "drop"])
def test_of_the_n_grams_those_of_the_vocabulary_or_none_are_kept(read: Read, policy: str) -> None:
    everything, found = read(written(sizes=(3, 3))), read(written(sizes=(3, 3)), ngrams=policy)
    np.testing.assert_array_equal(found.vectors, everything.vectors)
    assert (everything.n_ngrams, found.n_ngrams) == (N_BUCKETS, N_BUCKETS)
    if policy == "drop":
        assert found.parts is None
        return
    assert everything.parts
    assert found.parts
    assert everything.parts.trained is not None
    kept = np.flatnonzero(everything.parts.trained)
    assert 0 < len(kept) < N_BUCKETS
    assert found.parts.keys.tolist() == kept.tolist()
    np.testing.assert_array_equal(found.parts.vectors, everything.parts.vectors[kept])
    assert isinstance(found.parts.composition, Ngrams)
    one, other = (NgramComposer(parts, found.parts.composition) for parts in (found.parts, everything.parts))
    mine, theirs = one.compose("king"), other.compose("king")
    assert mine
    assert theirs
    np.testing.assert_array_equal(mine.direction, theirs.direction)
    assert mine.confidence == theirs.confidence == 1


def test_no_n_gram_is_kept_where_no_word_has_one(read: Read) -> None:
    assert read(written([(b"</s>", 5, 0), (b"a", 3, 0), (b"b", 1, 0)], sizes=(4, 4)), ngrams="trained").parts is None


def test_models_of_before_the_magic_number_are_read(read: Read) -> None:
    found = read(written(magic=b""))
    expected = [composed(word, row) for row, (word, _, _) in enumerate(ENTRIES)]
    np.testing.assert_allclose(found.vectors, expected, atol=1e-6)


def test_without_n_grams_a_word_is_its_row(read: Read) -> None:
    found = read(written(sizes=(0, 0)))
    np.testing.assert_array_equal(found.vectors, ROWS[:3])
    assert found.parts is None
    old = struct.pack("<ii", 793712314, 11)
    np.testing.assert_array_equal(read(written(kind=3, magic=old)).vectors, ROWS[:3])


def test_labels_are_left_out_and_counted(read: Read) -> None:
    content = written(ENTRIES + LABELS)
    found = read(content)
    assert (found.words, found.report.n_rows) == (["king", "왕궁", "</s>"], 4)
    (left_out,) = found.report.found
    assert (left_out.what, left_out.first[0].at) == ("a label of a supervised model", content.index(b"__label__"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (written(n_pruned=3), "Byte 84: a pruned model is not read. Save its vectors as text"),
        (written(quantised=1), "a quantised model .* is not read. Save its vectors as text"),
        (written(magic=MAGIC[:4] + b"\x0d\0\0\0"), "version 13 of fastText's format"),
        (written()[:-1], "the second matrix is 14 x 3; 167 bytes follow"),
        (written()[:200], "the file ends|The file ends at byte 200"),
        (written(rows=ROWS[:-1]), "the matrix is 13 x 3; the header says 3 words and 11 buckets"),
        (written(sizes=(2, 1000)), "n-grams of 2 to 1000 characters"),
        (written().replace(b"king\0", b"kinga"), "should be a word with its count"),
        (written([(b"king", -1, 0)]), "of kind 0 with a count of -1"),
        (written(LABELS + ENTRIES), "entry 0 of the dictionary should be a word with its count; it is of kind 1"),
        (written([(b"k" * 70_000, 1, 0)]), "a word should end within 65536 bytes"),
    ],
)
def test_what_is_not_read_is_named(read: Read, content: bytes, told: str) -> None:
    with pytest.raises(VectorsUnreadable, match=told):
        read(content)
