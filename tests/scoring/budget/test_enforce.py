"""Budgets at their boundaries: parameters inclusive, MACs strict, all excesses at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scoring.budget.enforce import binding_counter, enforce, enforce_cpu, enforce_static
from scoring.budget.onnx.operators import UNKNOWN_PRODUCTS
from scoring.contracts import Budgets, Format, Package, StaticCounts, Usage
from scoring.errors import Rejected, render_all

BUDGETS = Budgets(max_parameters=30_000_000, max_macs=5_000_000_000, max_package_bytes=1_000)
COUNTERS = {"dispatch": 4_999_999_999, "ptflops": 4_000_000_000, "fvcore": None}
AT_LIMIT = Usage(
    parameters=30_000_000,
    trainable_parameters=0,
    macs=4_999_999_999,
    macs_by_counter=COUNTERS,
    package_bytes=1_000,
)
PACKAGE = Package(format=Format.ONNX, root=Path(), main="net.onnx", package_bytes=1_000)


def refusal(check: Callable[[], None]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        check()
    render_all(caught.value.findings)
    return caught.value


def test_usage_at_every_limit_is_accepted() -> None:
    enforce(AT_LIMIT, BUDGETS)


def test_nothing_is_refused_without_budgets() -> None:
    enforce(replace(AT_LIMIT, parameters=10**12, macs=10**15, package_bytes=10**12), Budgets())


def test_one_parameter_too_many_is_refused() -> None:
    caught = refusal(lambda: enforce(replace(AT_LIMIT, parameters=30_000_001), BUDGETS))

    assert caught.code == "parameters_over_budget"
    assert caught.findings[0].facts == {"found": 30_000_001, "allowed": 30_000_000}


def test_macs_equal_to_the_limit_are_refused() -> None:
    counters = {"dispatch": 1, "ptflops": 5_000_000_000, "fvcore": None}
    usage = replace(AT_LIMIT, macs=5_000_000_000, macs_by_counter=counters)

    caught = refusal(lambda: enforce(usage, BUDGETS))

    assert caught.code == "macs_over_budget"
    assert caught.findings[0].facts == {
        "found": 5_000_000_000,
        "allowed": 5_000_000_000,
        "counter": "ptflops",
    }


def test_one_byte_too_many_is_refused() -> None:
    caught = refusal(lambda: enforce(replace(AT_LIMIT, package_bytes=1_001), BUDGETS))

    assert caught.code == "package_over_budget"


def test_all_excesses_come_at_once() -> None:
    usage = replace(AT_LIMIT, parameters=10**9, macs=10**12, package_bytes=10**9)

    caught = refusal(lambda: enforce(usage, BUDGETS))

    assert [finding.code for finding in caught.findings] == [
        "parameters_over_budget",
        "macs_over_budget",
        "package_over_budget",
    ]


def test_static_counts_at_every_limit_are_accepted() -> None:
    enforce_static(StaticCounts(parameters=30_000_000, macs=4_999_999_999), PACKAGE, BUDGETS)


def test_static_counts_that_are_unknown_refuse_nothing() -> None:
    enforce_static(StaticCounts(), PACKAGE, BUDGETS)


def test_static_macs_equal_to_the_limit_are_refused() -> None:
    caught = refusal(lambda: enforce_static(StaticCounts(macs=5_000_000_000), PACKAGE, BUDGETS))

    assert caught.findings[0].facts["counter"] == "static"


def test_static_excesses_come_at_once() -> None:
    counts = StaticCounts(parameters=30_000_001, macs=5_000_000_000)

    caught = refusal(lambda: enforce_static(counts, replace(PACKAGE, package_bytes=1_001), BUDGETS))

    assert len(caught.findings) == 3


def test_processor_time_at_the_limit_is_accepted() -> None:
    enforce_cpu(0.5, 0.5)


def test_more_processor_time_is_hidden_work() -> None:
    caught = refusal(lambda: enforce_cpu(0.75, 0.5))

    assert caught.code == "hidden_work"
    assert caught.findings[0].facts == {"found": 0.75, "allowed": 0.5}


@pytest.mark.parametrize(
    ("counters", "name"),
    [
        ({"a": 1, "b": 2}, "b"),
        ({"a": 2, "b": 2}, "a"),
        ({"a": None, "b": 0}, "b"),
        ({"a": None}, "none"),
        ({}, "none"),
    ],
)
def test_the_largest_counter_binds(counters: dict[str, int | None], name: str) -> None:
    assert binding_counter(counters) == name


CODE = replace(PACKAGE, format=Format.CVPR_ZIP, main="model.py")
ONLY_PARAMETERS = Budgets(max_parameters=1_000)
MOST_BYTES = 4 * 1_000 + 4 * 2**20


@pytest.mark.parametrize("format_", [each for each in Format if each is not Format.ONNX])
def test_files_that_could_hold_more_weights_than_allowed_are_refused(format_: Format) -> None:
    package = replace(CODE, format=format_, package_bytes=MOST_BYTES + 1)

    caught = refusal(lambda: enforce_static(StaticCounts(), package, ONLY_PARAMETERS))

    assert caught.code == "files_over_budget"
    assert caught.findings[0].facts == {"found": MOST_BYTES + 1, "allowed": MOST_BYTES, "parameters": 1_000}


@pytest.mark.parametrize(
    ("package", "budgets"),
    [
        pytest.param(CODE, ONLY_PARAMETERS, id="at the bound"),
        pytest.param(replace(PACKAGE, package_bytes=10**9), ONLY_PARAMETERS, id="every weight is counted"),
        pytest.param(replace(CODE, package_bytes=10**9), Budgets(), id="no budget"),
        pytest.param(
            replace(CODE, package_bytes=10**9),
            replace(ONLY_PARAMETERS, max_package_bytes=10**9),
            id="the track says how much",
        ),
    ],
)
def test_other_files_are_accepted(package: Package, budgets: Budgets) -> None:
    enforce_static(
        StaticCounts(), replace(package, package_bytes=max(package.package_bytes, MOST_BYTES)), budgets
    )


# --- what nobody counted

UNCOUNTED = replace(AT_LIMIT, macs=0, macs_by_counter={"dispatch": None, "ptflops": 0, "fvcore": None})
GRAPH = {"dispatch": None, "ptflops": None, "fvcore": None, "static": 7}


def test_a_model_that_fails_while_it_is_counted_is_refused() -> None:
    assert refusal(lambda: enforce(UNCOUNTED, BUDGETS)).code == "macs_not_countable"


def test_a_model_that_fails_while_it_is_counted_passes_where_macs_are_free() -> None:
    enforce(UNCOUNTED, replace(BUDGETS, max_macs=None))


@pytest.mark.parametrize("missed", ["Conv (shape unknown)", "GRU (shape unknown)", "Loop (shape unknown)"])
def test_a_graph_whose_products_nobody_counted_is_refused(missed: str) -> None:
    usage = replace(AT_LIMIT, macs=7, macs_by_counter=GRAPH, uncounted_ops=("Det", missed))

    caught = refusal(lambda: enforce(usage, BUDGETS))

    assert caught.code == "macs_not_countable"
    assert missed in str(caught.findings[0].facts["why"])


def test_products_that_nobody_counted_are_named_in_the_order_of_the_alphabet() -> None:
    usage = replace(AT_LIMIT, macs=7, macs_by_counter=GRAPH, uncounted_ops=tuple(UNKNOWN_PRODUCTS))

    caught = refusal(lambda: enforce(usage, BUDGETS))

    named = ", ".join(sorted(UNKNOWN_PRODUCTS))
    assert caught.findings[0].facts["why"] == f"no counter can count {named}"


def test_a_graph_whose_products_torch_counted_is_accepted() -> None:
    counters = {**GRAPH, "dispatch": 8}

    enforce(
        replace(AT_LIMIT, macs=8, macs_by_counter=counters, uncounted_ops=("Conv (shape unknown)",)), BUDGETS
    )


@pytest.mark.parametrize("named", ["Det", "Loop", "Mul (shape unknown)"])
def test_what_multiplies_nothing_is_named_and_accepted(named: str) -> None:
    """Or multiplies no faster than memory is read."""
    enforce(replace(AT_LIMIT, macs=7, macs_by_counter=GRAPH, uncounted_ops=(named,)), BUDGETS)
