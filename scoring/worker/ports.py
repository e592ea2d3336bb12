"""What the worker needs from the rest of the system, so that a test can make any one call fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from competition.submissions.lifecycle import Lease
from scoring.contracts import ScoreReport, Stage, TrackSpec
from scoring.errors import Cause, Rejected


@dataclass(frozen=True, kw_only=True)
class Work:
    """An evaluation that was claimed; `submission` is for logs."""

    lease: Lease
    submission: str


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What is to be scored, on this machine's disk. The entry is hostile, the rest is trusted."""

    entry: Path
    data: Path
    track: TrackSpec
    benchmark: str


class Ports(Protocol):
    """Claim, score, record. What writes raises `LeaseLost` if the evaluation is no longer ours."""

    def claim(self) -> Work | None:
        """Claim the next evaluation, or return None if there is none."""

    def fetch(self, work: Work, *, workdir: Path, tick: Callable[[], None]) -> Assignment:
        """Bring entry and dataset onto this machine; raise Fault if storage does not give them."""

    def score(self, assignment: Assignment, *, workdir: Path, note: Callable[[Stage], None]) -> ScoreReport:
        """Do the whole flow; raise Rejected, Fault, or what `note` raises."""

    def check(self, work: Work) -> None:
        """Raise LeaseLost or CancelRequested if work is to stop."""

    def renew(self, work: Work) -> None:
        """Make the lease last from now on, or raise as `check`."""

    def note_stage(self, work: Work, stage: Stage) -> None:
        """Show the stage and renew, or raise as `check`."""

    def record_scored(self, work: Work, report: ScoreReport) -> None:
        """Record scores and the standing that they give, or raise as `check`."""

    def record_rejected(self, work: Work, rejected: Rejected) -> None:
        """Record what was found in the entry, or raise as `check`."""

    def record_cancelled(self, work: Work) -> None:
        """Record that the evaluation was stopped on request."""

    def record_fault(self, work: Work, *, reference: str, detail: str, cause: Cause) -> None:
        """Record our failure; the evaluation is queued again or fails."""

    def release(self, work: Work) -> None:
        """Give the evaluation back at once, since this worker must stop."""
