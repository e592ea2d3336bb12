"""What the admin shows to whom, and what nobody may do in it, whatever their permissions."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from competition.tracks.access import for_organiser


class OfOwnCompetitions:
    """Rows of the competitions that the viewer organises; the others do not exist for them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that lists, forms, actions and histories start from."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # of the ModelAdmin behind it
        return for_organiser(rows, request.user)

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        """Return the row's own page; Django's would be a redirect that asks nobody whose row it is."""
        address = getattr(obj, "get_absolute_url", None)
        return address() if address else None


class NeverAddedOrDeleted:
    """Rows that the program makes and keeps."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody add one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete one."""
        return False


class ReadOnly(NeverAddedOrDeleted):
    """Rows to look at."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody change one."""
        return False
