"""What a participant should know of how an entry was counted, though nothing is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scoring.budget.enforce import NAMED_COUNTERS
from scoring.contracts import Budgets, Capture, Finding, Usage, reference_counter, second_opinions

WORTH_TELLING: Final = 0.001
"""Share of the limit on MACs below which a difference between counters is nobody's concern."""


def remarks(usage: Usage, budgets: Budgets) -> tuple[Finding, ...]:
    """Return the warnings about a usage that `bind` has bound."""
    return (
        *_counted_by_running(usage, budgets),
        *_official_counter(usage, budgets),
        *_differences(usage, budgets),
    )


def _counted_by_running(usage: Usage, budgets: Budgets) -> Iterator[Finding]:
    if budgets.capture is Capture.PREFERRED and usage.captured is False:
        yield Finding(code="counted_by_running", facts={"why": usage.not_captured})


def _official_counter(usage: Usage, budgets: Budgets) -> Iterator[Finding]:
    """Yield a warning where the track's official counter could not be asked."""
    official = budgets.macs_counter
    if official not in NAMED_COUNTERS or budgets.max_macs is None or usage.binding_counter == official:
        return
    why = "it failed" if official in usage.macs_by_counter else "it cannot be applied to such an entry"
    facts = {"counter": official.value, "why": why, "instead": usage.binding_counter}
    yield Finding(code="official_counter_unavailable", facts=facts)


def _differences(usage: Usage, budgets: Budgets) -> Iterator[Finding]:
    """Yield a warning for each counter that is far from the exact one, where the count matters."""
    if budgets.max_macs is None:
        return
    exact = reference_counter(usage.macs_by_counter, usage.binding_counter)
    expected = usage.macs_by_counter.get(exact) or 0
    for opinion in second_opinions(usage.macs_by_counter, exact):
        apart = abs((opinion.macs or 0) - expected)
        if opinion.why and opinion.share_off is not None and apart > WORTH_TELLING * budgets.max_macs:
            facts = {
                "counter": opinion.counter,
                "found": opinion.macs,
                "difference": opinion.share_off,
                "exact": exact,
                "expected": expected,
                "why": opinion.why,
            }
            yield Finding(code="counters_differ", facts=facts)
