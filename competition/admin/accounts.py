"""Access tokens in the admin: to look at and to end, for whoever looks after accounts."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from competition.accounts.models import AccessToken


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("name", "user", "beginning", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = ("name", "user", "beginning", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody make a token for somebody else."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody change one."""
        return False
