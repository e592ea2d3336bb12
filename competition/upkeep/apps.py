"""Django's handle on this package."""

from django.apps import AppConfig


class UpkeepConfig(AppConfig):
    """App configuration; there are no models."""

    name = "competition.upkeep"
    label = "upkeep"
