"""The JSON report of an evaluation, as pages, the API and exports show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any, Final

from competition.submissions import disclosure
from competition.submissions.models import Evaluation, Score
from competition.tracks.class_names import class_names
from scoring.contracts import Finding, Split, Status, Usage, Verdict, quantised_name
from scoring.reports.report import Report, rendered_stored

VERDICTS: Final[Mapping[Status, Verdict]] = {
    Status.SCORED: Verdict.SCORED,
    Status.REJECTED: Verdict.REJECTED,
    Status.FAILED: Verdict.FAULT,
}
Named = list[tuple[str, Score]]
"""Scores, each with its metric."""
FAULT_MESSAGE: Final = (
    "Something went wrong on our side; we tried {attempts} times. It does not count towards your quota."
)
FAULT_HINT: Final = "Give the organisers this reference: {reference}."


def report(evaluation: Evaluation, *, now: datetime, for_organisers: bool = False) -> dict[str, Any]:
    """Return the report; private scores are in it once the track shows them, or for organisers.

    Others than organisers see in steps what came of hidden samples.
    """
    status = Status(evaluation.status)
    track = evaluation.submission.track
    told = evaluation.findings if for_organisers else disclosure.findings(evaluation.findings)
    findings = rendered_stored(map(_finding, told))
    measured = evaluation.report or {}
    shows_private = for_organisers or track.shows_private_scores(now)
    second = measured.get("quantised")
    own, again = _by_precision(evaluation, second)
    shared = Report(
        verdict=VERDICTS[status].value if status in VERDICTS else None,
        **_words(evaluation, findings),
        findings=findings,
        format=measured.get("format"),
        not_formats=measured.get("not_formats", {}),
        applied=measured.get("applied", {}),
        track=track.slug,
        benchmark=evaluation.benchmark.digest,
        usage=_usage(evaluation.usage),
        max_latency_ms=evaluation.benchmark.spec.get("budgets", {}).get("max_latency_ms"),
        scores=_scores(own, Split.PUBLIC),
        private_scores=_scores(own, Split.PRIVATE) if shows_private else {},
        breakdown=measured.get("breakdown"),
        class_names=class_names(evaluation.benchmark, track),
        quantised={
            **second,
            "scores": _scores(again, Split.PUBLIC),
            "private_scores": _scores(again, Split.PRIVATE) if shows_private else {},
        }
        if second
        else None,
        samples=measured.get("samples", 0),
        timings_s=measured.get("timings_s", {}),
        isolated=measured.get("isolated"),
    )
    whole = shared.plain()
    return {
        "status": status.value,
        "stage": evaluation.stage,
        **(whole if for_organisers else disclosure.report(whole, shown=track.shown_breakdown())),
        "reference": evaluation.reference if status == Status.FAILED else "",
        **({"fault": evaluation.fault} if for_organisers else {}),
    }


def log(evaluation: Evaluation) -> str:
    """Return the log of the measure stage, which saw sample inputs only."""
    return evaluation.log


def _words(evaluation: Evaluation, findings: list[dict[str, Any]]) -> dict[str, str]:
    if evaluation.status == Status.REJECTED:
        return {key: findings[0][key] for key in ("code", "message", "hint")}
    if evaluation.status == Status.FAILED:
        message = FAULT_MESSAGE.format(attempts=evaluation.attempts)
        return {"code": "", "message": message, "hint": FAULT_HINT.format(reference=evaluation.reference)}
    return {"code": "", "message": "", "hint": ""}


def _usage(stored: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return what was measured; what a report is too old to tell is as if nothing were known of it."""
    defaults = {each.name: each.default for each in fields(Usage) if each.default is not MISSING}
    return None if stored is None else {**defaults, **stored}


def _finding(stored: Mapping[str, Any]) -> Finding:
    return Finding(code=stored["code"], path=stored["path"], facts=stored["facts"])


def _by_precision(evaluation: Evaluation, second: Mapping[str, Any] | None) -> tuple[Named, Named]:
    """Return the scores by their metrics: the entry's own, and those of its quantised graph.

    The ranking metric comes first; the others stay in the order of their names.
    """
    prefix = quantised_name(second["precision"], "") if second else ""
    own: Named = []
    again: Named = []
    for score in evaluation.scores.all():
        if prefix and score.metric.startswith(prefix):
            again.append((score.metric.removeprefix(prefix), score))
        else:
            own.append((score.metric, score))
    ranking = evaluation.benchmark.spec.get("metric")
    for named in (own, again):
        named.sort(key=lambda each: each[0] != ranking)
    return own, again


def _scores(scores: Named, split: Split) -> dict[str, dict[str, Any]]:
    return {
        metric: {
            "value": score.value,
            "ci": [score.ci_low, score.ci_high],
            "higher_is_better": score.higher_is_better,
            "version": score.version,
            "details": score.details,
        }
        for metric, score in scores
        if score.split == split
    }
