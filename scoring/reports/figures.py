"""Numbers in words, as the command line and the pages print them alike (standard library and contracts only)."""

from __future__ import annotations

import math
from typing import Final

from scoring.contracts import LATENCY_RULE

COUNTED: Final = frozenset({"correct", "pixels", "tp", "fp", "fn", "tn"})


def percent(share: float) -> str:
    """Return a share of one as a percentage, rounded down: what is not all of it is not 100%."""
    return f"{math.floor(1000 * share) / 10:g}%"


def detail_in_words(name: str, number: float, decimals: int) -> str:
    """Return a number beside a score: counts whole, thresholds to six digits, the others as the score."""
    if name in COUNTED:  # of weighted samples they have fractions
        return f"{number:,.6f}".rstrip("0").rstrip(".")
    return f"{number:.6g}" if name == "threshold" else f"{number:.{decimals}f}"


def latency_in_words(p50_ms: float, p95_ms: float, max_ms: float | None) -> str:
    """Return what one sample took, beside the track's gate."""
    slowest = f"{p95_ms:.1f} ms for 95%"
    if max_ms is None:
        return f"{p50_ms:.1f} ms median, {slowest}"
    side = "outside" if LATENCY_RULE.is_over(p50_ms, max_ms) else "inside"
    limit = f"{LATENCY_RULE.limit_words} {exactly(max_ms)} ms"
    return f"{beside_gate(p50_ms, max_ms)} ms median of {limit} ({side} the gate), {slowest}"


def beside_gate(found: float, allowed: float) -> str:
    """Return a measured number, rounded no further than to its own side of what is allowed."""
    for decimals in range(1, 10):
        shown = f"{found:.{decimals}f}"
        if LATENCY_RULE.is_over(float(shown), allowed) == LATENCY_RULE.is_over(found, allowed):
            return shown
    return exactly(found)


def exactly(number: float) -> str:
    """Return a number that somebody set as they wrote it: without rounding, without needless zeros."""
    return f"{number:.15g}"
