"""How finely participants are told what came of hidden samples: in steps, so that little can be carried out in it.

Organisers see everything as it was measured. `docs/organisers.md` states what a submission can reveal at most,
in bits; a test computes it from the steps here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from scoring.contracts import LATENCY_RULE, ShownBreakdown, Stage

STEPS_A_DECADE: Final = (1, 2, 5)
"""Times and counts are told as 1, 2, 5, 10, 20, 50 and so on."""
SCORE_DECIMALS: Final = 6
LATENCY_DIGITS: Final = 3
SHARE_STEPS: Final = 4
"""A breakdown in steps tells shares as quarters, rounded down."""
MAX_PARTS_IN_STEPS: Final = 20
MIN_SAMPLES_OF_A_PART: Final = 20
"""Smaller parts would tell of single samples."""
ON_SAMPLE_INPUTS: Final = frozenset(
    {*(stage.value for stage in Stage), "export"} - {Stage.PREDICT.value, Stage.METRIC.value}
)
"""What is timed before hidden data; the rest is told in steps."""

Plain = Mapping[str, Any]


def step_below(number: float) -> float:
    """Return the largest step that is no more than a number; 0 of one that is not above 0."""
    if number <= 0:
        return 0
    decade = Decimal(repr(float(number))).adjusted()
    steps = (float(f"{step}e{decade}") for step in reversed(STEPS_A_DECADE))
    return next(step for step in steps if step <= number)


def step_above(number: float) -> float:
    """Return the smallest step that is no less than a number; 0 of one that is not above 0."""
    if number <= 0:
        return 0
    decade = Decimal(repr(float(number))).adjusted()
    steps = (float(f"{step}e{decade}") for step in (*STEPS_A_DECADE, 10 * STEPS_A_DECADE[0]))
    return next(step for step in steps if step >= number)


def latency(found_ms: float | None, max_ms: float | None) -> float | None:
    """Return a latency in three digits, rounded away from the track's gate so that it stays on its side."""
    if not found_ms:
        return found_ms
    number = Decimal(repr(float(found_ms)))
    last = Decimal(1).scaleb(number.adjusted() - LATENCY_DIGITS + 1)
    is_over = LATENCY_RULE.is_over(found_ms, max_ms)
    return float(number.quantize(last, ROUND_CEILING if is_over else ROUND_FLOOR))


def score(value: float) -> float:
    """Return a score as boards and reports tell it."""
    return round(value, SCORE_DECIMALS)


def findings(stored: Iterable[Plain]) -> list[Plain]:
    """Return stored findings with the numbers that tell of hidden samples in steps."""
    return [{**found, "facts": _facts(found["code"], found["facts"])} for found in stored]


def report(whole: Plain, *, shown: ShownBreakdown) -> dict[str, Any]:
    """Return a report as participants see it; its findings are in steps already."""
    return {
        **whole,
        "usage": _usage(whole["usage"], whole["max_latency_ms"]),
        "scores": _scores(whole["scores"], shown),
        "private_scores": _scores(whole["private_scores"], shown),
        "breakdown": BREAKDOWNS[shown](whole["breakdown"]),
        "quantised": _quantised(whole["quantised"], shown),
        "timings_s": {
            name: seconds if name in ON_SAMPLE_INPUTS else step_below(seconds)
            for name, seconds in whole["timings_s"].items()
        },
    }


def _facts(code: str, facts: Plain) -> Plain:
    return FACTS_IN_STEPS[code](facts) if code in FACTS_IN_STEPS else facts


def _count(facts: Plain) -> Plain:
    return {**facts, "found": int(step_below(facts["found"]))}


def _missing_rows(facts: Plain) -> Plain:
    """Tell how many rows are missing in steps; one too many is told as it is."""
    missing = int(step_above(facts["expected"] - facts["found"]))
    return {**facts, "found": max(0, facts["expected"] - missing)} if missing else facts


def _count_and_distance(facts: Plain) -> Plain:
    return {**_count(facts), "percent_difference": step_below(facts["percent_difference"])}


FACTS_IN_STEPS: Final[Mapping[str, Callable[[Plain], Plain]]] = {
    "not_finite": _count,
    "wrong_output_count": _missing_rows,
    "latency_answers_differ": _count,
    "batch_dependent_output": _count_and_distance,
    "hidden_work": lambda facts: {**facts, "found": step_above(facts["found"])},
    LATENCY_RULE.code: lambda facts: {**facts, "found": latency(facts["found"], facts["allowed"])},
}
"""Codes whose numbers may come from a run on hidden samples."""


def _usage(usage: Plain | None, max_latency_ms: float | None) -> Plain | None:
    if usage is None:
        return None
    cpu_s = usage["cpu_s_per_sample"]
    return {
        **usage,
        "cpu_s_per_sample": None if cpu_s is None else step_below(cpu_s),
        "latency_p50_ms": latency(usage["latency_p50_ms"], max_latency_ms),
        "latency_p95_ms": latency(usage["latency_p95_ms"], max_latency_ms),
    }


def _scores(scores: Plain, shown: ShownBreakdown) -> dict[str, Any]:
    """Return scores in their decimals; thresholds and counts beside them go with the breakdown."""
    return {
        metric: {
            **found,
            "value": score(found["value"]),
            "ci": [score(end) for end in found["ci"]],
            "details": found["details"] if shown is ShownBreakdown.FULL else {},
        }
        for metric, found in scores.items()
    }


def _quantised(second: Plain | None, shown: ShownBreakdown) -> Plain | None:
    if second is None:
        return None
    return {
        **second,
        "drop_points": round(second["drop_points"], SCORE_DECIMALS - 2),
        "scores": _scores(second["scores"], shown),
        "private_scores": _scores(second["private_scores"], shown),
    }


def _breakdown_in_steps(breakdown: Plain | None) -> Plain | None:
    """Return the shares of large parts in quarters, of labels and groups that are few; no counts."""
    if breakdown is None:
        return None
    return {
        "by_label": _parts(breakdown.get("by_label", {})),
        "by_group": _parts(breakdown.get("by_group", {})),
        "confusion": [],
    }


def _parts(parts: Mapping[str, Plain]) -> dict[str, Plain]:
    if len(parts) > MAX_PARTS_IN_STEPS:
        return {}
    return {
        name: {
            "samples": part["samples"],
            "correct": None,
            "accuracy": SHARE_STEPS * part["correct"] // part["samples"] / SHARE_STEPS,
        }
        for name, part in parts.items()
        if part["samples"] >= MIN_SAMPLES_OF_A_PART
    }


BREAKDOWNS: Final[Mapping[ShownBreakdown, Callable[[Plain | None], Plain | None]]] = {
    ShownBreakdown.FULL: lambda breakdown: breakdown,
    ShownBreakdown.STEPS: _breakdown_in_steps,
    ShownBreakdown.OFF: lambda breakdown: None,
}
