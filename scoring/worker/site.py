"""The worker's ports to the real site: its database, its storage and the real flow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from competition.clock import database_now
from competition.leaderboard import standings
from competition.storage import fetch
from competition.submissions import lifecycle, queue
from competition.submissions.models import Evaluation
from competition.tracks.datasets import materialise
from competition.tracks.differences import Difference, in_words
from competition.tracks.models import BenchmarkVersion
from scoring.contracts import ScoreReport, Stage
from scoring.environment import installed_environment, missing_among
from scoring.errors import Cause, Rejected
from scoring.flow import pipeline
from scoring.sandbox.base import Sandbox
from scoring.worker.ports import Assignment, Work
from scoring.worker.presence import Presence

ENTRY: Final = "entry"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SitePorts:
    """Works off one hardware class's queue as `owner`.

    `environment` tells the packages that entries run with here. It is asked at every claim, since they
    may be upgraded under a running worker.
    """

    owner: str
    queue: str
    sandbox: Sandbox
    cache: Path
    presence: Presence | None = None
    memory_bytes: int | None = None
    environment: Callable[[], Mapping[str, str]] = field(default=installed_environment)
    now: Callable[[], datetime] = field(default=database_now)

    def claim(self) -> Work | None:
        """Claim the next evaluation, or return None if there is none."""
        environment, now = self.environment(), self.now()
        lifecycle.take_back_abandoned(now=now)
        lease = queue.claim_next(
            owner=self.owner,
            queues=(self.queue,),
            environment=environment,
            memory_bytes=self.memory_bytes,
            now=now,
        )
        if self.presence:
            self.presence.note(evaluation_id=lease.evaluation if lease else None, environment=environment)
        if lease is None:
            for version, changes in queue.unfit_versions((self.queue,), environment):
                _log_unfit(version, changes)
            for version in queue.too_large_versions((self.queue,), self.memory_bytes):
                fields = {"benchmark": str(version), "why": "its runs may take more memory than there is"}
                log.warning("not_scored_here", extra={"fields": fields})
            return None
        submission = Evaluation.objects.values_list("submission_id", flat=True).get(pk=lease.evaluation)
        return Work(lease=lease, submission=str(submission))

    def fetch(self, work: Work, *, workdir: Path, tick: Callable[[], None]) -> Assignment:
        """Bring entry and dataset onto this machine; raise Fault if storage does not give them."""
        rows = Evaluation.objects.select_related("submission", "benchmark__dataset")
        evaluation = rows.get(pk=work.lease.evaluation)
        entry = workdir / ENTRY
        submission = evaluation.submission
        fetch(submission.entry, entry, sha256=submission.sha256, what="the entry", tick=tick)
        return Assignment(
            entry=entry,
            data=materialise(evaluation.benchmark.dataset, self.cache, tick=tick),
            track=evaluation.benchmark.document().spec,
            benchmark=evaluation.benchmark.digest,
        )

    def score(self, assignment: Assignment, *, workdir: Path, note: Callable[[Stage], None]) -> ScoreReport:
        """Do the whole flow; raise Rejected, Fault, or what `note` raises."""
        return pipeline.score(
            assignment.entry,
            assignment.track,
            data=assignment.data,
            benchmark=assignment.benchmark,
            cache=self.cache,
            sandbox=self.sandbox,
            workdir=workdir,
            note=note,
        )

    def check(self, work: Work) -> None:
        """Raise LeaseLost or CancelRequested if work is to stop."""
        with _outlasting_outages(work):
            lifecycle.check(work.lease)

    def renew(self, work: Work) -> None:
        """Make the lease last from now on, or raise as `check`."""
        with _outlasting_outages(work):
            lifecycle.renew(work.lease, now=self.now())

    def note_stage(self, work: Work, stage: Stage) -> None:
        """Show the stage and renew, or raise as `check`."""
        with _outlasting_outages(work):
            lifecycle.note_stage(work.lease, stage, now=self.now())

    def record_scored(self, work: Work, report: ScoreReport) -> None:
        """Record scores and the standing that they give, or raise as `check`."""
        lifecycle.record_scored(
            work.lease, report, hardware=self.queue, now=self.now(), place=standings.place
        )

    def record_rejected(self, work: Work, rejected: Rejected) -> None:
        """Record what was found in the entry, or raise as `check`."""
        lifecycle.record_rejected(work.lease, rejected, now=self.now())

    def record_cancelled(self, work: Work) -> None:
        """Record that the evaluation was stopped on request."""
        lifecycle.record_cancelled(work.lease, now=self.now())

    def record_fault(self, work: Work, *, reference: str, detail: str, cause: Cause) -> None:
        """Record our failure; the evaluation is queued again or fails."""
        now = self.now()
        if self.presence:
            self.presence.note(fault_at=now, fault_cause=cause.value, fault_reference=reference)
        lifecycle.record_fault(work.lease, reference=reference, detail=detail, cause=cause, now=now)

    def release(self, work: Work) -> None:
        """Give the evaluation back at once, since this worker must stop."""
        lifecycle.release(work.lease, now=self.now())


def _log_unfit(version: BenchmarkVersion, changes: Iterable[Difference]) -> None:
    """Log why entries keep waiting; nothing else would show it, because it counts as no fault."""
    changes = tuple(changes)
    missing = missing_among(change.name for change in changes)
    others = in_words((change for change in changes if change.name not in missing), version)
    for sentence in (*missing.values(), *others):
        log.warning("not_scored_here", extra={"fields": {"benchmark": str(version), "why": sentence}})


@contextmanager
def _outlasting_outages(work: Work) -> Iterator[None]:
    """Go on without a sign of life while the database is away: an hour's run is not thrown away for it.

    If that takes so long that somebody else claims the evaluation, the fence keeps us from writing.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as exc:
        fields = {"submission": work.submission, "error": type(exc).__name__}
        log.warning("database_unreachable", extra={"fields": fields})
        connection.close()
