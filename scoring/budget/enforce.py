"""Compares what a package uses with what its track allows; pure, and reports every excess at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scoring.budget.onnx.operators import UNKNOWN_PRODUCTS
from scoring.contracts import Budgets, Finding, Format, Package, StaticCounts, Usage
from scoring.errors import Rejected, reject


def enforce_static(counts: StaticCounts, package: Package, budgets: Budgets) -> None:
    """Raise `Rejected` when what was counted without running is over a budget already."""
    _raise_all(
        *_parameters(counts.parameters, budgets),
        *_macs(counts.macs, {"static": counts.macs}, budgets),
        *_package_bytes(package.package_bytes, budgets),
        *_bytes_with_code(package, budgets),
    )


def enforce(usage: Usage, budgets: Budgets) -> None:
    """Raise `Rejected` when what was measured is over a budget."""
    _raise_all(
        *_parameters(usage.parameters, budgets),
        *_macs(usage.macs, usage.macs_by_counter, budgets),
        *_uncounted(usage, budgets),
        *_package_bytes(usage.package_bytes, budgets),
    )


def enforce_cpu(cpu_s_per_sample: float, allowed: float) -> None:
    """Raise `Rejected` when a sample took more processor time than the track's MACs can explain."""
    if cpu_s_per_sample > allowed:
        raise reject("hidden_work", found=cpu_s_per_sample, allowed=allowed)


def _raise_all(*findings: Finding) -> None:
    if findings:
        raise Rejected(*findings)


def _parameters(found: int | None, budgets: Budgets) -> Iterator[Finding]:
    allowed = budgets.max_parameters
    # "No more than": the limit itself is allowed.
    if found is not None and allowed is not None and found > allowed:
        yield Finding(code="parameters_over_budget", facts={"found": found, "allowed": allowed})


def _macs(found: int | None, by_counter: Mapping[str, int | None], budgets: Budgets) -> Iterator[Finding]:
    allowed = budgets.max_macs
    # "Lower than": the limit itself is not allowed.
    if found is not None and allowed is not None and found >= allowed:
        facts = {"found": found, "allowed": allowed, "counter": binding_counter(by_counter)}
        yield Finding(code="macs_over_budget", facts=facts)


def _uncounted(usage: Usage, budgets: Budgets) -> Iterator[Finding]:
    """Yield a finding where products went past every counter: "nobody counted any" is no count of 0.

    A model that fails only while it is counted would otherwise be within every budget. The dispatch
    counter alone sees all products of torch; the static one all of a graph whose shapes it knows.
    """
    if budgets.max_macs is None or usage.macs_by_counter.get("dispatch") is not None:
        return
    if usage.macs_by_counter.get("static") is None:
        why = "the model failed in the passes that count"
        yield Finding(code="macs_not_countable", facts={"allowed": budgets.max_macs, "why": why})
        return
    missed = sorted(UNKNOWN_PRODUCTS & set(usage.uncounted_ops))
    if missed:
        facts = {"allowed": budgets.max_macs, "why": f"nobody could count {', '.join(missed)}"}
        yield Finding(code="macs_not_countable", facts=facts)


def _package_bytes(found: int, budgets: Budgets) -> Iterator[Finding]:
    allowed = budgets.max_package_bytes
    if allowed is not None and found > allowed:
        yield Finding(code="package_over_budget", facts={"found": found, "allowed": allowed})


def _bytes_with_code(package: Package, budgets: Budgets) -> Iterator[Finding]:
    """Bound what code could load later; the weights of an ONNX graph are all counted in the file."""
    allowed, found = budgets.max_bytes_with_code, package.package_bytes
    is_bounded_already = budgets.max_package_bytes is not None or package.format is Format.ONNX
    if not is_bounded_already and allowed is not None and found > allowed:
        facts = {"found": found, "allowed": allowed, "parameters": budgets.max_parameters}
        yield Finding(code="files_over_budget", facts=facts)


def binding_counter(by_counter: Mapping[str, int | None]) -> str:
    """Return the name of the counter that found most; the first of equals."""
    known = {name: macs for name, macs in by_counter.items() if macs is not None}
    return max(known, key=lambda name: known[name], default="none")
