"""Standings in the admin: to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from competition.leaderboard.models import Standing


@admin.register(Standing)
class StandingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("participant", "benchmark", "split", "value", "ci_low", "ci_high", "achieved_at")
    list_filter = ("benchmark__track", "split")
    list_select_related = ("participant", "benchmark__track")
    search_fields = ("participant__username",)
    fields = ("benchmark", "participant", "split", "evaluation", "value", "ci_low", "ci_high", "achieved_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
