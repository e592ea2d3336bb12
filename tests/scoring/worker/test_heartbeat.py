"""How often a worker writes, and when it learns to stop."""

from dataclasses import dataclass, field

import pytest

from competition.submissions.lifecycle import Lease
from scoring.contracts import Stage
from scoring.worker.heartbeat import Heartbeat
from scoring.worker.ports import Work

WORK = Work(lease=Lease(evaluation=1, owner="w", fence=1), submission="s")


@dataclass
class Written:
    """Ports that remember what was written or read, and a clock that is set by hand."""

    calls: list[str] = field(default_factory=list)
    time_s: float = 0.0

    def note_stage(self, work: Work, stage: Stage) -> None:
        self.calls.append(stage)

    def renew(self, work: Work) -> None:
        self.calls.append("renew")

    def check(self, work: Work) -> None:
        self.calls.append("check")


@pytest.fixture
def written() -> Written:
    return Written()


def heartbeat(written: Written, *, lease_s: float = 60.0, stop: object = lambda: None) -> Heartbeat:
    return Heartbeat(WORK, written, lease_s=lease_s, clock=lambda: written.time_s, stop=stop)


def test_a_stage_that_begins_is_noted_at_once_and_once(written: Written) -> None:
    beat = heartbeat(written)

    for stage in (Stage.INTAKE, Stage.INTAKE, Stage.MEASURE):
        beat.note(stage)

    assert written.calls == ["intake", "measure"]


def test_the_lease_is_renewed_when_a_quarter_of_it_has_passed_and_not_more_often(written: Written) -> None:
    beat = heartbeat(written, lease_s=60.0)

    for second in range(1, 46):
        written.time_s = float(second)
        beat.tick()

    assert written.calls.count("renew") == 3


def test_the_row_is_read_every_two_seconds_in_between(written: Written) -> None:
    beat = heartbeat(written, lease_s=60.0)

    for second in range(1, 15):
        written.time_s = float(second)
        beat.tick()

    assert written.calls == ["check"] * 7


def test_a_noted_stage_counts_as_a_renewal(written: Written) -> None:
    beat = heartbeat(written, lease_s=4.0)
    written.time_s = 0.9
    beat.note(Stage.PREDICT)

    written.time_s = 1.8
    beat.tick()

    assert written.calls == ["predict"]


def test_each_sign_of_life_asks_whether_to_stop(written: Written) -> None:
    def stop() -> None:
        raise SystemExit

    beat = heartbeat(written, stop=stop)

    with pytest.raises(SystemExit):
        beat.tick()
    with pytest.raises(SystemExit):
        beat.note(Stage.INTAKE)
    assert written.calls == []
