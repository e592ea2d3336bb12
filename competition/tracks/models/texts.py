"""What organisers tell about a competition beside its texts: pictures, dates of its calendar, news."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone

from competition.tracks.models.competition import MARKDOWN, Competition


class Picture(models.Model):
    """A picture of a competition, decoded and written anew when it was uploaded; also a small one for cards."""

    competition = models.ForeignKey(Competition, on_delete=models.CASCADE, related_name="pictures")
    name = models.SlugField(max_length=60, help_text="What texts call it: ![what it shows](name).")
    file = models.FileField(upload_to="pictures/", editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    small = models.FileField(upload_to="pictures/", editable=False)
    small_sha256 = models.CharField(max_length=64, editable=False)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["competition", "name"], name="picture_name_is_once_in_a_competition"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Milestone(models.Model):
    """A date of a competition's calendar that no track says: a phase, a workshop."""

    competition = models.ForeignKey(Competition, on_delete=models.CASCADE, related_name="milestones")
    name = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return self.name


class News(models.Model):
    """Something that organisers tell everybody who follows the competition."""

    competition = models.ForeignKey(Competition, on_delete=models.CASCADE, related_name="news")
    title = models.CharField(max_length=120)
    text = models.TextField(help_text=MARKDOWN)
    published_at = models.DateTimeField(
        default=timezone.now, help_text="It is shown from then on: a time to come holds it back."
    )

    class Meta:
        ordering: ClassVar = ["-published_at", "-pk"]
        verbose_name_plural = "news"

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return its place on the competition's page of news."""
        return f"{reverse('competition-news', args=[self.competition.slug])}#news-{self.pk}"
