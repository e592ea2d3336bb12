"""A worker's pauses: growing, bounded, spread, and over when something succeeds."""

import pytest

from scoring.errors import Cause
from scoring.worker.breaker import FIRST_S, JITTER, LONGEST_S, LONGEST_SHARED_S, Breaker, Position


class Time:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> Breaker:
    return Breaker(clock=time, chance=lambda: 0.5)


def pauses(breaker: Breaker, time: Time, cause: Cause, times: int) -> list[float]:
    found = []
    for _ in range(times):
        breaker.trip(cause)
        found.append(breaker.next_try_at - time.now)
        time.now = breaker.next_try_at
    return found


def test_it_is_closed_until_something_fails_and_half_open_after_the_pause(
    breaker: Breaker, time: Time
) -> None:
    positions = [breaker.position]
    breaker.trip(Cause.DISK)
    positions.append(breaker.position)
    time.now += FIRST_S
    positions.append(breaker.position)
    breaker.close()
    positions.append(breaker.position)

    assert positions == [Position.CLOSED, Position.OPEN, Position.HALF_OPEN, Position.CLOSED]


@pytest.mark.parametrize(
    ("cause", "longest_s"), [(Cause.UNKNOWN, LONGEST_S), (Cause.STORAGE, LONGEST_SHARED_S)]
)
def test_pauses_double_up_to_the_longest(
    breaker: Breaker, time: Time, cause: Cause, longest_s: float
) -> None:
    assert pauses(breaker, time, cause, 9) == [min(FIRST_S * 2**n, longest_s) for n in range(9)]


def test_a_success_makes_the_next_pause_a_short_one(breaker: Breaker, time: Time) -> None:
    pauses(breaker, time, Cause.UNKNOWN, 5)
    breaker.close()

    assert pauses(breaker, time, Cause.UNKNOWN, 1) == [FIRST_S]


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 1 - JITTER), (1.0, 1 + JITTER)])
def test_pauses_are_spread(time: Time, chance: float, factor: float) -> None:
    breaker = Breaker(clock=time, chance=lambda: chance)

    assert pauses(breaker, time, Cause.UNKNOWN, 1) == [pytest.approx(FIRST_S * factor)]


def test_it_remembers_when_trouble_began_and_of_what_kind_it_is_now(breaker: Breaker, time: Time) -> None:
    time.now = 7.0
    pauses(breaker, time, Cause.UNKNOWN, 1)
    pauses(breaker, time, Cause.DISK, 1)

    assert (breaker.opened_at, breaker.cause) == (7.0, Cause.DISK)
