"""Django's handle on this package."""

from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    """App configuration."""

    name = "competition.leaderboard"
    label = "leaderboard"
