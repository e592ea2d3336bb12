"""How many answers are not those that are scored."""

import numpy as np
import pytest

from scoring.agreement import ROUNDING, count_off
from scoring.contracts import OutputKind

ROWS = np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
MAPS = np.zeros((3, 100), np.float32)


@pytest.mark.parametrize("kind", list(OutputKind))
def test_the_same_answers_are_all_alike(kind: OutputKind) -> None:
    assert count_off(ROWS, ROWS, kind) == 0


def test_numbers_may_round_differently() -> None:
    assert count_off(ROWS * (1 + 0.9 * ROUNDING), ROWS, OutputKind.LOGITS) == 0


def test_each_row_that_is_off_by_more_is_counted() -> None:
    answers = ROWS.copy()
    answers[[1, 4]] *= 1 + 1.1 * ROUNDING

    assert count_off(answers, ROWS, OutputKind.LOGITS) == 2


def test_what_is_not_a_number_differs() -> None:
    answers = ROWS.copy()
    answers[3, 0] = np.nan

    assert count_off(answers, ROWS, OutputKind.CONFIDENCE) == 1


def test_a_few_pixels_of_an_empty_map_may_have_another_class() -> None:
    answers = MAPS.copy()
    answers[0, :5], answers[1, :6] = 7, 7

    assert count_off(answers, MAPS, OutputKind.CLASS_MAP) == 1
