"""Calls in forked processes."""

from __future__ import annotations

import os

from tests.benchmarks.forks import Ended, in_forks


def answer(name: str) -> str:
    if name == "dies":
        os._exit(3)
    return name.upper()


def test_every_name_is_answered_however_many_run_at_once() -> None:
    assert sorted(in_forks(answer, "abcde", jobs=2)) == [(name, name.upper()) for name in "abcde"]


def test_a_process_that_dies_ends_no_other() -> None:
    found = dict(in_forks(answer, ["a", "dies", "b"], jobs=2))

    assert found == {"a": "A", "dies": Ended(3), "b": "B"}
