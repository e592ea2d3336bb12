"""How many answers are not those that are scored."""

import numpy as np
import pytest

from scoring.contracts import OutputKind
from scoring.flow.agreement import ROUNDING, count_off

ROWS = np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
MAPS = np.zeros((3, 100), np.float32)


@pytest.mark.parametrize("kind", list(OutputKind))
def test_the_same_answers_are_all_alike(kind: OutputKind) -> None:
    assert count_off(ROWS, ROWS, kind) == 0


def test_numbers_may_round_differently() -> None:
    assert count_off(ROWS * (1 + 0.9 * ROUNDING), ROWS, OutputKind.LOGITS) == 0


def test_each_row_that_is_off_by_more_is_counted() -> None:
    answers = ROWS.copy()
    answers[[1, 4]] *= 1.5

    assert count_off(answers, ROWS, OutputKind.LOGITS) == 2


def test_what_is_not_a_number_differs() -> None:
    answers = ROWS.copy()
    answers[3, 0] = np.nan

    assert count_off(answers, ROWS, OutputKind.CONFIDENCE) == 1


def test_a_few_pixels_of_an_empty_map_may_have_another_class() -> None:
    answers = MAPS.copy()
    answers[0, :5], answers[1, :6] = 7, 7

    assert count_off(answers, MAPS, OutputKind.CLASS_MAP) == 1


SAMPLES, WIDTH = 50, 3
RANDOM = np.random.default_rng(1)
LOGITS = RANDOM.normal(size=(SAMPLES, WIDTH)).astype(np.float32)
HUGE = np.float32(1e6)


def share_off(answers: np.ndarray, predictions: np.ndarray, kind: OutputKind = OutputKind.LOGITS) -> float:
    return count_off(answers.astype(np.float32), predictions.astype(np.float32), kind) / len(predictions)


def test_one_logit_has_no_higher_one_to_be_compared_with_and_is_compared_with_the_usual() -> None:
    logit = LOGITS[:, :1]

    assert share_off(logit, logit) == 0
    assert share_off(-logit, logit) > 0.9


def test_half_precision_is_rounding() -> None:
    assert share_off(LOGITS.astype(np.float16), LOGITS) == 0


def test_a_logit_that_all_have_in_common_excuses_nothing() -> None:
    assert share_off(np.full_like(LOGITS, HUGE), LOGITS + HUGE) == 1


def test_a_class_that_never_wins_excuses_nothing() -> None:
    loser = np.full((SAMPLES, 1), -HUGE)
    other = RANDOM.normal(size=(SAMPLES, WIDTH))

    assert share_off(np.hstack([other, loser]), np.hstack([LOGITS, loser])) > 0.9


def test_a_few_easy_samples_with_huge_logits_excuse_no_others() -> None:
    answers, predictions = np.zeros_like(LOGITS), LOGITS.copy()
    answers[:10, 0] = predictions[:10, 0] = HUGE

    assert share_off(answers, predictions) == 0.8


def test_a_confidence_that_all_have_in_common_excuses_nothing() -> None:
    found = share_off(np.full((SAMPLES, 1), HUGE), LOGITS[:, :1] + HUGE, OutputKind.CONFIDENCE)

    assert found > 0.9


def test_saturated_confidences_are_the_same() -> None:
    logits = 12 + LOGITS[:, :1].astype(np.float64)
    predictions, answers = (1 / (1 + np.exp(-each)) for each in (logits, logits + 1e-4 * LOGITS[:, 1:2]))

    assert share_off(answers, predictions, OutputKind.CONFIDENCE) <= 0.1


@pytest.mark.parametrize("kind", OutputKind)
@pytest.mark.parametrize("hostile", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_another_answer(kind: OutputKind, hostile: float) -> None:
    assert share_off(np.full_like(LOGITS, hostile), LOGITS, kind) == 1
