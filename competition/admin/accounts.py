"""Accounts and access tokens in the admin, for whoever looks after accounts."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from competition.accounts.models import AccessToken
from competition.admin.long_lists import ROWS_A_PAGE, CountedSoFar
from competition.audit.models import Act
from competition.audit.recording import record_change
from competition.leaderboard.disqualifying import follow_account

ROLES: Final = ("username", "is_active", "is_staff", "is_superuser")


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    paginator = CountedSoFar
    list_per_page = ROWS_A_PAGE
    show_full_result_count = False
    ordering = ("-pk",)
    sortable_by = ()
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


class AccountAdmin(UserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Django's, and boards and audit trail follow: who is switched off is on no board."""

    paginator = CountedSoFar
    list_per_page = ROWS_A_PAGE
    show_full_result_count = False
    sortable_by = ("username",)

    def save_related(self, request: HttpRequest, form: ModelForm[User], formsets: Any, change: bool) -> None:
        """Save the account's groups, too, and tell what became of its roles."""
        before = _roles_as_stored(form)
        super().save_related(request, form, formsets, change)
        account = form.instance
        after = roles_of(account)
        record_change(Act.ACCOUNT_CHANGED, account, before, after, by=request.user, competition_id=None)
        if before.get("is_active") != after["is_active"]:
            follow_account(account)


def roles_of(account: User) -> dict[str, Any]:
    """Return what decides what somebody may do."""
    permissions: QuerySet[Any] = account.user_permissions.order_by("codename")
    return {
        **{name: getattr(account, name) for name in ROLES},
        "groups": list(account.groups.order_by("name").values_list("name", flat=True)),
        "permissions": list(permissions.values_list("codename", flat=True)),
    }


def _roles_as_stored(form: ModelForm[User]) -> dict[str, Any]:
    """Return the roles before the form: its columns are saved already, its groups are not."""
    return {**roles_of(form.instance), **{name: form.initial.get(name) for name in ROLES}}
