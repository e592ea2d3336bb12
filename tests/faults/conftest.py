"""A worker on the real site whose flow is played, and whose n-th call of the world can be made to fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from competition.tracks.models import Dataset
from scoring.contracts import Finding, ScoreReport, Stage
from scoring.errors import Rejected
from scoring.sandbox.fake import FakeSandbox
from scoring.worker.breaker import Breaker
from scoring.worker.evaluate import Workplace
from scoring.worker.ports import Assignment
from scoring.worker.rest import Rest
from scoring.worker.site import SitePorts
from tests.examples import Clock, scored_report

LEASE_S = 60.0


class PowerCut(BaseException):
    """The machine went dark: nothing that the process would do afterwards happens."""


class DiskFull(Exception):
    """Something of ours failed."""


class Outage(Exception):
    """Something of ours failed and stays away: recording the failure fails too."""


LASTING = (PowerCut, Outage)


@dataclass(frozen=True, kw_only=True)
class PlayedPorts(SitePorts):
    """The real ports, but the flow is played: every stage, then a score or a rejection."""

    rejects: bool = False

    def score(self, assignment: Assignment, *, workdir: Path, note: Callable[[Stage], None]) -> ScoreReport:
        for stage in Stage:
            note(stage)
            note(stage)
        if self.rejects:
            raise Rejected(Finding(code="missing_file", facts={"expected": "model.py"}))
        return scored_report()


@dataclass
class FailingPorts:
    """Ports whose n-th call fails, before it does anything or after it did everything.

    After a power cut, or in an outage, every further call fails too.
    """

    ports: SitePorts
    failing_call: int
    error: type[BaseException]
    after: bool
    calls: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the failing call was reached."""
        return len(self.calls) >= self.failing_call

    def __getattr__(self, name: str) -> Callable[..., object]:
        port = getattr(self.ports, name)

        def call(*arguments: object, **options: object) -> object:
            dead = self.failed and self.error in LASTING
            self.calls.append(name)
            failing = dead or len(self.calls) == self.failing_call
            if failing and (dead or not self.after):
                raise self.error(name)
            answer = port(*arguments, **options)
            if failing:
                raise self.error(name)
            return answer

        return call


@pytest.fixture
def ports(dataset: Dataset, settings: Settings, clock: Clock) -> PlayedPorts:
    """Return ports on this test's time; the dataset is on this machine already."""
    settings.LEASE_S = LEASE_S
    (Path(settings.CACHE_DIR) / "datasets" / dataset.digest.removeprefix("sha256:")).mkdir(parents=True)
    return PlayedPorts(
        owner="first",
        queue="cpu",
        sandbox=FakeSandbox(scripts={}),
        cache=Path(settings.CACHE_DIR),
        now=lambda: clock.now,
    )


@pytest.fixture
def ticking() -> Callable[[], float]:
    """Return a clock by which a second passes at each look, so that checks and renewals come up."""
    seconds: Iterator[int] = iter(range(10**9))
    return lambda: float(next(seconds))


@pytest.fixture
def place(tmp_path: Path, ticking: Callable[[], float], clock: Clock) -> Workplace:
    (tmp_path / "work").mkdir()
    return Workplace(work_root=tmp_path / "work", lease_s=8.0, clock=ticking, rest=rest_on(clock))


def rest_on(clock: Clock, **how: Any) -> Rest:
    """Return a rest that takes no time but the clock's; the pauses are as long as their turn."""

    def wait(seconds: float) -> None:
        clock.advance(seconds=seconds)

    return Rest(breaker=breaker_on(clock), wait=wait, **how)


def breaker_on(clock: Clock) -> Breaker:
    """Return a breaker that goes by the clock and whose pauses are as long as their turn."""

    def seconds() -> float:
        return clock.now.timestamp()

    return Breaker(clock=seconds, chance=lambda: 0.5)


def later(now: datetime) -> datetime:
    """Return a time at which every lease and every delay of before is over."""
    return now.replace(year=now.year + 1)
