"""A competition's texts as pages show them, with its own pictures, and its news."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse

from competition.markdown import Rendered, Shown, render
from competition.tracks.models import Competition, News, Picture


def rendered(text: str, pictures: Mapping[str, Shown]) -> Rendered:
    """Return a text with the pictures that it names."""
    return render(text, pictures)


def pictures_of(competition: Competition) -> dict[str, Shown]:
    """Return the pictures that the competition's texts may show, by name."""
    return {picture.name: shown(picture, competition.slug) for picture in competition.pictures.all()}


def shown(picture: Picture, slug: str) -> Shown:
    """Return where a picture is served; the address changes with its content, so that browsers may keep it."""
    address = reverse("picture", args=[slug, picture.name])
    return Shown(url=f"{address}?v={picture.sha256[:12]}", width=picture.width, height=picture.height)


def published(competition: Competition, now: datetime) -> QuerySet[News]:
    """Return what has been told so far, newest first."""
    return News.objects.filter(competition=competition, published_at__lte=now)
