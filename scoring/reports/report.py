"""The one report that the command line and the API share, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scoring.codes import CODES
from scoring.contracts import Finding, Quantised, ScoreReport, ScoreValue, Verdict
from scoring.errors import Fault, Rejected, RenderedFinding, render, render_stored


@dataclass(frozen=True, kw_only=True)
class Report:
    """Every field of a report, whatever the verdict: null, or empty, where there is nothing to tell.

    The command line adds the log, the site how the submission stands.
    """

    verdict: str | None = None
    code: str = ""
    message: str = ""
    hint: str = ""
    findings: Sequence[Mapping[str, Any]] = ()
    format: str | None = None
    not_formats: Mapping[str, str] = field(default_factory=dict)
    applied: Mapping[str, str] = field(default_factory=dict)
    track: str
    benchmark: str | None = None
    plan: str | None = None
    usage: Mapping[str, Any] | None = None
    max_latency_ms: float | None = None
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    private_scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    breakdown: Mapping[str, Any] | None = None
    class_names: Sequence[str] = ()
    quantised: Mapping[str, Any] | None = None
    samples: int = 0
    timings_s: Mapping[str, float] = field(default_factory=dict)
    isolated: bool | None = None

    def plain(self) -> dict[str, Any]:
        """Return the fields in their order, as plain values; times are rounded to milliseconds."""
        return {
            **vars(self),
            "findings": list(self.findings),
            "class_names": list(self.class_names),
            "timings_s": {stage: round(seconds, 3) for stage, seconds in self.timings_s.items()},
        }


def accepted_or_scored(
    report: ScoreReport, *, class_names: Sequence[str] = (), max_latency_ms: float | None = None
) -> dict[str, Any]:
    """Return the report of an entry that passed; `class_names` and the latency gate are its track's."""
    return Report(
        verdict=report.verdict.value,
        findings=rendered(report.warnings),
        format=report.format.value,
        not_formats=dict(report.not_formats),
        applied=dict(report.applied),
        track=report.track,
        benchmark=report.benchmark,
        plan=report.plan,
        usage=asdict(report.usage),
        max_latency_ms=max_latency_ms,
        scores=score_values(report.scores),
        private_scores=score_values(report.private_scores),
        breakdown=None if report.breakdown is None else asdict(report.breakdown),
        class_names=class_names,
        quantised=None if report.quantised is None else _quantised(report.quantised),
        samples=report.samples,
        timings_s=report.timings_s,
        isolated=report.isolated,
    ).plain()


def rejected(
    rejection: Rejected,
    *,
    track: str,
    class_names: Sequence[str] = (),
    max_latency_ms: float | None = None,
) -> dict[str, Any]:
    """Return the report of an entry that breaks a rule; the gravest finding gives the code."""
    findings = rendered((*rejection.findings, *rejection.warnings))
    package = rejection.package
    return Report(
        verdict=Verdict.REJECTED.value,
        **{key: findings[0][key] for key in ("code", "message", "hint")},
        findings=findings,
        format=None if package is None else package.format.value,
        not_formats={} if package is None else dict(package.not_formats),
        track=track,
        usage=asdict(rejection.usage) if rejection.usage else None,
        max_latency_ms=max_latency_ms,
        class_names=class_names,
        timings_s=rejection.timings_s,
    ).plain()


def fault(
    problem: Fault, *, track: str, class_names: Sequence[str] = (), max_latency_ms: float | None = None
) -> dict[str, Any]:
    """Return the report of a run that failed on our side."""
    return Report(
        verdict=Verdict.FAULT.value,
        message=str(problem),
        track=track,
        max_latency_ms=max_latency_ms,
        class_names=class_names,
    ).plain()


def rendered(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as the report shows them."""
    return [_with_weight(render(finding)) for finding in findings]


def rendered_stored(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings from a database as the report shows them; unknown codes are no warnings."""
    return [_with_weight(render_stored(finding)) for finding in findings]


def score_values(scores: Mapping[str, ScoreValue]) -> dict[str, dict[str, Any]]:
    """Return scores by their metrics as the report shows them."""
    return {name: score_value(value) for name, value in scores.items()}


def score_value(value: ScoreValue) -> dict[str, Any]:
    """Return one score as the report shows it."""
    return {**asdict(value), "ci": list(value.ci)}


def quantised_facts(found: Quantised) -> dict[str, Any]:
    """Return what the report shows of a second score beside the scores themselves."""
    return {
        "precision": found.precision.value,
        "calibration_samples": found.calibration_samples,
        "share_in_8_bits": found.share_in_8_bits,
        "drop_points": found.drop_points,
        "max_drop_points": found.max_drop_points,
    }


def _with_weight(finding: RenderedFinding) -> dict[str, Any]:
    return {**asdict(finding), "warning": finding.code in CODES and CODES[finding.code].warning}


def _quantised(found: Quantised) -> dict[str, Any]:
    return {
        **quantised_facts(found),
        "scores": score_values(found.scores),
        "private_scores": score_values(found.private_scores),
    }
