"""What is in quarantine, in the admin: to look at. The submission's page puts it there and releases it."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from competition.admin.permissions import OfOwnCompetitions, ReadOnly
from competition.submissions.models import Quarantine


@admin.register(Quarantine)
class QuarantineAdmin(OfOwnCompetitions, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("submission", "participant", "track", "reason", "at")
    list_filter = (("submission__track", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("submission__participant", "submission__track")
    search_fields = ("submission__id", "submission__participant__username", "reason")
    fields = ("submission", "participant", "track", "reason", "at")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Quarantine | None = None) -> bool:
        """Show them to those who look at submissions."""
        return request.user.has_perm("submissions.view_submission")

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        """Return the submission's page."""
        return obj.submission.get_absolute_url() if isinstance(obj, Quarantine) else None

    @admin.display(description="Participant", ordering="submission__participant")
    def participant(self, row: Quarantine) -> str:
        return row.submission.participant.get_username()

    @admin.display(description="Track", ordering="submission__track")
    def track(self, row: Quarantine) -> str:
        return str(row.submission.track)
