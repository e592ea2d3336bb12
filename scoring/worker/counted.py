"""The worker's ports with a count of what goes through them, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from competition import metrics
from competition.submissions.lifecycle import LeaseLost
from scoring.contracts import ScoreReport, Stage
from scoring.errors import Rejected
from scoring.worker.ports import Assignment, Ports, Work


@dataclass
class CountedPorts:
    """Ports that do what others do, counted for a hardware class."""

    inner: Ports
    queue: str
    clock: Callable[[], float] = time.monotonic
    _stage: tuple[Stage, float] | None = field(default=None)

    def claim(self) -> Work | None:
        """Claim, and count it."""
        work = self.inner.claim()
        if work is not None:
            metrics.CLAIMS.labels(queue=self.queue).inc()
        return work

    def fetch(self, work: Work, *, workdir: Path, tick: Callable[[], None]) -> Assignment:
        """Bring entry and dataset."""
        return self.inner.fetch(work, workdir=workdir, tick=tick)

    def score(self, assignment: Assignment, *, workdir: Path, note: Callable[[Stage], None]) -> ScoreReport:
        """Do the whole flow, and note when its last stage ended."""
        try:
            return self.inner.score(assignment, workdir=workdir, note=note)
        finally:
            self._begin(None)

    def check(self, work: Work) -> None:
        """Look whether to stop."""
        with self._noticing_loss():
            self.inner.check(work)

    def renew(self, work: Work) -> None:
        """Renew, and count it."""
        with self._noticing_loss():
            self.inner.renew(work)
        metrics.RENEWALS.labels(queue=self.queue).inc()

    def note_stage(self, work: Work, stage: Stage) -> None:
        """Show the stage, and note when the one before it ended."""
        self._begin(stage)
        with self._noticing_loss():
            self.inner.note_stage(work, stage)

    def record_scored(self, work: Work, report: ScoreReport) -> None:
        """Record, and count it."""
        with self._noticing_loss():
            self.inner.record_scored(work, report)
        self._count("scored")

    def record_rejected(self, work: Work, rejected: Rejected) -> None:
        """Record, and count it by its code."""
        with self._noticing_loss():
            self.inner.record_rejected(work, rejected)
        metrics.REJECTIONS.labels(code=rejected.code).inc()
        self._count("rejected")

    def record_cancelled(self, work: Work) -> None:
        """Record, and count it."""
        with self._noticing_loss():
            self.inner.record_cancelled(work)
        self._count("cancelled")

    def record_fault(self, work: Work, **facts: Any) -> None:
        """Record, and count it by its cause."""
        metrics.FAULTS.labels(cause=str(facts.get("cause", "unknown"))).inc()
        with self._noticing_loss():
            self.inner.record_fault(work, **facts)
        self._count("fault")

    def release(self, work: Work) -> None:
        """Give back, and count it."""
        with self._noticing_loss():
            self.inner.release(work)
        self._count("released")

    def _count(self, outcome: str) -> None:
        metrics.OUTCOMES.labels(queue=self.queue, outcome=outcome).inc()

    def _begin(self, stage: Stage | None) -> None:
        now = self.clock()
        if self._stage is not None:
            before, began = self._stage
            metrics.STAGE_SECONDS.labels(stage=before.value).observe(now - began)
        self._stage = None if stage is None else (stage, now)

    @contextmanager
    def _noticing_loss(self) -> Iterator[None]:
        try:
            yield
        except LeaseLost:
            metrics.LEASES_LOST.labels(queue=self.queue).inc()
            raise
