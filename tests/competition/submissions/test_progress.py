import pytest

from competition.submissions.models import Evaluation
from competition.submissions.places import Place
from competition.submissions.progress import (
    STAGE_WORDS,
    STATUS_WORDS,
    StepState,
    announcement,
    steps,
    timings,
)
from scoring.contracts import Stage, Status


def states(status, stage):
    return [step.state for step in steps(Evaluation(status=status, stage=stage))]


def test_every_status_and_stage_has_words():
    assert set(STATUS_WORDS) == set(Status)
    assert tuple(STAGE_WORDS) == tuple(Stage)


def test_a_waiting_evaluation_stands_at_the_first_step():
    assert states(Status.QUEUED, "") == [StepState.NOW] + [StepState.AHEAD] * 6


@pytest.mark.parametrize(("place", "stage"), tuple(enumerate(Stage, start=1)))
def test_a_running_evaluation_has_left_the_earlier_steps(place, stage):
    expected = [StepState.DONE] * place + [StepState.NOW] + [StepState.AHEAD] * (6 - place)

    assert states(Status.RUNNING, stage) == expected


@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED, Status.CANCELLED])
def test_an_evaluation_that_ended_early_shows_where(status):
    assert states(status, Stage.MEASURE)[3] is StepState.STOPPED


def test_a_scored_evaluation_has_every_step_behind_it():
    assert states(Status.SCORED, Stage.METRIC) == [StepState.DONE] * 7


def test_every_step_says_its_state_without_colour():
    signs = {step.sign for step in steps(Evaluation(status=Status.REJECTED, stage=Stage.ENFORCE))}

    assert signs == {"✓", "✕", "6", "7"}


def test_the_announcement_follows_position_and_stage():
    waiting = Evaluation(status=Status.QUEUED)
    running = Evaluation(status=Status.RUNNING, stage=Stage.PREDICT)

    assert announcement(waiting, place=Place(number=3, is_exact=True)) == "Waiting, position 3 in the queue."
    assert announcement(running, place=None) == "Running: Predict."


def test_times_have_the_words_of_the_steps():
    taken = {Stage.ENFORCE.value: 1.0, "export": 2.0, "of_another_release": 3.0}

    assert timings(taken) == [
        (STAGE_WORDS[Stage.ENFORCE], 1.0),
        ("Export for 8 bits", 2.0),
        ("of_another_release", 3.0),
    ]
