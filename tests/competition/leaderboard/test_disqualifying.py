"""Who is disqualified leaves every board at once, stays away whatever is scored or rebuilt, and can come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command

from competition.audit.models import Act, AuditRecord
from competition.leaderboard import proof, standings
from competition.leaderboard.disqualifying import (
    disqualify_participant,
    disqualify_submission,
    follow_account,
    reinstate,
)
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle
from competition.submissions.models import Disqualification, Evaluation, Submission
from competition.submissions.services import accept_submission
from competition.tracks.models import Competition, Track
from scoring.contracts import Split
from scoring.errors import Rejected
from tests.examples import START, new_benchmark, scored_report

pytestmark = pytest.mark.django_db

Score = Callable[..., Evaluation]
CHEAT = "It had the labels in it."


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def score(make_evaluation: Callable[..., Evaluation], track: Track, now: datetime) -> Score:
    """Return a function that uploads an entry and scores it on both splits."""

    def score(
        user: User, value: float, private: float, *, submission: Submission | None = None
    ) -> Evaluation:
        if submission is None:
            evaluation = make_evaluation(user, track, at=START)
        else:
            row = Evaluation(submission=submission, benchmark=track.benchmark, queued_at=now)
            lifecycle.enter([row])
            evaluation = submission.evaluations.get(benchmark=track.benchmark)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=now + timedelta(days=1))
        report = scored_report(value, private=private)
        lifecycle.record_scored(lease, report, now=now + timedelta(days=1), place=standings.place)
        return evaluation

    return score


def shown(track: Track, split: Split = Split.PUBLIC) -> list[tuple[str, int | None, float]]:
    """Return the board as people read it, which must be what its scores say."""
    found = board(track, split=split)
    assert not standings.examine(track.benchmark)
    assert proof.examine(track.benchmark, split) == 0
    assert found.participants == len(found.rows)
    return [(row.participant_name, row.rank, row.value) for row in found.rows]


def test_the_next_best_submission_takes_the_place_on_each_split(
    alice: User, bob: User, root: User, track: Track, score: Score
) -> None:
    cheat = score(alice, 0.99, 0.95)
    score(alice, 0.5, 0.6)
    score(bob, 0.7, 0.4)
    assert shown(track) == [("alice", 1, 0.99), ("bob", 2, 0.7)]

    disqualify_submission(submission=cheat.submission, reason=CHEAT, by=root)

    assert shown(track) == [("bob", 1, 0.7), ("alice", 2, 0.5)]
    assert shown(track, Split.PRIVATE) == [("alice", 1, 0.6), ("bob", 2, 0.4)]

    reinstate(disqualification=Disqualification.objects.get(), reason="We were wrong.", by=root)

    assert shown(track) == [("alice", 1, 0.99), ("bob", 2, 0.7)]
    assert shown(track, Split.PRIVATE) == [("alice", 1, 0.95), ("bob", 2, 0.4)]


def test_whose_only_submission_is_disqualified_has_no_row(
    alice: User, root: User, track: Track, score: Score
) -> None:
    disqualify_submission(submission=score(alice, 0.9, 0.9).submission, reason=CHEAT, by=root)

    assert (shown(track), shown(track, Split.PRIVATE)) == ([], [])


def test_a_disqualified_participant_is_on_no_board_of_the_competition_and_comes_back(
    alice: User, bob: User, root: User, track: Track, score: Score
) -> None:
    score(alice, 0.9, 0.9)
    score(bob, 0.7, 0.7)
    old = track.benchmark
    new_benchmark(track)
    score(alice, 0.8, 0.8)

    disqualify_participant(participant=alice, competition=track.competition, reason=CHEAT, by=root)

    assert [row.participant_name for row in board(track, benchmark=old).rows] == ["bob"]
    assert shown(track) == []

    reinstate(disqualification=Disqualification.objects.get(), reason="No.", by=root)

    assert [row.participant_name for row in board(track, benchmark=old).rows] == ["alice", "bob"]
    assert shown(track) == [("alice", 1, 0.8)]


def test_another_competition_does_not_care(alice: User, root: User, track: Track, score: Score) -> None:
    score(alice, 0.9, 0.9)
    elsewhere = Competition.objects.create(slug="elsewhere", name="Elsewhere")

    disqualify_participant(participant=alice, competition=elsewhere, reason=CHEAT, by=root)

    assert shown(track) == [("alice", 1, 0.9)]


def test_neither_a_later_score_nor_rescoring_nor_rebuilding_brings_it_back(
    alice: User, root: User, track: Track, score: Score
) -> None:
    cheat = score(alice, 0.99, 0.9).submission
    disqualify_submission(submission=cheat, reason=CHEAT, by=root)
    score(alice, 0.5, 0.5)
    assert shown(track) == [("alice", 1, 0.5)]

    new_benchmark(track)
    score(alice, 0.98, 0.9, submission=cheat)
    assert shown(track) == []

    call_command("rebuild_standings", stdout=StringIO())
    call_command("rebuild_standings", "--check", stdout=StringIO())
    assert shown(track) == []


def test_who_is_disqualified_cannot_submit_and_reads_why(alice: User, root: User, track: Track) -> None:
    disqualify_participant(participant=alice, competition=track.competition, reason=CHEAT, by=root)

    with pytest.raises(Rejected) as refused:
        accept_submission(participant=alice, track=track, upload=ContentFile(b"1"), name="a.zip", now=START)

    assert refused.value.code == "participant_disqualified"
    assert refused.value.findings[0].facts == {"competition": track.competition.name, "reason": CHEAT}
    reinstate(disqualification=Disqualification.objects.get(), reason="No.", by=root)
    assert accept_submission(
        participant=alice, track=track, upload=ContentFile(b"1"), name="a.zip", now=START
    )


def test_who_was_disqualified_during_the_upload_is_refused_and_nothing_is_stored(
    alice: User, root: User, track: Track
) -> None:
    class Slow(ContentFile):  # type: ignore[type-arg]  # generic in the stubs only
        def chunks(self, chunk_size: int | None = None):  # type: ignore[no-untyped-def]
            disqualify_participant(participant=alice, competition=track.competition, reason=CHEAT, by=root)
            return super().chunks(chunk_size)

    with pytest.raises(Rejected) as refused:
        accept_submission(participant=alice, track=track, upload=Slow(b"1"), name="a.zip", now=START)

    assert refused.value.code == "participant_disqualified"
    assert Submission.objects.count() == 0


def test_doing_it_twice_does_it_once(alice: User, root: User, track: Track, score: Score) -> None:
    submission = score(alice, 0.9, 0.9).submission

    once = [disqualify_submission(submission=submission, reason=CHEAT, by=root) for _ in range(2)]
    both = [
        disqualify_participant(participant=alice, competition=track.competition, reason=CHEAT, by=root)
        for _ in range(2)
    ]
    row = Disqualification.objects.filter(submission=submission).get()
    back = [reinstate(disqualification=row, reason="No.", by=root) for _ in range(2)]

    assert (once, both, back) == ([True, False], [True, False], [True, False])
    assert shown(track) == []  # the participant still is


def test_each_act_is_in_the_trail_with_its_reason(
    alice: User, root: User, track: Track, score: Score
) -> None:
    submission = score(alice, 0.9, 0.9).submission
    disqualify_submission(submission=submission, reason=CHEAT, by=root)
    reinstate(disqualification=Disqualification.objects.get(), reason="A mistake.", by=root)
    disqualify_participant(participant=alice, competition=track.competition, reason="Two accounts.", by=root)

    rows = AuditRecord.objects.order_by("pk").values_list(
        "act", "actor_name", "object_id", "competition", "reason"
    )

    own = track.competition_id
    assert list(rows) == [
        (Act.DISQUALIFIED, "root", str(submission.pk), own, CHEAT),
        (Act.REINSTATED, "root", str(submission.pk), own, "A mistake."),
        (Act.PARTICIPANT_DISQUALIFIED, "root", str(alice.pk), own, "Two accounts."),
    ]
    undone = AuditRecord.objects.get(act=Act.REINSTATED)
    assert undone.before == {"disqualified": True, "reason": CHEAT}
    assert undone.after == {"disqualified": False, "participant": "alice"}


def test_an_account_that_is_switched_off_is_on_no_board_until_it_is_on_again(
    alice: User, bob: User, track: Track, score: Score
) -> None:
    score(alice, 0.9, 0.9)
    score(bob, 0.7, 0.7)

    alice.is_active = False
    alice.save()
    follow_account(alice)
    assert shown(track) == [("bob", 1, 0.7)]

    alice.is_active = True
    alice.save()
    follow_account(alice)
    assert shown(track) == [("alice", 1, 0.9), ("bob", 2, 0.7)]
