"""What a search finds in lists of submissions and evaluations: by what has an index, never by reading all rows."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q

from competition.submissions.models import Evaluation, EvaluationFault, Submission
from competition.tracks.models import Track

HELP: Final = (
    "Id or its beginning, participant, beginning of a file name, sha256 of the entry, or a reference id."
)
SHORTEST_ID: Final = 6
DIGITS_OF_ID: Final = 32
DIGITS_OF_SHA256: Final = 64
MOST_PARTICIPANTS: Final = 20
MOST_MATCHES: Final = 500
HEX: Final = re.compile(r"[0-9a-f]+")


def submissions_found(term: str) -> Q:
    """Return what the submissions fulfil that a search is for."""
    term = term.strip()
    digits = term.lower().replace("-", "")
    if len(digits) == DIGITS_OF_SHA256 and HEX.fullmatch(digits):
        return Q(sha256=digits, track__in=list(Track.objects.values_list("pk", flat=True)))
    ways = [Q(participant__in=_participants(term)), Q(entry_name__startswith=term)]
    if SHORTEST_ID <= len(digits) <= DIGITS_OF_ID and HEX.fullmatch(digits):
        first, last = (UUID(digits.ljust(DIGITS_OF_ID, filling)) for filling in "0f")
        ways.append(Q(pk__range=(first, last)))
    return reduce(or_, [*ways, Q(pk__in=_by_reference(term))])


def keys_found(term: str) -> list[UUID]:
    """Return the keys of these submissions, of very many some: for lists of what belongs to them."""
    found = Submission.objects.filter(submissions_found(term)).order_by()
    return list(found.values_list("pk", flat=True)[:MOST_MATCHES])


def _participants(term: str) -> list[int]:
    """Return whose name it is, or else those whose name or address has the term in it; of very many the first ones."""
    named = User.objects.filter(username=term).values_list("pk", flat=True)
    if named:
        return list(named)
    found = User.objects.filter(Q(username__icontains=term) | Q(email__icontains=term)).order_by("pk")
    return list(found.values_list("pk", flat=True)[:MOST_PARTICIPANTS])


def _by_reference(term: str) -> set[UUID]:
    references = {term, term.lower()}
    faults = EvaluationFault.objects.filter(reference__in=references).order_by()
    ended = Evaluation.objects.filter(reference__in=references).order_by()
    return {
        *faults.values_list("evaluation__submission", flat=True)[:MOST_MATCHES],
        *ended.values_list("submission", flat=True)[:MOST_MATCHES],
    }
