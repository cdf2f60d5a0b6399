"""Encoding a corpus gives what a slow reading gives, however it is packed, cut and shared among threads."""

from __future__ import annotations

import gzip
import json
import lzma
import random
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.text import JsonLines, TextReader, TextSpec
from tests.app.core.text.test_text import SPECS, TRICKY
from tests.conftest import DATA
from tests.oracles import text as oracle_text
from trainer.corpus import encode as corpus
from trainer.corpus import spelling
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.steps.progress import Progress

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

WORDS = [
    "a",
    "b",
    "the",
    "The",
    "THE",
    "ab'c",
    "x.y",
    "\n",
    "\n",
    "longlonglong",
    "한글",
    "한글!",
    "longlonglonG",
    "...",
    "\t",
]
TEXTS = st.one_of(
    st.text(st.one_of(st.sampled_from(TRICKY), st.sampled_from([" ", "\n"])), max_size=300),
    st.lists(st.sampled_from(WORDS), max_size=200).map(" ".join),
)
PACKINGS: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "gzip": gzip.compress, "zstd": zstd.compress}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 256 bytes, so that a short text has many."""
    monkeypatch.setattr(corpus, "BLOCK_BYTES", 256)
    monkeypatch.setattr(corpus, "MAX_TYPE_BYTES", 128)


def encoded(
    data: bytes, folder: Path, spec: TextSpec | None = None, *, min_count: int = 1, **settings: int
) -> EncodedCorpus:
    source = folder / "source"
    source.write_bytes(data)
    return encode(source, folder, spec=spec or TextSpec(), min_count=min_count, **settings)  # type: ignore[arg-type] # of mixed types


def expected(lines: list[str], spec: TextSpec, min_count: int = 1, max_words: int | None = None) -> oracle_text.Encoded:
    read = [oracle_text.words(line, spec.normalization, spec.case, str(spec.tokenizer)) for line in lines]
    return oracle_text.encode(read, min_count, max_words)


def assert_same(found: EncodedCorpus, wanted: oracle_text.Encoded) -> None:
    assert found.vocabulary.words() == wanted.words
    assert found.vocabulary.counts.tolist() == wanted.counts
    assert found.ids.tolist() == wanted.ids
    assert found.ids.dtype == np.int32
    assert not found.ids.flags.writeable
    assert found.n_corpus_tokens == wanted.n_corpus_tokens
    assert found.n_tokens == sum(i >= 0 for i in wanted.ids)
    assert found.n_lines == wanted.ids.count(oracle_text.LINE_END)


@settings(max_examples=150)
@given(
    TEXTS, st.sampled_from(SPECS), st.integers(1, 3), st.sampled_from([None, 2, 3]), st.integers(1, 3),
    st.sampled_from([4, 16, 10**6]), st.sampled_from(sorted(PACKINGS)), st.sampled_from([10, 1 << 20]),
)  # fmt: skip
def test_any_text_equals_the_reference(
    text: str,
    spec: TextSpec,
    min_count: int,
    max_words: int | None,
    threads: int,
    max_types: int,
    packing: str,
    batch: int,
) -> None:
    """Also with tables that hold so few types that they go through disk."""
    text = "to have two words\n" * min_count + text
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(corpus, "BLOCK_BYTES", 2048)
        patch.setattr(corpus, "MAX_TYPE_BYTES", 1024)
        patch.setattr(spelling, "BATCH_BYTES", batch)
        source = Path(folder) / "source"
        source.write_bytes(PACKINGS[packing](text.encode()))
        found = encode(
            source,
            Path(folder),
            spec=spec,
            min_count=min_count,
            max_words=max_words,
            threads=threads,
            max_types=max_types,
        )
        assert_same(found, expected(text.split("\n"), spec, min_count, max_words))


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=8), st.sampled_from(SPECS[::4]), st.booleans())
def test_json_lines_equal_their_texts(texts: list[str], spec: TextSpec, escaped: bool) -> None:
    texts.append("to have two words")
    records = [json.dumps({"id": i, "text": text}, ensure_ascii=escaped) for i, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        spec = spec.model_copy(update={"format": JsonLines(field="text")})
        found = encoded("\n\n".join(records).encode(), Path(folder), spec)
    assert_same(found, expected("\n".join(texts).split("\n"), spec))


@pytest.mark.usefixtures("small_blocks")
def test_threads_spilling_and_blocks_change_nothing(tmp_path: Path) -> None:
    draw = random.Random(1)
    words = ["W5,", "한글", "x-y", "end\n", *(f"w{i}" for i in range(100))]
    data = " ".join(words[int(draw.paretovariate(0.5)) % len(words)] for _ in range(4_000)).encode()
    results = []
    for i, (threads, max_types) in enumerate(product((1, 2, 3, 8), (64, 10**6))):
        folder = tmp_path / str(i)
        folder.mkdir()
        results.append(encoded(data, folder, min_count=3, threads=threads, max_types=max_types))
    first = results[0]
    assert first.n_lines > 10
    assert_same(first, expected(data.decode().split("\n"), TextSpec(), min_count=3))
    for other in results[1:]:
        assert other.ids.tobytes() == first.ids.tobytes()
        assert other.vocabulary.word_bytes.tobytes() == first.vocabulary.word_bytes.tobytes()
        assert other.vocabulary.counts.tolist() == first.vocabulary.counts.tolist()


def test_ties_go_by_bytes_also_beyond_sixteen(tmp_path: Path) -> None:
    stem = "antidisestablishmentarian"
    found = encoded(f"{stem}s {stem}ism {stem} é z {stem}é zz {stem}ism".encode(), tmp_path)
    assert found.vocabulary.words() == [f"{stem}ism", stem, f"{stem}s", f"{stem}é", "z", "zz", "é"]


def test_only_the_ids_are_left_in_the_folder(tmp_path: Path) -> None:
    found = encoded(b"a b\nb c", tmp_path, threads=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.ids", "source"]
    assert found.ids.tolist() == [1, 0, -1, 0, 2, -1]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"\xef\xbb\xbfking queen", [["king", "queen"]]),
        (b"\xef\xbb\xbf\xef\xbb\xbfking queen", [["king", "queen"]]),
        (b"king\r\nqueen\r\n", [["king"], ["queen"]]),
        (b"king\rqueen", [["king", "queen"]]),
        (b"ki\x00ng\x01queen\x1fx\x7fy", [["ki", "ng", "queen", "x", "y"]]),
        (b"king\x00\nqueen", [["king"], ["queen"]]),
        (b"\n\n\nking\n\n \n...\nqueen\n\n", [["king"], ["queen"]]),
        ("king\u2028queen\u0085x".encode(), [["king", "queen", "x"]]),
    ],
    ids=["mark", "two-marks", "crlf", "cr", "controls", "nul", "empty-lines", "unicode-line-ends"],
)
def test_odd_bytes(data: bytes, lines: list[list[str]], tmp_path: Path) -> None:
    assert_same(encoded(data, tmp_path), oracle_text.encode(lines, 1))


def test_a_byte_order_mark_is_no_word_even_without_normalisation(tmp_path: Path) -> None:
    found = encoded(b"\xef\xbb\xbfking queen", tmp_path, TextSpec(normalization="none", tokenizer="whitespace"))
    assert found.vocabulary.words() == ["king", "queen"]


@pytest.mark.usefixtures("small_blocks")
def test_a_line_goes_on_over_blocks_without_words_that_stay(tmp_path: Path) -> None:
    rare = " ".join(f"rare{i}" for i in range(200))
    data = f"a b {rare}\n{rare.upper()}x\n b {rare.replace('r', 'q')} a\n{rare.replace('r', 'z')}"
    found = encoded(data.encode(), tmp_path, min_count=2, max_words=2)
    assert found.vocabulary.counts.tolist() == [2, 2]
    assert_same(found, expected(data.split("\n"), TextSpec(), 2, 2))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("gap", ["", "\u3000", "，"])
def test_runs_without_white_space_longer_than_a_block(gap: str, tmp_path: Path) -> None:
    """They are cut after at most 128 bytes, between characters, at the same places by any number of threads."""
    text = "a " + gap.join(["한국"] * 500) + " b a"
    pieces, rest = [], text.encode()[2:-4]
    while len(rest) > 128:
        cut = next(cut for cut in range(128, 0, -1) if rest[cut] & 0xC0 != 0x80)
        pieces.append(rest[:cut].decode())
        rest = rest[cut:]
    wanted = expected([" ".join(["a", *pieces, rest.decode(), "b a"])], TextSpec())
    for threads in (1, 3):
        assert_same(encoded(text.encode(), tmp_path, threads=threads), wanted)


def test_many_short_lines_and_one_long_line(tmp_path: Path) -> None:
    short = encoded(b"a\nb\n" * 1_000_000, tmp_path, threads=2)
    assert (short.n_lines, short.n_tokens, short.ids[:4].tolist()) == (2_000_000, 2_000_000, [0, -1, 1, -1])
    assert bool((short.ids.reshape(-1, 4) == [0, -1, 1, -1]).all())
    long = encoded(b"a b " * 3_000_000, tmp_path, threads=2)
    assert (long.n_lines, long.n_tokens, long.ids[-1]) == (1, 6_000_000, -1)


def test_overlong_words_are_counted_and_left_out(tmp_path: Path) -> None:
    found = encoded(b"a " + b"x" * 65_537 + b" b " + b"y" * 65_536, tmp_path)
    assert found.n_overlong_tokens == 1
    assert found.n_corpus_tokens == 3
    assert [len(word) for word in found.vocabulary.words()] == [1, 1, 65_536]


def test_progress_goes_up_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.steps.crew.TICK_SECONDS", 0.0)
    seen: list[Progress] = []
    started = time.monotonic()
    encoded(b"a b\n" * 3_000_000, tmp_path, report=seen.append)  # type: ignore[arg-type] # as above
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(set(fractions)) >= 4
    seconds = time.monotonic() - started
    speeds = [progress.tokens_per_second for progress in seen if progress.tokens_per_second]
    assert speeds[-1] * seconds >= 6_000_000, "in less time than all of it took"


def test_a_report_that_raises_ends_the_encoding(tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def report(_: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        encoded(b"a b\n" * 1000, tmp_path, threads=2, report=report)  # type: ignore[arg-type] # as above
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("name", ["nsmc-reviews.txt.xz", "fairy-tales.txt.xz"])
def test_real_text_equals_the_reference(name: str, tmp_path: Path) -> None:
    with lzma.open(DATA / "corpora" / name) as file:
        data = file.read(200_000)
    data = data[: data.rindex(b"\n")]
    found = encoded(data, tmp_path, min_count=2, threads=2)
    assert_same(found, expected(data.decode().split("\n"), TextSpec(), min_count=2))
    words = TextReader(TextSpec()).words(data.decode())
    ids = found.vocabulary.ids()
    assert found.ids[found.ids >= 0].tolist() == [ids[word] for word in words if word in ids]
