"""What benchmarks measure with."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.benchmarks.timing import below, in_child, medians, processor_s_of, taken


def add(one: int, other: int) -> int:
    return one + other


def fail(why: str) -> None:
    print("something else", file=sys.stderr)
    raise ValueError(why)


def busy() -> None:
    start = processor_s_of(os.getpid())
    while processor_s_of(os.getpid()) - start < 0.1:
        pass


def spend() -> None:
    subprocess.run(
        [sys.executable, "-c", "from tests.benchmarks.test_timing import busy; busy()"], check=True
    )


def test_measures_are_taken_in_turn() -> None:
    order: list[str] = []

    def measure(name: str, values: list[float]) -> float:
        order.append(name)
        return values.pop()

    ours, theirs = [1.0, 9.0, 2.0], [30.0, 20.0, 10.0]
    found = medians(lambda: measure("ours", ours), lambda: measure("theirs", theirs), rounds=3)

    assert found == [2.0, 20.0]
    assert order == ["ours", "theirs"] * 3


def test_a_child_returns_what_the_function_returns() -> None:
    assert in_child(add, 1, 2) == 3


def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="fail ended with 1: ValueError: no space"):
        in_child(fail, "no space")


def test_the_processor_time_of_children_is_counted() -> None:
    assert taken(spend).processor_s >= 0.1


def test_processes_below_are_found_and_ended_ones_are_not() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        assert child.pid in set(below(os.getpid()))

    assert child.pid not in set(below(os.getpid()))
    assert processor_s_of(child.pid) == 0
