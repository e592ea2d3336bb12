"""Competitions as rows."""

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

MARKDOWN: Final = "Markdown, with tables, code and the competition's own pictures: ![what it shows](name)."


class Competition(models.Model):
    """A set of tracks with one front page."""

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    summary = models.CharField(
        max_length=400, blank=True, help_text="One or two sentences for the front page."
    )
    host = models.CharField(
        max_length=120, blank=True, db_default="", default="", help_text="Who invites: a lab, a workshop."
    )
    prize = models.CharField(
        max_length=120,
        blank=True,
        db_default="",
        default="",
        help_text="In a few words, such as “€5,000 and a talk”.",
    )
    results_at = models.DateTimeField(
        null=True, blank=True, verbose_name="results", help_text="When they are announced."
    )
    picture = models.ForeignKey(
        "Picture",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Its banner, and its picture on the front page. Without one, a picture is drawn from the address.",
    )
    description = models.TextField("overview", blank=True, help_text=MARKDOWN)
    about_data = models.TextField("data", blank=True, db_default="", default="", help_text=MARKDOWN)
    rules = models.TextField(blank=True, db_default="", default="", help_text=MARKDOWN)
    is_public = models.BooleanField(default=True, help_text="Only its organisers see a hidden competition.")
    organisers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="organised_competitions"
    )
    organiser_groups = models.ManyToManyField(
        "auth.Group", blank=True, related_name="organised_competitions", verbose_name="groups of organisers"
    )
    server_folder = models.CharField(
        max_length=200,
        blank=True,
        help_text="Organisers may import data folders that lie in this one, below PODIUM_IMPORT_ROOT. "
        "“.” stands for all of it; empty: only zips.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at", "slug"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the competition's page."""
        return reverse("competition", args=[self.slug])
