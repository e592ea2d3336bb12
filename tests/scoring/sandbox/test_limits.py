"""What binds a run whose time counts: as many processors as the track has threads."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from scoring.contracts import RunLimits, Task
from scoring.sandbox.base import Job
from scoring.sandbox.limits import processors

OURS = {2, 3, 5, 8}


@pytest.fixture(autouse=True)
def _four_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: OURS, raising=False)


def with_threads(job: Job, threads: int) -> Job:
    return replace(job, limits=replace(RunLimits(), threads=threads))


@pytest.mark.parametrize(
    ("threads", "expected"), [(1, [2]), (2, [2, 3]), (4, [2, 3, 5, 8]), (64, [2, 3, 5, 8])]
)
def test_a_timed_run_gets_as_many_of_our_processors_as_it_has_threads(
    threads: int, expected: list[int], make_job: Callable[..., Job]
) -> None:
    assert processors(with_threads(make_job(Task.LATENCY), threads)) == expected


@pytest.mark.parametrize("task", [task for task in Task if task is not Task.LATENCY])
def test_other_runs_are_not_held_to_processors(task: Task, make_job: Callable[..., Job]) -> None:
    assert processors(make_job(task)) is None


def test_where_processors_cannot_be_chosen_none_are(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")

    assert processors(make_job(Task.LATENCY)) is None
