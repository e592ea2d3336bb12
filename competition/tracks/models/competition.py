"""Competitions as rows."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone


class Competition(models.Model):
    """A set of tracks with one front page."""

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    summary = models.CharField(
        max_length=400, blank=True, help_text="One or two sentences for the front page."
    )
    description = models.TextField(blank=True, help_text="Markdown.")
    is_public = models.BooleanField(default=True, help_text="Hidden competitions are seen by staff only.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at", "slug"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the competition's page."""
        return reverse("competition", args=[self.slug])
