"""The admin as a site: its names, and what every page of it tells an organiser."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver

from competition.tracks.access import competitions_of, sees_all


class Site(AdminSite):
    """Django's admin without the address that leads from any row's number to its page."""

    site_header = "Podium"
    site_title = "Podium"
    index_title = "Organisation"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave out `view_on_site`: it asks nobody whose row it is, and would tell hidden addresses."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", "") != "view_on_site"]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add whether the viewer still waits for a competition."""
        may_wait = self.has_permission(request) and not sees_all(request.user)
        waits = may_wait and not competitions_of(request.user).exists()
        return {**super().each_context(request), "waits_for_a_competition": waits}
