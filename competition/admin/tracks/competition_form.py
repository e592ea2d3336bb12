"""The form of a competition in the admin: its texts, and who organises it."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from competition.admin.organisers import NAME
from competition.admin.tracks.markdown_fields import MarkdownWidget
from competition.tracks.access import NO_ORGANISER, Viewer, organisers_named, sees_all
from competition.tracks.models import Competition, Picture


class CompetitionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A competition. Organisers are added by their names, so that nobody sees whom else there is."""

    viewer: ClassVar[Viewer]
    organisers = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="They all have the same rights. Remove a tick to take the competition from somebody.",
    )
    new_organisers = forms.CharField(
        required=False,
        label="Add organisers",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="User names of organisers' accounts, separated by spaces.",
    )
    organiser_groups = forms.ModelMultipleChoiceField(
        queryset=Group.objects.none(),
        required=False,
        label="Groups",
        widget=forms.CheckboxSelectMultiple,
        help_text="Every member of the group organises the competition, also who joins the group later.",
    )

    class Meta:
        model = Competition
        widgets: ClassVar = dict.fromkeys(("description", "about_data", "rules"), MarkdownWidget)
        fields = (
            "name",
            "slug",
            "summary",
            "host",
            "prize",
            "results_at",
            "picture",
            "description",
            "about_data",
            "rules",
            "is_public",
            "server_folder",
            "organisers",
            "organiser_groups",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields, "organisers", User.objects.filter(organised_competitions__in=self._saved()))
        _offer(self.fields, "organiser_groups", self._groups())
        _offer(self.fields, "picture", Picture.objects.filter(competition__in=self._saved()))

    def _saved(self) -> list[int]:
        """Return the competition's number in a list, empty for a new one: asked for None, who has none is found."""
        return [] if self.instance.pk is None else [self.instance.pk]

    def _groups(self) -> QuerySet[Group]:
        """Return the competition's groups and those that the viewer may add: for organisers, their own.

        The group that all organisers are in gives a competition to everybody: only superusers add that one.
        """
        every = Group.objects.all()
        if sees_all(self.viewer):
            return every
        own = Q(user=self.viewer.pk) & ~Q(name=NAME)
        return every.filter(own | Q(organised_competitions__in=self._saved())).distinct()

    def clean_new_organisers(self) -> list[User]:
        """Return the accounts that were named."""
        names = self.cleaned_data["new_organisers"].replace(",", " ").split()
        found = {user.username: user for user in organisers_named(names)}
        unknown = [ValidationError(NO_ORGANISER.format(name=name)) for name in names if name not in found]
        if unknown:
            raise ValidationError(unknown)
        return list(found.values())

    def clean(self) -> dict[str, Any]:
        """Join who stays with who is new; who creates a competition organises it."""
        cleaned = super().clean() or {}
        if self.errors or "organisers" not in cleaned:
            return cleaned
        chosen = {user.pk for user in (*cleaned["organisers"], *cleaned.get("new_organisers", ()))}
        if self.instance.pk is None and not sees_all(self.viewer):
            chosen.add(self.viewer.pk)
        if not chosen and not cleaned.get("organiser_groups") and not sees_all(self.viewer):
            self.add_error("organisers", "Leave at least one organiser or one group.")
        return {**cleaned, "organisers": User.objects.filter(pk__in=chosen)}


def _offer(fields: dict[str, forms.Field], name: str, rows: QuerySet[Any]) -> None:
    if name in fields:
        fields[name].queryset = rows  # type: ignore[attr-defined]  # a ModelMultipleChoiceField
