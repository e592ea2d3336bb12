"""How an entry's MACs were counted, in words that the command line and the pages share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from scoring.contracts import largest_counter, reference_counter, second_opinions

COUNTERS: Final[Mapping[str, str]] = {
    "graph": "the captured graph",
    "static": "the ONNX file",
    "dispatch": "a run of the model",
    "ptflops": "ptflops",
    "fvcore": "fvcore",
}
"""What each counter looks at, or whose it is."""


@dataclass(frozen=True, kw_only=True)
class CountRow:
    """One counter's number; `beside` is its distance from the exact count in words, `why` a likely reason."""

    counter: str
    title: str
    macs: int | None
    beside: str
    why: str
    applies: bool


def count_rows(usage: Mapping[str, Any]) -> list[CountRow]:
    """Return the counts of a report's usage, the exact one first."""
    by_counter: Mapping[str, int | None] = usage["macs_by_counter"]
    exact = reference_counter(by_counter, usage.get("binding_counter", ""))
    # Reports from before there was a choice do not say whose count applied: it was the largest.
    binding = usage.get("binding_counter") or largest_counter(by_counter)
    # What a run takes is exact of that run alone.
    beside = "" if exact == "dispatch" else "exact"
    rows = [(exact, by_counter[exact], beside, "")] if exact in by_counter else []
    rows += [
        (each.counter, each.macs, _beside(each.share_off), each.why)
        for each in second_opinions(by_counter, exact)
    ]
    return [
        CountRow(
            counter=name,
            title=COUNTERS.get(name, name),
            macs=macs,
            beside=beside,
            why=why,
            applies=name == binding,
        )
        for name, macs, beside, why in rows
    ]


def counted_in_words(usage: Mapping[str, Any]) -> str:
    """Return how an entry was counted; nothing where nobody tried to capture it."""
    if usage.get("captured") is None:
        return ""
    if usage["captured"]:
        return "from the graph that predicts"
    why = usage.get("not_captured")
    return f"by running it, because it could not be captured as a graph{f': {why}' if why else ''}"


def _beside(share_off: float | None) -> str:
    if share_off is None:
        return ""
    return "equal" if share_off == 0 else f"{share_off:+.1%}"
