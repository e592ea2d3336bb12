"""The worker's ports with a span for each evaluation, and in it one for each of its stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.trace import Span, Tracer, get_tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from scoring.contracts import ScoreReport, Stage
from scoring.errors import Cause, Rejected
from scoring.worker.ports import Assignment, Ports, Work


def traced(ports: Ports) -> Ports:
    """Return the ports with spans that go wherever the process's traces go."""
    return TracedPorts(inner=ports, tracer=get_tracer("podium"))


@dataclass
class TracedPorts:
    """Ports that do what others do. An evaluation's span begins with its claim and ends with what is recorded."""

    inner: Ports
    tracer: Tracer
    _evaluation: Span | None = field(default=None)
    _stage: Span | None = field(default=None)

    def claim(self) -> Work | None:
        """Claim, and begin the span; one that is still open lost its lease."""
        self._end("lease lost")
        work = self.inner.claim()
        if work is not None:
            about: dict[str, AttributeValue] = {
                "podium.submission": work.submission,
                "podium.evaluation": work.lease.evaluation,
            }
            self._evaluation = self.tracer.start_span("evaluation", attributes=about)
        return work

    def fetch(self, work: Work, *, workdir: Path, tick: Callable[[], None]) -> Assignment:
        """Bring entry and dataset."""
        self._begin("fetch")
        try:
            return self.inner.fetch(work, workdir=workdir, tick=tick)
        finally:
            self._end_stage()

    def score(self, assignment: Assignment, *, workdir: Path, note: Callable[[Stage], None]) -> ScoreReport:
        """Do the whole flow, and end the span of its last stage."""
        try:
            return self.inner.score(assignment, workdir=workdir, note=note)
        finally:
            self._end_stage()

    def check(self, work: Work) -> None:
        """Look whether to stop."""
        self.inner.check(work)

    def renew(self, work: Work) -> None:
        """Renew."""
        self.inner.renew(work)

    def note_stage(self, work: Work, stage: Stage) -> None:
        """Show the stage, and begin its span."""
        self._begin(stage.value)
        self.inner.note_stage(work, stage)

    def record_scored(self, work: Work, report: ScoreReport) -> None:
        """Record, and end the span."""
        self.inner.record_scored(work, report)
        self._end("scored")

    def record_rejected(self, work: Work, rejected: Rejected) -> None:
        """Record, and end the span with the code."""
        self.inner.record_rejected(work, rejected)
        self._end("rejected", code=rejected.code)

    def record_cancelled(self, work: Work) -> None:
        """Record, and end the span."""
        self.inner.record_cancelled(work)
        self._end("cancelled")

    def record_fault(self, work: Work, *, reference: str, detail: str, cause: Cause) -> None:
        """Record, and end the span with the cause and the reference that leads to the log."""
        self.inner.record_fault(work, reference=reference, detail=detail, cause=cause)
        self._end("fault", cause=cause.value, reference=reference)

    def release(self, work: Work) -> None:
        """Give back, and end the span."""
        self.inner.release(work)
        self._end("released")

    def _begin(self, stage: str) -> None:
        self._end_stage()
        if self._evaluation is not None:
            self._stage = self.tracer.start_span(stage, context=set_span_in_context(self._evaluation))

    def _end_stage(self) -> None:
        if self._stage is not None:
            self._stage.end()
            self._stage = None

    def _end(self, outcome: str, **facts: str) -> None:
        self._end_stage()
        if self._evaluation is not None:
            told = {"podium.outcome": outcome, **{f"podium.{name}": fact for name, fact in facts.items()}}
            self._evaluation.set_attributes(told)
            self._evaluation.end()
            self._evaluation = None
