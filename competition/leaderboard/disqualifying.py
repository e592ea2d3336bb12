"""Takes a cheat off the boards and puts back who was none: each act with its reason, boards and trail at once."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from competition.audit.models import Act
from competition.audit.recording import Actor, record
from competition.clock import database_now
from competition.leaderboard import standings
from competition.submissions.locks import lock_participant
from competition.submissions.models import Disqualification, Submission
from competition.tracks.models import Competition


@transaction.atomic
def disqualify_submission(*, submission: Submission, reason: str, by: Actor) -> bool:
    """Take a submission off the boards: the participant's next best takes its place. False if it was off already."""
    lock_participant(submission.participant_id)
    found, is_new = Disqualification.objects.get_or_create(
        submission=submission,
        defaults={
            "competition_id": submission.track.competition_id,
            "participant_id": submission.participant_id,
            "reason": reason,
            "at": database_now(),
        },
    )
    if is_new:
        _record(Act.DISQUALIFIED, found, by=by, reason=reason)
    return is_new


@transaction.atomic
def disqualify_participant(*, participant: User, competition: Competition, reason: str, by: Actor) -> bool:
    """Take somebody off all boards of a competition, which takes nothing from them any more. False if they were."""
    lock_participant(participant.pk)
    found, is_new = Disqualification.objects.get_or_create(
        submission=None,
        competition=competition,
        participant=participant,
        defaults={"reason": reason, "at": database_now()},
    )
    if is_new:
        _record(Act.PARTICIPANT_DISQUALIFIED, found, by=by, reason=reason)
    return is_new


@transaction.atomic
def reinstate(*, disqualification: Disqualification, reason: str, by: Actor) -> bool:
    """Take a disqualification back: the boards are as if it had never been. False if somebody did already."""
    lock_participant(disqualification.participant_id)
    found = Disqualification.objects.filter(pk=disqualification.pk).first()
    if found is None:
        return False
    Disqualification.objects.filter(pk=found.pk).delete()
    act = Act.REINSTATED if found.submission else Act.PARTICIPANT_REINSTATED
    _record(act, found, by=by, reason=reason)
    return True


@transaction.atomic
def follow_account(account: User) -> None:
    """Take somebody off every board whose account was switched off, or put them back."""
    lock_participant(account.pk)
    standings.follow(account.pk)


def _record(act: Act, row: Disqualification, *, by: Actor, reason: str) -> None:
    """Let the boards follow, and the trail tell it; the participant is locked."""
    standings.follow(row.participant_id, competition_id=row.competition_id)
    is_off = act in (Act.DISQUALIFIED, Act.PARTICIPANT_DISQUALIFIED)
    record(
        act,
        row.submission or row.participant,
        by=by,
        competition_id=row.competition_id,
        before={"disqualified": not is_off} | ({} if is_off else {"reason": row.reason}),
        after={"disqualified": is_off, "participant": row.participant.get_username()},
        reason=reason,
    )
