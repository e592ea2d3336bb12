"""Django's handle on this package."""

from django.apps import AppConfig


class SubmissionsConfig(AppConfig):
    """App configuration."""

    name = "competition.submissions"
    label = "submissions"
