"""Standings in the admin: to look at."""

from __future__ import annotations

from django.contrib import admin

from competition.admin.long_lists import LongList, OwnTracksFilter
from competition.admin.permissions import ReadOnly
from competition.leaderboard.models import Standing


@admin.register(Standing)
class StandingAdmin(LongList, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("participant", "benchmark", "split", "value", "ci_low", "ci_high", "achieved_at")
    nearest = "benchmark"
    ordering = ("benchmark_id", "participant_id", "split")  # by an index; the board itself has them by value
    list_filter = (("benchmark__track", OwnTracksFilter), "split")
    list_select_related = ("participant", "benchmark__track")
    search_fields = ("participant__username",)
    search_help_text = "Participant."
    fields = ("benchmark", "participant", "split", "evaluation", "value", "ci_low", "ci_high", "achieved_at")
