"""Django's handle on this package."""

from django.apps import AppConfig


class AdminConfig(AppConfig):
    """App configuration; the label `admin` is that of Django's own app."""

    name = "competition.admin"
    label = "organising"
