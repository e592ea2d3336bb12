"""The admin as a site: its names, and what every page of it tells an organiser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver

from competition.tracks.access import competitions_of, sees_all

_WITH_SECRETS: Final = {"authtoken.TokenProxy", "socialaccount.SocialApp", "socialaccount.SocialToken"}
"""Models of libraries whose pages would show whole tokens and keys."""


class Site(AdminSite):
    """Django's admin without the address that leads from any row's number to its page."""

    site_header = "Podium"
    site_title = "Podium"
    index_title = "Organisation"

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin[Any]] | None = None, **options: Any
    ) -> None:
        """Leave out what would show secrets, whichever library registers it."""
        models = model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        shown = [model for model in models if model._meta.label not in _WITH_SECRETS]
        super().register(shown, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave out `view_on_site`: it asks nobody whose row it is, and would tell hidden addresses."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", "") != "view_on_site"]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add whether the viewer still waits for a competition."""
        may_wait = self.has_permission(request) and not sees_all(request.user)
        waits = may_wait and not competitions_of(request.user).exists()
        return {**super().each_context(request), "waits_for_a_competition": waits}
