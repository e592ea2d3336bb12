"""An evaluation's state and score as pages show them."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from competition.clock import TOLERATED_S
from competition.submissions import selectors
from competition.submissions.models import Evaluation
from competition.submissions.progress import status_words

register = template.Library()
register.filter(selectors.ranking_score)
register.filter(selectors.score_before)


@register.simple_tag
def status_badge(evaluation: Evaluation) -> SafeString:
    """Return the status as a word with a sign."""
    words = status_words(evaluation)
    return format_html('<span class="state state-{}">{}</span>', evaluation.status, words)


@register.filter
def heat(confusion: Sequence[Sequence[int]]) -> dict[str, object]:
    """Return a confusion matrix as squares, each as dark as its share of its row; empty ones are left out."""
    cells = [
        {"row": row, "column": column, "share": f"{count / sum(counts):.3f}"}
        for row, counts in enumerate(confusion)
        for column, count in enumerate(counts)
        if count
    ]
    return {"side": len(confusion), "cells": cells}


@register.filter
def as_words(name: str) -> str:
    """Return a name of the report as people read it."""
    return name.replace("_", " ")


@register.filter
def clock_in_words(ahead_s: float | None) -> str:
    """Return how a machine's clock differs from the database's."""
    if ahead_s is None:
        return "–"
    if abs(ahead_s) <= TOLERATED_S:
        return "right"
    return f"{abs(ahead_s):,.0f} s {'ahead' if ahead_s > 0 else 'behind'}"
