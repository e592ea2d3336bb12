"""The app's configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Access tokens, and how people sign in."""

    name = "competition.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
