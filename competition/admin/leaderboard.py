"""Standings in the admin: to look at."""

from __future__ import annotations

from django.contrib import admin

from competition.admin.permissions import OfOwnCompetitions, ReadOnly
from competition.leaderboard.models import Standing


@admin.register(Standing)
class StandingAdmin(OfOwnCompetitions, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("participant", "benchmark", "split", "value", "ci_low", "ci_high", "achieved_at")
    list_filter = (("benchmark__track", admin.RelatedOnlyFieldListFilter), "split")
    list_select_related = ("participant", "benchmark__track")
    search_fields = ("participant__username",)
    fields = ("benchmark", "participant", "split", "evaluation", "value", "ci_low", "ci_high", "achieved_at")
