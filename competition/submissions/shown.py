"""Which submissions boards count: those that nobody keeps off them."""

from __future__ import annotations

from competition.submissions.models import Visibility


def counting(submission: str) -> dict[str, object]:
    """Return what to filter by, from the path to a submission: neither hidden, nor withdrawn, nor a baseline."""
    return {f"{submission}__visibility": Visibility.PUBLIC, f"{submission}__baseline__isnull": True}
