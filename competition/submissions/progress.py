"""An evaluation's way through the stages, in people's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from competition.submissions.models import Evaluation
from competition.submissions.places import Place
from scoring.contracts import Stage, Status

STATUS_WORDS: Final[Mapping[Status, str]] = {
    Status.QUEUED: "Waiting",
    Status.RUNNING: "Running",
    Status.SCORED: "Scored",
    Status.REJECTED: "Rejected",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
}

RESCORE_WORDS: Final[Mapping[Status, str]] = {
    Status.QUEUED: "To be rescored",
    Status.RUNNING: "Being rescored",
}

STAGE_WORDS: Final[Mapping[Stage, str]] = {
    Stage.INTAKE: "Unpack",
    Stage.INSPECT: "Inspect",
    Stage.MEASURE: "Measure",
    Stage.ENFORCE: "Compare with budgets",
    Stage.PREDICT: "Predict",
    Stage.METRIC: "Score",
}


# The stages, and what runs within one and is timed apart.
TIMED_WORDS: Final[Mapping[str, str]] = {
    **{stage.value: words for stage, words in STAGE_WORDS.items()},
    "export": "Export for 8 bits",
    "quantise": "Predict in 8 bits",
}


def status_words(evaluation: Evaluation) -> str:
    """Return the status in words; what organisers have scored again is named as that."""
    status = Status(evaluation.status)
    again = RESCORE_WORDS if evaluation.is_rescore else {}
    return again.get(status, STATUS_WORDS[status])


class StepState(StrEnum):
    """How a step is drawn."""

    DONE = "done"
    NOW = "now"
    STOPPED = "stopped"
    AHEAD = "ahead"


STATE_WORDS: Final[Mapping[StepState, str]] = {
    StepState.DONE: "done",
    StepState.NOW: "in progress",
    StepState.STOPPED: "stopped here",
    StepState.AHEAD: "not reached",
}

_SIGNS: Final[Mapping[StepState, str]] = {StepState.DONE: "✓", StepState.STOPPED: "✕"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step as the page shows it; `sign` and `state_words` say without colour what happened."""

    number: int
    title: str
    state: StepState

    @property
    def sign(self) -> str:
        """Return what stands in the step's circle."""
        return _SIGNS.get(self.state, str(self.number))

    @property
    def state_words(self) -> str:
        """Return the state for those who do not see the circle."""
        return STATE_WORDS[self.state]


def steps(evaluation: Evaluation) -> tuple[Step, ...]:
    """Return the queue and the six stages, each with its state."""
    titles = ("Wait in the queue", *STAGE_WORDS.values())
    reached = 1 + list(Stage).index(Stage(evaluation.stage)) if evaluation.stage else 0
    return tuple(
        Step(number=number + 1, title=title, state=_state(number, reached, Status(evaluation.status)))
        for number, title in enumerate(titles)
    )


def _state(number: int, reached: int, status: Status) -> StepState:
    if status is Status.SCORED or number < reached:
        return StepState.DONE
    if number > reached:
        return StepState.AHEAD
    return StepState.NOW if status in (Status.QUEUED, Status.RUNNING) else StepState.STOPPED


def timings(timings_s: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return what was timed in the words of the steps; a name of another release stays as it is.

    The report rounds to milliseconds, and nothing takes no time at all.
    """
    return [(TIMED_WORDS.get(name, name), max(seconds, 0.001)) for name, seconds in timings_s.items()]


def elapsed_s(evaluation: Evaluation, now: datetime) -> float:
    """Return how long the evaluation has waited, has been running, or took."""
    start = evaluation.started_at or evaluation.queued_at
    return max(0.0, ((evaluation.finished_at or now) - start).total_seconds())


def announcement(
    evaluation: Evaluation,
    *,
    place: Place | None,
    waits_for_publishing: bool = False,
    is_served: bool = True,
    is_paused: bool = False,
    is_quarantined: bool = False,
) -> str:
    """Return one sentence for a screen reader; it changes only when the news does."""
    status = Status(evaluation.status)
    if status is Status.QUEUED and is_quarantined:
        return "In quarantine. It will not be evaluated until the organisers release it."
    if waits_for_publishing:
        return "Waiting for the organisers to publish a new benchmark version."
    if status is Status.QUEUED and place is not None:
        held = " The organisers paused this track." if is_paused else ""
        worker = "" if is_served else " No worker is there for this track."
        return f"Waiting, position {place.words} in the queue.{held}{worker}"
    if status is Status.RUNNING and evaluation.stage:
        return f"Running: {STAGE_WORDS[Stage(evaluation.stage)]}."
    return f"{STATUS_WORDS[status]}."
