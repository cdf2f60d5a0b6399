"""Bytes are split, counted and numbered exactly, wherever they lie and however full the table is."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.corpus.types import TypeTable, new_seed, padded
from trainer.kernels.text.eights import are_equal, cut_point, last_separator
from trainer.kernels.text.encode import LINE_END
from trainer.kernels.text.expand import expand, expanded_size, mark_ascii, resolve, share_of
from trainer.kernels.text.order import sort_keys
from trainer.kernels.text.plain import mark_words, write_plain

SPLIT = re.compile(rb"[\x00-\x09\x0b-\x20]+")
# Lengths around 8 and 16, where the kernel changes its way, and words that share their first 8 or 16 bytes.
RUNS = [
    b"a",
    b"b",
    b"ab",
    b"abcdefg",
    b"abcdefgh",
    b"abcdefghi",
    b"abcdefghj",
    b"abcdefghabcdefgh",
    b"abcdefghabcdefghi",
]
RUNS += [run + b"\xff" for run in RUNS] + ["한국어".encode(), "é".encode() * 40, b"x" * 300]
GAPS = [b" ", b"  ", b"\n", b"\n\n", b" \n ", b"\t", b"\x00", b"\r\n", b" " * 9]
TEXTS = st.lists(st.one_of(st.sampled_from(RUNS), st.sampled_from(GAPS)), max_size=60).map(b"".join)


def expected(text: bytes, *, every_line: bool) -> tuple[list[bytes | None], Counter[bytes]]:
    """Types in order with None for a line end; the first one is always written."""
    stream: list[bytes | None] = []
    line_open = True
    lines = text.split(b"\n")
    for i, line in enumerate(lines):
        runs = [run for run in SPLIT.split(line) if run]
        stream += runs
        line_open = line_open or bool(runs)
        if i + 1 < len(lines) and (line_open or every_line):
            stream.append(None)
        line_open = False
    return stream, Counter(run for run in stream if run is not None)


def names(table: TypeTable) -> list[bytes]:
    types = table.types()
    blob = types.arena.tobytes()
    return [blob[start:end] for start, end in zip(types.offsets[:-1].tolist(), types.offsets[1:].tolist(), strict=True)]


@settings(max_examples=300)
@given(TEXTS, st.booleans())
def test_scan_equals_splitting(text: bytes, every_line: bool) -> None:
    table = TypeTable(n_types=2)  # grows at once
    out = np.empty(len(text) + 1, np.int32)
    n_ids = table.scan(padded(text), len(text), out, every_line=every_line)
    types = names(table)
    stream, counts = expected(text, every_line=every_line)
    assert [None if i == LINE_END else types[i] for i in out[:n_ids].tolist()] == stream
    assert dict(zip(types, table.types().counts.tolist(), strict=True)) == counts
    assert table.n_tokens == sum(counts.values())
    assert len(set(types)) == len(types)


def test_what_follows_the_end_is_not_read() -> None:
    for end in range(20):
        block = padded(b"abcdefghijklmnopqrstuvwxyz")
        table = TypeTable()
        table.scan(block, end, np.empty(end + 1, np.int32))
        assert names(table) == ([block[:end].tobytes()] if end else [])


def test_bytes_are_compared_to_the_last() -> None:
    """The table relies on it where two long types have the same hash, which no test can bring about."""
    left, right = padded(b"..abcdefghijklmnopqrs"), padded(b"abcdefghijklmnopqrs~")
    assert all(are_equal(left, 2, right, 0, length) for length in range(1, 20))
    assert not are_equal(left, 2, right, 0, 20)
    for i in range(19):
        other = right.copy()
        other[i] ^= 1
        assert not are_equal(left, 2, other, 0, 19)


def test_counts_add_up_over_calls() -> None:
    table = TypeTable()
    for text in (b"a b a", b"b c"):
        table.scan(padded(text), len(text), np.empty(6, np.int32))
    assert names(table) == [b"a", b"b", b"c"]
    assert table.types().counts.tolist() == [2, 2, 1]


def test_ten_thousand_types_keep_their_ids() -> None:
    runs = [b"%d" % (i * 7919) for i in range(10_000)]
    table = TypeTable(n_types=2)
    out = np.empty(200_000, np.int32)
    for text in (b" ".join(runs), b" ".join(reversed(runs))):
        n_ids = table.scan(padded(text), len(text), out)
        assert n_ids == 10_000
    assert out[:10_000].tolist() == list(range(10_000))[::-1]
    assert names(table) == runs
    assert set(table.types().counts.tolist()) == {2}


def test_a_long_run_is_cut_between_characters() -> None:
    text = "aé한국".encode() * 3  # 9 bytes, three times
    table = TypeTable(max_type_bytes=10)
    out = np.empty(30, np.int32)
    n_ids = table.scan(padded(text), len(text), out)
    pieces = [names(table)[i] for i in out[:n_ids].tolist()]
    assert b"".join(pieces) == text
    assert [piece.decode() for piece in pieces] == ["aé한국a", "é한국a", "é한국"]


@pytest.mark.parametrize(("limit", "cut"), [(4, 4), (5, 4), (6, 4), (7, 7), (8, 7), (9, 7)])
def test_cut_point_is_never_inside_a_character(limit: int, cut: int) -> None:
    block = padded("a한국어".encode())
    assert cut_point(block, 0, limit) == cut
    assert cut_point(block, 1, limit - 1) == cut


def test_last_separator() -> None:
    texts = [b"", b"abc", b" abc", b"a b\nc", b"ab "]
    assert [last_separator(padded(text), len(text)) for text in texts] == [-1, -1, 0, 3, 2]


def arena_of(runs: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, runs)]).astype(np.int64)
    return np.frombuffer(b"".join(runs), np.uint8), offsets


def lower_case() -> np.ndarray:
    becomes = np.arange(256, dtype=np.uint8)
    becomes[ord("A") : ord("Z") + 1] += 32
    becomes[ord("!")] = ord(" ")
    return becomes


STAY = ["ab", "가힣", "ㄱㅎ", "x가1", "ㅋㅋㅋ", "zzzzzzzzzz", "가나다라"]
CHANGE = ["Ab", "가B", "Z", "aaaaaaaaaaaaZ", "zzzzzzzzz!", "`{/:", "[@"]
NOT_PLAIN = ["Don't", "É", "A\u3164", "A\u3130", "A\u318f", "A\uabff", "A\ud7a4", "A\u1100", "A一", "A😀", "A가é"]
BROKEN = [b"A\xea\xb0", b"A\xea", b"\xea\xb0A", b"\xeaA\x80", b"A\x80", b"A\xed\xa0\x80"]


def test_plain_types_that_stay_are_words() -> None:
    """Broken bytes are not plain: whoever decodes them must find them."""
    runs = [run.encode() for run in (*STAY, *CHANGE[:5], *NOT_PLAIN, "don't", "é")] + BROKEN + [b"\xea\xb0a"]
    is_word = np.ones(len(runs), np.bool_)
    mark_words(*arena_of(runs), lower_case(), is_word)
    assert np.flatnonzero(is_word).tolist() == list(range(len(STAY)))


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([run.encode() for run in (*STAY, *CHANGE, *NOT_PLAIN)] + BROKEN), max_size=30),
    st.sampled_from([b" ", b"\n", b"\t\x00", b" " * 9]),
)
def test_plain_runs_are_written_as_their_words(runs: list[bytes], gap: bytes) -> None:
    text = gap.join(runs)
    block = padded(text).copy()
    write_plain(block, len(text), lower_case(), 1 << 20)
    changing = {run.encode() for run in CHANGE}
    wanted = gap.join([run.lower().replace(b"!", b" ") if run in changing else run for run in runs])
    assert block[: len(text)].tobytes() == wanted


def test_a_long_run_is_not_written() -> None:
    """It is cut first, so that it has the same words whether it is plain or not."""
    block = padded(b"ABCD ABCDE").copy()
    write_plain(block, 10, lower_case(), 4)
    assert block[:10].tobytes() == b"abcd ABCDE"


@settings(max_examples=100)
@given(st.lists(st.sampled_from(RUNS), max_size=60), st.lists(st.sampled_from(RUNS), max_size=60))
def test_tables_add_up(left: list[bytes], right: list[bytes]) -> None:
    seed = new_seed()
    tables = [TypeTable(n_types=2, seed=seed) for _ in range(2)]
    for table, runs in zip(tables, (left, right), strict=True):
        text = b" ".join(runs)
        table.scan(padded(text), len(text), np.empty(len(text) + 1, np.int32))
    table, other = tables
    before, added = names(table), names(other)
    counts = np.zeros(len(table) + len(other), np.int64)
    counts[: len(table)] = table.types().counts
    ids = table.add(other, counts)
    merged = names(table)
    assert merged[: len(before)] == before
    assert [merged[i] for i in ids.tolist()] == added
    assert dict(zip(merged, counts.tolist(), strict=False)) == Counter(left + right)
    text = b" ".join(merged)
    out = np.empty(len(text) + 1, np.int32)
    assert out[: table.scan(padded(text), len(text), out)].tolist() == list(range(len(merged)))


def test_ascii_types_are_marked() -> None:
    is_ascii = np.zeros(4, np.bool_)
    mark_ascii(*arena_of([b"abc", "é".encode(), b"\x7f", "aé".encode()]), is_ascii)
    assert is_ascii.tolist() == [True, False, True, False]


@given(st.lists(st.binary(min_size=1, max_size=20).filter(lambda run: min(run) > 32), unique=True))
def test_sort_keys_order_like_bytes(runs: list[bytes]) -> None:
    keys = [np.empty(len(runs), np.uint64) for _ in range(3)]
    for i in range(3):
        sort_keys(*arena_of(runs), 8 * i, keys[i])
    order = sorted(range(len(runs)), key=lambda i: tuple(int(column[i]) for column in keys))
    assert [runs[i] for i in order] == sorted(runs)


def test_shares_depend_on_the_bytes_alone_and_are_even() -> None:
    runs = [b"%d" % i for i in range(10_000)]
    shares, again = np.empty(10_000, np.uint16), np.empty(10_000, np.uint16)
    share_of(*arena_of(runs), 4, np.uint64(5), shares)
    share_of(*arena_of(runs[::-1]), 4, np.uint64(5), again)
    assert shares.tolist() == again[::-1].tolist()
    assert all(2300 < n < 2700 for n in np.bincount(shares, minlength=4))  # 2500 +- 4.6 standard deviations


def test_resolve_and_expand() -> None:
    """Type 0 is a word that stays, 1 one that goes, 2 has no word, 3 two that stay and one that goes."""
    lines = np.array([-1, 0, 1, 4, -1], np.int32)
    starts = np.array([-1, -1, 0, 1], np.int64)
    single, several = np.zeros(4, np.int32), np.zeros(9, np.int32)
    used = resolve(lines, starts, np.array([7, -1, 9, 9, 8], np.int32), single, several)
    assert single.tolist() == [7, -1, -1, -2]
    assert several[:used].tolist() == [7, 8, -1]

    raw = np.array([-1, 1, 2, -1, 3, 0, -1, 2, -1, 0], np.int32)
    assert expanded_size(raw, single, several[:used]) >= 7
    out, result = np.zeros(20, np.int32), np.zeros(3, np.int64)
    expand(raw, single, several[:used], out, result)
    assert out[: result[0]].tolist() == [-1, 7, 8, 7, -1, 7]
    assert result.tolist() == [6, 4, 1]
