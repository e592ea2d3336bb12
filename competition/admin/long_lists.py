"""Lists whose rows may be millions: a page of them costs what its rows cost.

They are read in the order of an index and counted no further than `MOST_COUNTED`, they are searched by what has an
index, and no filter looks at all rows to tell what there is to choose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.timezone import get_current_timezone

from competition.admin.permissions import OfOwnCompetitions
from competition.clock import database_now
from competition.tracks.access import for_organiser, sees_all
from competition.tracks.models import Track

MOST_COUNTED: Final = 5_000
ROWS_A_PAGE: Final = 25
MONTHS_SHOWN: Final = 12


class MoreThan(int):
    """A number that was counted so far and no further; it says so where it is read."""

    def __str__(self) -> str:
        return f"more than {int(self):,}"


class CountedSoFar(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Pages of the first `MOST_COUNTED` rows; for those behind them there are filters."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or `MoreThan` so many."""
        rows: Any = self.object_list
        found = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
        return MoreThan(MOST_COUNTED) if found > MOST_COUNTED else found


class LongList(OfOwnCompetitions):
    """A list of rows of own competitions, of which there may be millions; `nearest` leads to what owns a row.

    Who organises gets the rows of the tracks or versions that are theirs, named one by one: a database that is only
    told of competitions cannot know how many rows to expect, and reads all there are.
    """

    model: type[Model]
    nearest: str
    paginator: ClassVar[Any] = CountedSoFar
    list_per_page = ROWS_A_PAGE
    show_full_result_count = False
    sortable_by: ClassVar[Any] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that lists, forms, actions and histories start from."""
        rows: QuerySet[Any] = super(OfOwnCompetitions, self).get_queryset(request)  # type: ignore[misc]  # as there
        own = self.own_keys(request)
        return rows if own is None else rows.filter(**{f"{self.nearest}__in": own})

    def own_keys(self, request: HttpRequest) -> list[int] | None:
        """Return the keys of the tracks or versions that are the viewer's; None if all are."""
        if sees_all(request.user):
            return None
        owners: Any = self.model._meta.get_field(self.nearest).related_model
        own = for_organiser(owners._default_manager.order_by(), request.user)
        return list(own.values_list("pk", flat=True))


class OwnTracksFilter(admin.RelatedFieldListFilter):
    """The tracks that the viewer organises, whether they have rows or not."""

    def field_choices(
        self, field: Field[Any, Any], request: HttpRequest, model_admin: ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return them in the order of their names."""
        own = for_organiser(Track.objects.order_by("name"), request.user)
        return [(str(track.pk), track.name) for track in own]


class PeriodFilter(admin.SimpleListFilter):
    """The last day, the last week, or a month of the last twelve, of a time that has an index."""

    title = "time"
    parameter_name = "period"
    field: str
    RECENT: Final = {"day": ("Last 24 hours", timedelta(days=1)), "week": ("Last 7 days", timedelta(days=7))}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what there is to choose; nothing is read for it."""
        recent = [(name, title) for name, (title, _) in self.RECENT.items()]
        return [*recent, *((f"{start:%Y-%m}", f"{start:%B %Y}") for start in _months(database_now()))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the period; an unknown one is none."""
        chosen, now = self.value(), database_now()
        if chosen in self.RECENT:
            return queryset.filter(**{f"{self.field}__gte": now - self.RECENT[chosen][1]})
        for start in _months(now):
            if chosen == f"{start:%Y-%m}":
                span = {f"{self.field}__gte": start, f"{self.field}__lt": _next_month(start)}
                return queryset.filter(**span)
        return queryset


def period_of(field: str) -> type[PeriodFilter]:
    """Return the filter for a time of the list's rows."""
    return type("PeriodFilter", (PeriodFilter,), {"field": field})


def _months(now: datetime) -> Iterator[datetime]:
    """Yield the beginnings of this month and of those before it."""
    start = now.astimezone(get_current_timezone()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(MONTHS_SHOWN):
        yield start
        start = (start - timedelta(days=1)).replace(day=1)


def _next_month(start: datetime) -> datetime:
    return (start + timedelta(days=32)).replace(day=1)
