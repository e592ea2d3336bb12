"""Compares what a package uses with what its track allows; pure, and reports every excess at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from scoring.budget.onnx.operators import UNKNOWN_PRODUCTS
from scoring.contracts import (
    BYTES_RULE,
    FILES_RULE,
    MACS_RULE,
    PARAMETERS_RULE,
    BudgetRule,
    Budgets,
    Capture,
    Finding,
    MacsCounter,
    Package,
    StaticCounts,
    Usage,
    exact_counter,
    largest_counter,
)
from scoring.errors import Rejected, reject

NAMED_COUNTERS: Final = frozenset({MacsCounter.PTFLOPS, MacsCounter.FVCORE})
"""Those of others, which a track may make its official ones."""
OF_TORCH: Final = re.compile(r"\w+::|torch\.")


def enforce_static(counts: StaticCounts, package: Package, budgets: Budgets) -> None:
    """Raise `Rejected` if the static counts already exceed a budget."""
    macs = None if budgets.macs_counter in NAMED_COUNTERS else counts.macs
    _raise_all(
        *_excess(PARAMETERS_RULE, counts.parameters, budgets),
        *_excess(MACS_RULE, macs, budgets, counter="static"),
        *_files(package, budgets),
    )


def enforce(usage: Usage, budgets: Budgets) -> None:
    """Raise `Rejected` if the measured usage, bound by `bind`, exceeds a budget."""
    _raise_all(
        *_uncaptured(usage, budgets),
        *_excess(PARAMETERS_RULE, usage.parameters, budgets),
        *_excess(MACS_RULE, usage.macs, budgets, counter=usage.binding_counter),
        *_uncounted(usage, budgets),
        *_excess(BYTES_RULE, usage.package_bytes, budgets),
    )


def bind(usage: Usage, budgets: Budgets) -> Usage:
    """Return the usage with the count of MACs that applies on the track, and whose it is."""
    name = _binding_counter(usage, budgets.macs_counter)
    return replace(usage, macs=usage.macs_by_counter.get(name) or 0, binding_counter=name)


def enforce_cpu(cpu_s_per_sample: float, allowed: float) -> None:
    """Raise `Rejected` when a sample took more processor time than the track's MACs can explain."""
    if cpu_s_per_sample > allowed:
        raise reject("hidden_work", found=cpu_s_per_sample, allowed=allowed)


def _raise_all(*findings: Finding) -> None:
    if findings:
        raise Rejected(*findings)


def _excess(rule: BudgetRule, found: int | None, budgets: Budgets, **facts: object) -> Iterator[Finding]:
    """Yield a finding where more was found than the rule's budget allows; `None` could not be counted."""
    allowed = getattr(budgets, rule.budget)
    if found is not None and rule.is_over(found, allowed):
        yield Finding(code=rule.code, facts={"found": found, "allowed": allowed, **facts})


def _uncaptured(usage: Usage, budgets: Budgets) -> Iterator[Finding]:
    """Yield a finding where the track lets only graphs predict, and there is none."""
    if budgets.capture is Capture.REQUIRED and not usage.captured:
        yield Finding(code="not_captured", facts={"why": usage.not_captured or "nothing was captured"})


def _uncounted(usage: Usage, budgets: Budgets) -> Iterator[Finding]:
    """Yield a finding where products went past every counter: "nobody counted any" does not mean 0.

    A model that fails only while it is counted would otherwise be within every budget. What the static
    counter of an ONNX graph misses, no run can tell: that would be a run on other pictures, in another
    batch size.
    """
    if budgets.max_macs is None:
        return
    counter = exact_counter(usage.macs_by_counter)
    missed = sorted(_products_missed(usage))
    if counter == "none":
        why = "the model failed while it was being counted"
    elif missed:
        why = f"no counter can count {', '.join(missed)}"
    else:
        return
    yield Finding(code="macs_not_countable", facts={"allowed": budgets.max_macs, "why": why})


def _products_missed(usage: Usage) -> set[str]:
    """Return what may multiply and was not counted: of a graph file its own operators, else those of torch.

    torch's own are all counted or known to multiply nothing, so these are operators of the entry's.
    """
    missed = set(usage.uncounted_ops)
    if usage.macs_by_counter.get("static") is not None:
        return missed & UNKNOWN_PRODUCTS
    return {name for name in missed if OF_TORCH.match(name)}


def _files(package: Package, budgets: Budgets) -> Iterator[Finding]:
    """Bound the files by the track's own budget of bytes, else by what the allowed parameters take."""
    if budgets.max_package_bytes is not None:
        yield from _excess(BYTES_RULE, package.package_bytes, budgets)
    else:
        yield from _excess(FILES_RULE, package.package_bytes, budgets, parameters=budgets.max_parameters)


def _binding_counter(usage: Usage, official: MacsCounter) -> str:
    if official is MacsCounter.LARGEST:
        return largest_counter(usage.macs_by_counter)
    if official in NAMED_COUNTERS and usage.macs_by_counter.get(official) is not None:
        return official.value
    # A count that misses products is the last resort of the exact ones.
    unsure = ("static",) if UNKNOWN_PRODUCTS & set(usage.uncounted_ops) else ()
    name = exact_counter(usage.macs_by_counter, without=unsure)
    return exact_counter(usage.macs_by_counter) if name == "none" else name
