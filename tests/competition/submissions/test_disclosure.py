"""What participants are told of hidden samples: in steps, and no more bits than the guide states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from math import ceil, floor, log2, log10
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.leaderboard import selectors, standings
from competition.submissions import disclosure, lifecycle, reports
from competition.submissions.models import Evaluation
from scoring.codes import CODES
from scoring.contracts import Breakdown, Share, ShownBreakdown
from tests.examples import rewrite, score_value, scored_report

GUIDE = Path(__file__).parents[3] / "docs" / "organisers.md"
NUMBERS = st.floats(1e-6, 1e9)


# --- steps


@pytest.mark.parametrize(
    ("number", "below", "above"),
    [
        (0, 0, 0),
        (-1, 0, 0),
        (1, 1, 1),
        (3, 2, 5),
        (7, 5, 10),
        (10, 10, 10),
        (99, 50, 100),
        (0.2, 0.2, 0.2),
        (0.0123, 0.01, 0.02),
        (999_999, 500_000, 1_000_000),
    ],
)
def test_a_number_lies_between_its_steps(number: float, below: float, above: float) -> None:
    assert (disclosure.step_below(number), disclosure.step_above(number)) == (below, above)


@given(number=NUMBERS)
def test_steps_stand_on_their_sides_and_not_far_off(number: float) -> None:
    below, above = disclosure.step_below(number), disclosure.step_above(number)

    assert below <= number <= above
    assert above <= 2.5 * below or above == below


@given(number=NUMBERS)
def test_a_step_is_its_own_step(number: float) -> None:
    step = disclosure.step_below(number)

    assert disclosure.step_below(step) == disclosure.step_above(step) == step


@given(found=st.floats(0.001, 1e6), gate=st.floats(0.001, 1e6))
def test_a_latency_never_changes_sides_of_the_gate(found: float, gate: float) -> None:
    assert (disclosure.latency(found, gate) > gate) == (found > gate)


@pytest.mark.parametrize(
    ("found", "gate", "told"),
    [(35.04, 35.0, 35.1), (34.96, 35.0, 34.9), (34.96, None, 34.9), (0.0, 1.0, 0.0), (None, 1.0, None)],
)
def test_a_latency_has_three_digits(found: float | None, gate: float | None, told: float | None) -> None:
    assert disclosure.latency(found, gate) == told


# --- findings


def told(code: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the facts of a stored finding as participants are told them."""
    (found,) = disclosure.findings([{"code": code, "path": "", "facts": facts}])
    return found["facts"]


@pytest.mark.parametrize("code", ["not_finite", "latency_answers_differ"])
def test_bad_values_are_counted_in_steps(code: str) -> None:
    assert told(code, {"found": 234, "total": 10_000}) == {"found": 200, "total": 10_000}


@pytest.mark.parametrize(
    ("found", "shown"), [(0, 0), (9_999, 9_999), (9_997, 9_995), (5_001, 5_000), (1, 0), (10_001, 10_001)]
)
def test_missing_rows_are_counted_in_steps(found: int, shown: int) -> None:
    assert told("wrong_output_count", {"found": found, "expected": 10_000})["found"] == shown


def test_how_far_answers_of_other_batches_lie_apart_is_told_in_steps() -> None:
    facts = {"found": 33, "total": 100, "percent_difference": 0.7}

    assert told("batch_dependent_output", facts) == {"found": 20, "total": 100, "percent_difference": 0.5}


def test_processor_time_beyond_the_limit_stays_beyond_it() -> None:
    assert told("hidden_work", {"found": 0.75, "allowed": 0.6}) == {"found": 1.0, "allowed": 0.6}


def test_findings_about_the_package_are_told_as_they_are() -> None:
    assert told("weights_not_finite", {"found": 234, "total": 999}) == {"found": 234, "total": 999}


def test_every_count_that_may_come_from_hidden_samples_has_steps() -> None:
    of_the_files = {"weights_not_finite"}
    counted = {
        code for code, words in CODES.items() if "{found" in words.message and "{total" in words.message
    }

    assert counted - of_the_files <= disclosure.FACTS_IN_STEPS.keys() <= CODES.keys()


# --- reports


@pytest.fixture
def lease(evaluation: Evaluation, now: datetime) -> lifecycle.Lease:
    return lifecycle.claim(evaluation.pk, owner="w", now=now)


def test_what_was_timed_on_hidden_samples_is_told_in_steps_and_the_rest_as_it_was() -> None:
    timings = {
        "intake": 0.123,
        "measure": 4.56,
        "export": 3.21,
        "predict": 78.9,
        "quantise": 7.0,
        "metric": 0.3,
    }

    shown = disclosure.report(plain(timings_s=timings), shown=ShownBreakdown.FULL)["timings_s"]

    assert shown == {**timings, "predict": 50, "quantise": 5, "metric": 0.2}


def plain(**changes: Any) -> dict[str, Any]:
    """Return a report's parts that are told in steps, empty but for what is given."""
    empty: dict[str, Any] = dict.fromkeys(("usage", "breakdown", "quantised", "max_latency_ms"))
    return {**empty, "scores": {}, "private_scores": {}, "timings_s": {}, **changes}


def test_usage_on_hidden_samples_is_told_in_steps() -> None:
    usage = asdict(scored_report().usage) | {
        "cpu_s_per_sample": 0.0123,
        "latency_p50_ms": 12.345,
        "latency_p95_ms": 23.456,
    }

    shown = disclosure.report(plain(usage=usage), shown=ShownBreakdown.FULL)["usage"]

    assert shown == usage | {"cpu_s_per_sample": 0.01, "latency_p50_ms": 12.3, "latency_p95_ms": 23.4}


def test_scores_have_six_decimals() -> None:
    score = {"value": 1 / 3, "ci": [0.1234567, 2 / 3], "details": {"threshold": 0.5}}

    shown = disclosure.report(plain(scores={"f1_best": score}), shown=ShownBreakdown.FULL)["scores"]

    assert shown == {
        "f1_best": {"value": 0.333333, "ci": [0.123457, 0.666667], "details": {"threshold": 0.5}}
    }


@pytest.mark.parametrize("shown", [ShownBreakdown.STEPS, ShownBreakdown.OFF])
def test_what_stands_beside_a_score_goes_with_the_breakdown(shown: ShownBreakdown) -> None:
    score = {"value": 0.5, "ci": [0.4, 0.6], "details": {"threshold": 0.12345}}

    told_report = disclosure.report(plain(scores={"f1_best": score}), shown=shown)

    assert told_report["scores"]["f1_best"]["details"] == {}


def part(samples: int, correct: int) -> dict[str, Any]:
    return asdict(Share(samples=samples, correct=correct, accuracy=correct / samples))


def in_steps(**parts: Any) -> Any:
    """Return a breakdown as a track in steps tells it."""
    breakdown = asdict(Breakdown(**{"by_label": {}, "by_group": {}, "confusion": ((1, 2), (3, 4)), **parts}))
    return disclosure.report(plain(breakdown=breakdown), shown=ShownBreakdown.STEPS)["breakdown"]


@pytest.mark.parametrize(
    ("samples", "correct", "quarter"), [(20, 0, 0), (20, 4, 0), (20, 5, 0.25), (40, 39, 0.75), (40, 40, 1)]
)
def test_a_breakdown_in_steps_tells_quarters_and_no_counts(
    samples: int, correct: int, quarter: float
) -> None:
    assert in_steps(by_label={"0": part(samples, correct)}) == {
        "by_label": {"0": {"samples": samples, "correct": None, "accuracy": quarter}},
        "by_group": {},
        "confusion": [],
    }


def test_a_breakdown_in_steps_leaves_out_small_parts() -> None:
    parts = {"small": part(19, 19), "large": part(20, 20)}

    assert list(in_steps(by_group=parts)["by_group"]) == ["large"]


def test_a_breakdown_in_steps_leaves_out_parts_that_are_many() -> None:
    assert len(in_steps(by_label={str(number): part(20, 7) for number in range(20)})["by_label"]) == 20
    assert in_steps(by_label={str(number): part(20, 7) for number in range(21)})["by_label"] == {}


def test_a_rejection_without_scores_is_told_in_every_way() -> None:
    for shown in ShownBreakdown:
        assert disclosure.report(plain(), shown=shown) == plain()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({}, ShownBreakdown.FULL),
        ({"prizes": True}, ShownBreakdown.OFF),
        ({"prizes": True, "breakdown": "steps"}, ShownBreakdown.STEPS),
        ({"prizes": True, "breakdown": "full"}, ShownBreakdown.FULL),
        ({"breakdown": "off"}, ShownBreakdown.OFF),
    ],
)
def test_prizes_turn_the_breakdown_off_unless_the_track_says_otherwise(
    evaluation: Evaluation, body: Mapping[str, Any], shown: ShownBreakdown
) -> None:
    track = evaluation.submission.track
    track.body = {**track.body, **body}

    assert track.shown_breakdown() is shown


def test_organisers_see_what_participants_of_a_track_with_prizes_do_not(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    lifecycle.record_scored(lease, scored_report(), now=now, place=standings.place)
    track = evaluation.submission.track
    rewrite(track, prizes=True)
    evaluation.refresh_from_db()
    evaluation.submission.track = track

    assert reports.report(evaluation, now=now)["breakdown"] is None
    assert reports.report(evaluation, now=now, for_organisers=True)["breakdown"]["confusion"] == [
        [2, 1],
        [0, 0],
    ]


def test_a_board_tells_scores_in_six_decimals(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    report = scored_report()
    exact = score_value(2 / 3, margin=0.1)
    scored = type(report)(**{**vars(report), "scores": dict.fromkeys(report.scores, exact)})
    lifecycle.record_scored(lease, scored, now=now, place=standings.place)
    evaluation.submission.track.refresh_from_db()

    (row,) = selectors.board(evaluation.submission.track).rows

    assert (row.value, row.ci_low, row.ci_high) == (0.666667, 0.566667, 0.766667)


# --- the bound

SAMPLES, CLASSES, METRICS = 10_000, 100, 2
"""The example of the guide: public samples, classes of Track 1, and its metrics."""
LONGEST_S, SHORTEST_S = 3_600, 0.001
LONGEST_LATENCY_MS, SHORTEST_LATENCY_MS = 3_600_000, 0.001


def steps_between(least: float, most: float) -> int:
    """Return how many steps a number can be told as, 0 among them."""
    decades = floor(log10(most)) - floor(log10(least)) + 1
    return len(disclosure.STEPS_A_DECADE) * decades + 1


def latencies() -> int:
    decades = floor(log10(LONGEST_LATENCY_MS)) - floor(log10(SHORTEST_LATENCY_MS)) + 1
    return 9 * 10 ** (disclosure.LATENCY_DIGITS - 1) * decades + 1


def bound() -> dict[str, float]:
    """Return the bits of each thing that a participant is told, by its row in the guide."""
    share = log2(10**disclosure.SCORE_DECIMALS + 1)
    parts = disclosure.MAX_PARTS_IN_STEPS * log2(disclosure.SHARE_STEPS + 1)
    times = log2(steps_between(SHORTEST_S, LONGEST_S))
    return {
        "a share of 10,000 samples, such as accuracy": log2(SAMPLES + 1),
        "another score, from 0 to 1": share,
        "its interval": 2 * share,
        "processor time per sample": times,
        "time of a stage on hidden samples": times,
        "how long it takes, by a clock beside the page": log2(LONGEST_S + 1),
        "median and 95% latency, if timed": 2 * log2(latencies()),
        "labels or groups in steps": parts,
        "which code, when rejected": len(CODES).bit_length(),
        "a number beside the code": log2(steps_between(1, SAMPLES * CLASSES)),
        "labels in full, 100 classes of 6": CLASSES * log2(6 + 1),
    }


def stated() -> dict[str, float]:
    """Return the rows of the guide's table."""
    section = GUIDE.read_text("utf-8").partition("## What a submission reveals")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([\d.]+) \|$", section, re.MULTILINE)
    return {name.strip(): float(bits) for name, bits in rows}


def test_the_guide_states_the_bound_that_follows_from_the_steps() -> None:
    assert stated() == {name: pytest.approx(bits, abs=0.05) for name, bits in bound().items()}


def test_the_guide_states_the_sum_for_a_track_with_prizes() -> None:
    bits, guide = bound(), " ".join(GUIDE.read_text("utf-8").split())
    timed = (
        bits["how long it takes, by a clock beside the page"]
        # Predicting and computing the score.
        + 2 * bits["time of a stage on hidden samples"]
    )
    # The intervals of accuracy and top-5 accuracy follow from them.
    scores = METRICS * bits["a share of 10,000 samples, such as accuracy"]
    scored = scores + timed + bits["processor time per sample"]
    # A count, and how far answers lie apart.
    rejected = bits["which code, when rejected"] + 2 * bits["a number beside the code"] + timed

    assert f"at most {ceil(scored)} bits if it is scored and {ceil(rejected)} if it is rejected" in guide
    assert f"of a captured entry, at most {ceil(scores)}" in guide
