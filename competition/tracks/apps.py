"""Django's handle on this package."""

from django.apps import AppConfig


class TracksConfig(AppConfig):
    """App configuration."""

    name = "competition.tracks"
    label = "tracks"
