"""Hardware classes and memory: what a worker has too little of is left to others, and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from competition.submissions import queue, workers
from competition.submissions.models import Evaluation
from competition.submissions.workers import Sign
from competition.tracks.models import Track
from scoring.environment import installed_environment
from tests.examples import START

pytestmark = pytest.mark.django_db

GIB = 2**30


@pytest.fixture
def large(
    make_track: Callable[..., Track], make_evaluation: Callable[..., Evaluation], alice: User
) -> Evaluation:
    """An evaluation on a track whose runs may take 16 GiB."""
    return make_evaluation(alice, make_track("large", run_limits__max_memory_bytes=16 * GIB))


def claim(memory_bytes: int | None, queues: tuple[str, ...] = ("cpu",)) -> int | None:
    lease = queue.claim_next(
        owner="a:1",
        queues=queues,
        environment=installed_environment(),
        memory_bytes=memory_bytes,
        now=START,
    )
    return lease.evaluation if lease else None


@pytest.mark.parametrize(
    ("memory_bytes", "is_claimed"), [(16 * GIB - 1, False), (16 * GIB, True), (None, True)]
)
def test_a_worker_claims_what_its_memory_suffices_for(
    large: Evaluation, memory_bytes: int | None, is_claimed: bool
) -> None:
    assert claim(memory_bytes) == (large.pk if is_claimed else None)


def test_what_takes_too_much_memory_delays_nobody(
    large: Evaluation, make_evaluation: Callable[..., Evaluation], bob: User, track: Track
) -> None:
    small = make_evaluation(bob, track)

    assert claim(8 * GIB) == small.pk
    assert claim(8 * GIB) is None
    assert [str(version.track) for version in queue.too_large_versions(("cpu",), 8 * GIB)] == ["Large"]


def test_another_class_is_not_claimed(large: Evaluation) -> None:
    assert claim(None, queues=("gpu",)) is None


@pytest.mark.parametrize(("memory_bytes", "is_missing"), [(8 * GIB, True), (16 * GIB, False), (None, False)])
def test_a_worker_with_too_little_memory_is_no_service(
    large: Evaluation, memory_bytes: int | None, is_missing: bool
) -> None:
    sign = Sign(name="a:1", machine="a", version="1", environment=installed_environment(), queues=("cpu",))
    workers.show(replace(sign, started_at=START, memory_bytes=memory_bytes), now=START)

    assert (queue.missing_service(large, START) is not None) is is_missing
