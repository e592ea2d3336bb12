"""Compares what a package uses with what its track allows; pure, and reports every excess at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scoring.budget.onnx.operators import UNKNOWN_PRODUCTS
from scoring.contracts import (
    BYTES_RULE,
    FILES_RULE,
    MACS_RULE,
    PARAMETERS_RULE,
    BudgetRule,
    Budgets,
    Finding,
    Package,
    StaticCounts,
    Usage,
)
from scoring.errors import Rejected, reject


def enforce_static(counts: StaticCounts, package: Package, budgets: Budgets) -> None:
    """Raise `Rejected` if the static counts already exceed a budget."""
    _raise_all(
        *_excess(PARAMETERS_RULE, counts.parameters, budgets),
        *_excess(MACS_RULE, counts.macs, budgets, counter="static"),
        *_files(package, budgets),
    )


def enforce(usage: Usage, budgets: Budgets) -> None:
    """Raise `Rejected` if the measured usage exceeds a budget."""
    _raise_all(
        *_excess(PARAMETERS_RULE, usage.parameters, budgets),
        *_excess(MACS_RULE, usage.macs, budgets, counter=binding_counter(usage.macs_by_counter)),
        *_uncounted(usage, budgets),
        *_excess(BYTES_RULE, usage.package_bytes, budgets),
    )


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


def _uncounted(usage: Usage, budgets: Budgets) -> Iterator[Finding]:
    """Yield a finding where products went past every counter: "nobody counted any" does not mean 0.

    A model that fails only while it is counted would otherwise be within every budget. The dispatch
    counter alone sees all products of torch; the static one all of a graph whose shapes it knows.
    """
    if budgets.max_macs is None or usage.macs_by_counter.get("dispatch") is not None:
        return
    if usage.macs_by_counter.get("static") is None:
        why = "the model failed while it was being counted"
        yield Finding(code="macs_not_countable", facts={"allowed": budgets.max_macs, "why": why})
        return
    missed = sorted(UNKNOWN_PRODUCTS & set(usage.uncounted_ops))
    if missed:
        facts = {"allowed": budgets.max_macs, "why": f"no counter can count {', '.join(missed)}"}
        yield Finding(code="macs_not_countable", facts=facts)


def _files(package: Package, budgets: Budgets) -> Iterator[Finding]:
    """Bound the files by the track's own budget of bytes, else by what the allowed parameters take."""
    if budgets.max_package_bytes is not None:
        yield from _excess(BYTES_RULE, package.package_bytes, budgets)
    elif budgets.max_bytes(package.format) is not None:
        yield from _excess(FILES_RULE, package.package_bytes, budgets, parameters=budgets.max_parameters)


def binding_counter(by_counter: Mapping[str, int | None]) -> str:
    """Return the name of the counter that found most; the first of equals."""
    known = {name: macs for name, macs in by_counter.items() if macs is not None}
    return max(known, key=lambda name: known[name], default="none")
