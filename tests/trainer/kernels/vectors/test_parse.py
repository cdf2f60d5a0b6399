"""Numbers and records as the kernels read them, against Python's own reading."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.kernels.vectors.parse import (
    NO_NUMBER,
    NOT_FINITE,
    NOT_FINITE_BITS,
    READ,
    TO_BE_READ_SLOWLY,
    TOO_FEW,
    TOO_MANY,
    cut_records,
    largest_bits,
    parse_rows,
)


def parse(line: str, dim: int = 1) -> tuple[int, list[float], str]:
    """State, numbers and word of a line."""
    block = np.frombuffer(line.encode() + b"\n", np.uint8)
    vectors, states = np.zeros((1, dim), np.float32), np.zeros(1, np.int8)
    word_ends, places = np.zeros(1, np.int64), np.zeros(1, np.int64)
    parse_rows(block, np.array([0]), np.array([len(block) - 1]), vectors, word_ends, states, places)
    return int(states[0]), vectors[0].tolist(), line.encode()[: word_ends[0]].decode()


def nearest_float32(text: str) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(float(text)))


DIGITS = st.text("0123456789", min_size=1, max_size=25)
NUMBERS = st.builds(
    lambda sign, whole, part, power: f"{sign}{whole}{part}{power}",
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    st.one_of(st.just(""), st.just("."), DIGITS.map(lambda digits: f".{digits}")),
    st.one_of(st.just(""), st.integers(-400, 400).map(lambda n: f"e{n}"), st.integers(0, 50).map(lambda n: f"E+{n}")),
)


@given(NUMBERS)
def test_any_decimal_becomes_the_float32_that_python_makes_of_it(text: str) -> None:
    state, (found,), _ = parse(f"w {text}")
    expected = nearest_float32(text)
    if math.isinf(expected):
        assert state in {NOT_FINITE, TO_BE_READ_SLOWLY}
    elif state != TO_BE_READ_SLOWLY:
        assert (state, found, math.copysign(1, found)) == (READ, expected, math.copysign(1, expected))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_shortest_writing_of_a_float32_is_read_back_at_once(value: float) -> None:
    assert parse(f"w {np.float32(value)!s}")[:2] == (READ, [value])


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from([1, -1]))
def test_what_lies_in_the_middle_of_two_is_left_to_more_digits(value: float, side: int) -> None:
    other = float(np.nextafter(np.float32(value), np.float32(side * math.inf)))
    middle = (value + other) / 2
    if math.isfinite(middle) and math.isfinite(other) and middle not in {value, other}:
        assert parse(f"w {middle!r}")[0] == TO_BE_READ_SLOWLY


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("w 1,5", NO_NUMBER),
        ("w 0x1p3", NO_NUMBER),
        ("w .", NO_NUMBER),
        ("w -", NO_NUMBER),
        ("w 1e", NO_NUMBER),
        ("w 1e+", NO_NUMBER),
        ("w 1.2.3", NO_NUMBER),
        ("w 1_000", NO_NUMBER),
        ("w \u0661", NO_NUMBER),
        ("w nan", NOT_FINITE),
        ("w -Infinity", NOT_FINITE),
        ("w 1e999", NOT_FINITE),
        ("w 3.5e38", NOT_FINITE),
        ("w 0e999", READ),
        ("w 1e-999", READ),
        ("1.5", TOO_FEW),
        ("", TOO_FEW),
        ("w 1 2", TOO_MANY),
        ("two words 2", READ),
        ("w 2 \t\r", READ),
    ],
)
def test_what_is_no_row_is_told(line: str, state: int) -> None:
    assert parse(line)[0] == state


def test_the_numbers_are_the_last_fields_and_the_word_is_the_rest() -> None:
    assert parse(". . . 0.5 -1e3", dim=2) == (READ, [0.5, -1000.0], ". . .")
    assert parse("왕\t0.5\t-2", dim=2) == (READ, [0.5, -2.0], "왕")


def test_records_are_cut_until_one_is_not_whole() -> None:
    rows = np.array([[1, 2], [3, 4]], "<f4")
    content = b"king " + rows[0].tobytes() + b"\nqueen " + rows[1].tobytes() + b"half " + b"\x00" * 7
    block = np.frombuffer(content + b"\xff" * 9, np.uint8)
    found, starts, spelled = np.zeros((3, 8), np.uint8), np.zeros(3, np.int64), np.zeros_like(block)
    n, position, n_spelled = cut_records(block, len(content), found, starts, spelled)
    assert (n, content[position:]) == (2, b"half " + b"\x00" * 7)
    assert (starts[:2].tolist(), spelled[:n_spelled].tobytes()) == ([0, 14], b"king queen ")
    assert found[:2].view("<f4").tolist() == rows.tolist()


def test_the_largest_magnitude_tells_what_is_not_finite_and_what_is_zero() -> None:
    rows = np.array([[1, -3], [0, -0.0], [np.inf, 1], [-np.inf, 0], [0, np.nan], [3.4028235e38, 0]], np.float32)
    largest = np.zeros(len(rows), np.uint32)
    largest_bits(rows.view(np.uint32), largest)
    assert (largest < NOT_FINITE_BITS).tolist() == np.isfinite(rows).all(axis=1).tolist()
    assert (largest > 0).tolist() == rows.any(axis=1).tolist()
    assert largest[0] == np.float32(3).view(np.uint32)
