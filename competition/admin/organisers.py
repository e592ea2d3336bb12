"""The group of people who arrange competitions: what it may do in the admin."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import Group, Permission

NAME: Final = "Organisers"
MAY: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "tracks": {
        "competition": ("add", "change", "view"),
        "track": ("add", "change", "delete", "view"),
        "dataset": ("add", "view"),
        "benchmarkversion": ("view",),
    },
    "submissions": {"submission": ("view",), "evaluation": ("change", "view"), "score": ("view",)},
    "leaderboard": {"standing": ("view",)},
}


def organisers() -> Group:
    """Return the group with its permissions, made if it is not there."""
    group, _ = Group.objects.get_or_create(name=NAME)
    group.permissions.set(_permissions())
    return group


def _permissions() -> list[Permission]:
    return [
        Permission.objects.get(content_type__app_label=app, codename=f"{act}_{model}")
        for app, models in MAY.items()
        for model, acts in models.items()
        for act in acts
    ]
