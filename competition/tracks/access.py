"""Who organises which competition, and what belongs to it: every part of the site asks here.

An organiser is a member of staff who was given a competition, by name or through a group. Superusers have every
competition. This says what somebody may see at all; what they may do with it in the admin, Django's permissions say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Final, TypeAlias, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from competition.tracks.models import Competition

Viewer: TypeAlias = User | AnonymousUser
Row = TypeVar("Row", bound=Model)

PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "tracks.competition": ("pk",),
    "tracks.track": ("competition",),
    "tracks.news": ("competition",),
    "tracks.milestone": ("competition",),
    "tracks.picture": ("competition",),
    "tracks.dataset": ("competition", "tracks__competition", "benchmarks__track__competition"),
    "tracks.benchmarkversion": ("track__competition",),
    "audit.auditrecord": ("competition",),
    "submissions.disqualification": ("competition",),
    "submissions.baseline": ("submission__track__competition",),
    "submissions.quarantine": ("submission__track__competition",),
    "submissions.submission": ("track__competition",),
    "submissions.evaluation": ("submission__track__competition",),
    "submissions.score": ("evaluation__submission__track__competition",),
    "leaderboard.standing": ("benchmark__track__competition",),
}
"""The ways from a row to the competitions that it belongs to; a dataset belongs to all that use it, too."""

NO_ORGANISER: Final = "“{name}” is not the name of an organiser's account."


def competitions_of(viewer: Viewer) -> QuerySet[Competition]:
    """Return the competitions that the viewer organises."""
    if sees_all(viewer):
        return Competition.objects.all()
    if not is_staff(viewer):
        return Competition.objects.none()
    by_name = Competition.organisers.through.objects.filter(competition=OuterRef("pk"), user=viewer.pk)
    by_group = Competition.organiser_groups.through.objects.filter(
        competition=OuterRef("pk"), group__user=viewer.pk
    )
    return Competition.objects.filter(Exists(by_name) | Exists(by_group))


def only_competition_of(viewer: Viewer) -> Competition | None:
    """Return the competition of somebody who organises a single one."""
    first = list(competitions_of(viewer)[:2])
    return first[0] if len(first) == 1 else None


def for_organiser(rows: QuerySet[Row], viewer: Viewer) -> QuerySet[Row]:
    """Keep the rows that belong to competitions that the viewer organises."""
    if sees_all(viewer):
        return rows
    own = competitions_of(viewer).values("pk")
    first, *more = (Q(**{f"{path}__in": own}) for path in PATHS[rows.model._meta.label_lower])
    if not more:
        return rows.filter(first)  # so that the database may look at a single row alone
    # Asked apart: a way through several rows would repeat what it finds, and counts with it.
    belonging = rows.model._default_manager.filter(reduce(or_, more, first))
    return rows.filter(pk__in=belonging.values("pk"))


def organises(viewer: Viewer, competition_id: int) -> bool:
    """Say whether the viewer organises the competition."""
    return competitions_of(viewer).filter(pk=competition_id).exists()


def organisers_named(names: Iterable[str]) -> QuerySet[User]:
    """Return the accounts of these names that may organise; a participant's is not among them."""
    return User.objects.filter(username__in=names, is_staff=True, is_active=True)


def sees_all(viewer: Viewer) -> bool:
    """Say whether every competition is the viewer's."""
    return viewer.is_superuser


def is_staff(viewer: Viewer) -> bool:
    """Say whether the viewer may organise at all."""
    return sees_all(viewer) or viewer.is_staff
