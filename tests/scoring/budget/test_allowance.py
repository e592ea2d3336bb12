"""Processor time allowed for work that counters cannot see."""

import pytest

from scoring.budget.allowance import FAST_MACS_PER_CPU_S, SLACK, START_UP_CPU_S, allowed_cpu_s, is_suspicious


def test_the_allowance_is_start_up_plus_slack_times_the_budget() -> None:
    allowed = allowed_cpu_s(samples=1_000, max_macs=5_000_000_000, macs_per_cpu_s=20e9)

    assert allowed == START_UP_CPU_S + 1_000 * SLACK * 0.25


def test_thirty_seconds_and_four_times_the_plain_work_are_granted() -> None:
    """The numbers that the documentation tells participants."""
    assert allowed_cpu_s(samples=100, max_macs=1_000_000_000, macs_per_cpu_s=1e9) == 30 + 100 * 4


def test_a_slower_machine_is_granted_more() -> None:
    fast = allowed_cpu_s(samples=10, max_macs=1_000_000, macs_per_cpu_s=2e9)
    slow = allowed_cpu_s(samples=10, max_macs=1_000_000, macs_per_cpu_s=1e9)

    assert slow - START_UP_CPU_S == 2 * (fast - START_UP_CPU_S)


def test_a_fast_machines_allowance_itself_is_not_suspicious() -> None:
    allowed = allowed_cpu_s(samples=500, max_macs=5_000_000_000, macs_per_cpu_s=FAST_MACS_PER_CPU_S)

    assert not is_suspicious(allowed, samples=500, max_macs=5_000_000_000)


@pytest.mark.parametrize(("factor", "expected"), [(0.99, False), (1.01, True)])
def test_only_more_than_a_fast_machines_allowance_is_suspicious(factor: float, expected: bool) -> None:
    allowed = allowed_cpu_s(samples=500, max_macs=5_000_000_000, macs_per_cpu_s=FAST_MACS_PER_CPU_S)

    assert is_suspicious(factor * allowed, samples=500, max_macs=5_000_000_000) is expected
