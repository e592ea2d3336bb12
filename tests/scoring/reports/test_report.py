"""The one report that the command line and the API share."""

from dataclasses import fields, replace

from scoring.contracts import Finding, Verdict
from scoring.errors import Fault, Rejected
from scoring.reports.report import Report, accepted_or_scored, fault, rejected
from tests.examples import quantised_scores, scored_report

FIELDS = [field.name for field in fields(Report)]
REJECTED = Rejected(Finding(code="missing_file", facts={"expected": "model.py"}))


def test_a_report_has_the_same_fields_whatever_the_verdict() -> None:
    full = replace(
        scored_report(), applied={"size": "32 x 32"}, plan="sha256:p", quantised=quantised_scores(0.8, of=0.9)
    )
    accepted = replace(scored_report(), verdict=Verdict.ACCEPTED, scores={}, private_scores={})

    reports = [
        accepted_or_scored(full),
        accepted_or_scored(accepted),
        rejected(REJECTED, track="t"),
        fault(Fault("the disk is full"), track="t"),
    ]

    assert [list(report) for report in reports] == [FIELDS] * 4


def test_a_fault_has_nothing_to_tell_but_what_failed_and_of_which_track() -> None:
    told = fault(Fault("the disk is full"), track="t", class_names=("cat", "dog"), max_latency_ms=35.0)

    assert {name: value for name, value in told.items() if value} == {
        "verdict": "fault",
        "message": "the disk is full",
        "track": "t",
        "class_names": ["cat", "dog"],
        "max_latency_ms": 35.0,
    }
    empty = {"findings": [], "not_formats": {}, "applied": {}, "scores": {}, "private_scores": {}}
    assert {name: told[name] for name in empty} == empty
    assert all(told[name] is None for name in ("format", "benchmark", "plan", "usage", "quantised"))
