"""What is in quarantine: which evaluations no worker may claim."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from competition.submissions.models import Quarantine, Submission


def quarantined() -> Exists:
    """Return whether an evaluation's submission is in quarantine."""
    return Exists(Quarantine.objects.filter(submission=OuterRef("submission")))


def quarantine_of(submission: Submission) -> Quarantine | None:
    """Return the quarantine that a submission is in; a query, unless the submission was read together with it."""
    try:
        return submission.quarantine
    except Quarantine.DoesNotExist:
        return None
