"""What is written on a competition's own form: its pictures, the dates of its calendar, its news."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import TextField
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.admin.tracks.markdown_fields import MarkdownWidget
from competition.tracks.models import Competition, Milestone, News, Picture
from competition.tracks.picture_files import FORMATS, Written, put, written_anew


class OfTheCompetition:
    """Rows that whoever may change the competition may change."""

    view_on_site: ClassVar[Any] = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tracks.view_competition") or self._may(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def _may(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tracks.change_competition")


class PictureForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A picture: its name, and its file, which is written anew."""

    upload = forms.FileField(
        required=False,
        label="File",
        widget=forms.FileInput(attrs={"accept": ",".join(f".{name.lower()}" for name in (*FORMATS, "JPG"))}),
        help_text="PNG, JPEG, WebP or GIF. It is stored as WebP, without what a camera notes.",
    )

    class Meta:
        model = Picture
        fields = ("name", "upload")

    def clean_upload(self) -> Written | None:
        """Return the picture written anew; a new one needs a file."""
        upload = self.cleaned_data["upload"]
        if upload is not None:
            return written_anew(upload, upload.size)
        if self.instance.pk is None:
            raise forms.ValidationError("Choose a file.")
        return None

    def save(self, commit: bool = True) -> Picture:
        """Store the files of a new upload."""
        written = self.cleaned_data.get("upload")
        if written is not None:
            put(self.instance, written)
        saved: Picture = super().save(commit=commit)
        return saved


class Pictures(OfTheCompetition, admin.TabularInline):  # type: ignore[type-arg]
    model = Picture
    form = PictureForm
    extra = 0
    fields = ("shown", "name", "upload")
    readonly_fields = ("shown",)

    @admin.display(description="Picture")
    def shown(self, row: Picture) -> SafeString | str:
        if row.pk is None:
            return ""
        return format_html("{} × {} pixels", row.width, row.height)


class Milestones(OfTheCompetition, admin.TabularInline):  # type: ignore[type-arg]
    model = Milestone
    extra = 0
    verbose_name_plural = "Dates beside the tracks' own"


class NewsItems(OfTheCompetition, admin.StackedInline):  # type: ignore[type-arg]
    model = News
    extra = 0
    formfield_overrides: ClassVar = {TextField: {"widget": MarkdownWidget}}


def told_of(competition: Competition) -> dict[str, Any]:
    """Return what a competition's inlines hold, for the audit trail."""
    dates = competition.milestones.values_list("name", "at")
    return {
        "milestones": [[name, at.isoformat()] for name, at in dates],
        "news": list(competition.news.values("title", "text", "published_at")),
        "pictures": [list(row) for row in competition.pictures.values_list("name", "sha256")],
    }
