"""Real threads on a real database: what must hold when two come at the same moment."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from competition.leaderboard import standings
from competition.leaderboard.models import Standing
from competition.submissions import lifecycle, queue, services
from competition.submissions.models import Evaluation, Score, Submission
from competition.tracks.models import Track
from scoring.environment import installed_environment
from scoring.errors import Rejected
from tests.examples import START, scored_report

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(act: Callable[[int], object], times: int) -> list[object]:
    """Do something in so many threads, all starting together; return what each did."""
    barrier = Barrier(times)

    def one(number: int) -> object:
        try:
            barrier.wait()
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def claim(number: int) -> lifecycle.Lease | None:
    """Claim the next evaluation as the worker of a number."""
    return queue.claim_next(
        owner=f"w{number}", queues=("cpu",), environment=installed_environment(), now=START
    )


def test_parallel_uploads_never_exceed_the_quota(alice: User, track: Track) -> None:
    Track.objects.filter(pk=track.pk).update(quota_submissions=3)
    track.refresh_from_db()

    def submit(number: int) -> str:
        upload = SimpleUploadedFile("entry.zip", f"entry {number}".encode())
        try:
            services.accept_submission(participant=alice, track=track, upload=upload, name="e", now=START)
        except Rejected as rejected:
            return rejected.code
        return "accepted"

    outcomes = at_once(submit, 20)

    assert Counter(outcomes) == {"accepted": 3, "quota_used_up": 17}
    assert Submission.objects.count() == Evaluation.objects.count() == 3


def test_the_same_file_sent_twice_at_once_is_accepted_once(alice: User, track: Track) -> None:
    def submit(_: int) -> str:
        upload = SimpleUploadedFile("entry.zip", b"the same")
        try:
            services.accept_submission(participant=alice, track=track, upload=upload, name="e", now=START)
        except Rejected as rejected:
            return rejected.code
        return "accepted"

    assert Counter(at_once(submit, 4)) == {"accepted": 1, "already_submitted": 3}


def test_two_claimers_never_get_the_same_row(
    make_user: Callable[[str], User], make_evaluation: Callable[..., Evaluation], track: Track
) -> None:
    for number in range(6):
        make_evaluation(make_user(f"user{number}"), track)

    leases = at_once(claim, 8)

    claimed = [lease.evaluation for lease in leases if lease]
    assert len(claimed) == len(set(claimed)) == 6
    assert set(Evaluation.objects.values_list("attempts", flat=True)) == {1}


def test_claimers_keep_to_one_running_evaluation_of_a_participant(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track
) -> None:
    for _ in range(5):
        make_evaluation(alice, track)

    leases = at_once(claim, 5)

    assert sum(lease is not None for lease in leases) == 1


def test_of_two_results_under_one_fence_one_counts(evaluation: Evaluation) -> None:
    lease = lifecycle.claim(evaluation.pk, owner="w", now=START)

    def record(number: int) -> str:
        try:
            lifecycle.record_scored(lease, scored_report(0.1 * number), now=START, place=standings.place)
        except lifecycle.LeaseLost:
            return "lost"
        return "recorded"

    assert Counter(at_once(record, 4)) == {"recorded": 1, "lost": 3}
    assert Score.objects.count() == Standing.objects.count() == 1


def test_results_of_one_participant_at_once_leave_the_best_standing(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track
) -> None:
    evaluations = [make_evaluation(alice, track) for _ in range(5)]
    leases = [lifecycle.claim(e.pk, owner="w", now=START) for e in evaluations]

    at_once(
        lambda n: lifecycle.record_scored(
            leases[n], scored_report(0.1 * (n + 1)), now=START, place=standings.place
        ),
        5,
    )

    assert Standing.objects.get().value == 0.5


def test_a_cancel_and_a_claim_at_once_end_in_one_of_two_sound_states(evaluation: Evaluation) -> None:
    def act(number: int) -> object:
        if number:
            return lifecycle.cancel(evaluation.pk, now=START)
        return lifecycle.claim(evaluation.pk, owner="w", now=START)

    lease, cancelled = at_once(act, 2)

    evaluation.refresh_from_db()
    assert cancelled is True
    assert (evaluation.status, evaluation.cancel_requested) == (
        ("running", True) if lease else ("cancelled", False)
    )
