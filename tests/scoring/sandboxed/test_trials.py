"""What rewritten models are compared on, and what counts as a difference."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.sandboxed import trials

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 3, 4, 4), dtype=np.uint8)


def test_samples_come_first_then_their_negatives_black_and_white() -> None:
    found = trials.trials(PIXELS)

    np.testing.assert_array_equal(found[:3], PIXELS)
    np.testing.assert_array_equal(found[3:6], 255 - PIXELS.astype(int))
    assert [int(found[6].max()), int(found[7].min())] == [0, 255]
    assert len(found) == 10


def test_sound_is_turned_over() -> None:
    sound = np.array([[0.5, -0.25]], np.float32)

    np.testing.assert_array_equal(trials.trials(sound), [[0.5, -0.25], [-0.5, 0.25]])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([1.0, 2.0, 3.0], 0.0),
        ([1.0, 2.5, 2.75], 0.5),
        ([1.0, np.nan, 3.0], np.inf),
        ([1.0, np.inf, 3.0], np.inf),
        ([1.0, 2.0], np.inf),
    ],
)
def test_the_largest_difference(found: list[float], expected: float) -> None:
    assert trials.difference(np.array([1.0, 2.0, 3.0]), np.array(found)) == expected


def test_the_same_nan_and_the_same_infinity_are_no_difference() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 1.0])

    assert trials.difference(values, values.copy()) == 0.0


def test_bytes_do_not_wrap_around() -> None:
    assert trials.difference(np.array([1], np.uint8), np.array([2], np.uint8)) == 1.0


def test_the_largest_output_is_a_number() -> None:
    assert trials.largest(np.array([np.nan, np.inf, -3.0, 2.0])) == 3.0


@pytest.mark.parametrize(
    ("found", "scale", "is_rounding"), [(0.01, 0.1, True), (0.02, 1.0, False), (0.9, 100, True)]
)
def test_a_difference_is_measured_by_the_largest_output_where_that_is_above_one(
    found: float, scale: float, is_rounding: bool
) -> None:
    assert trials.is_rounding(found, scale) is is_rounding


def test_numbers_that_differ_are_counted() -> None:
    assert trials.differing(np.array([0.0, 0.5, 1.0]), np.array([0.0005, 0.5, 1.1])) == 1
