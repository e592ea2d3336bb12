"""Budgets at their boundaries: parameters inclusive, MACs strict, all excesses at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scoring.budget.enforce import bind, enforce, enforce_cpu, enforce_static
from scoring.budget.onnx.operators import UNKNOWN_PRODUCTS
from scoring.contracts import Budgets, Capture, Format, MacsCounter, Package, StaticCounts, Usage
from scoring.errors import Rejected, render_all

BUDGETS = Budgets(max_parameters=30_000_000, max_macs=5_000_000_000, max_package_bytes=1_000)
COUNTERS = {"dispatch": 4_999_999_999, "ptflops": 4_000_000_000, "fvcore": None}
AT_LIMIT = Usage(
    parameters=30_000_000,
    trainable_parameters=0,
    macs=4_999_999_999,
    macs_by_counter=COUNTERS,
    binding_counter="dispatch",
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
    usage = replace(AT_LIMIT, macs=5_000_000_000, binding_counter="ptflops")

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
    ("counters", "name", "macs"),
    [
        pytest.param({"graph": 3, "static": 4, "dispatch": 5, "ptflops": 6}, "graph", 3, id="of the graph"),
        pytest.param({"static": 4, "dispatch": 5, "ptflops": 6}, "static", 4, id="of an ONNX file"),
        pytest.param({"dispatch": 5, "ptflops": 6}, "dispatch", 5, id="of a run"),
        pytest.param({"graph": None, "dispatch": 5}, "dispatch", 5, id="where the graph's failed"),
        pytest.param({"graph": 0, "dispatch": 5}, "graph", 0, id="also if it is nothing"),
        pytest.param({"dispatch": None, "ptflops": 6}, "none", 0, id="no exact one"),
        pytest.param({}, "none", 0, id="none at all"),
    ],
)
def test_the_surest_exact_count_binds(counters: dict[str, int | None], name: str, macs: int) -> None:
    bound = bind(replace(AT_LIMIT, macs_by_counter=counters), Budgets())

    assert (bound.binding_counter, bound.macs) == (name, macs)


@pytest.mark.parametrize(
    ("counters", "name"), [({"static": 7, "dispatch": 8}, "dispatch"), ({"static": 7}, "static")]
)
def test_a_static_count_that_misses_products_binds_last(counters: dict[str, int | None], name: str) -> None:
    usage = replace(AT_LIMIT, macs_by_counter=counters, uncounted_ops=("Conv (shape unknown)",))

    assert bind(usage, Budgets()).binding_counter == name


@pytest.mark.parametrize(
    ("counters", "name"),
    [
        ({"dispatch": 1, "ptflops": 2}, "ptflops"),
        ({"dispatch": 2, "ptflops": 2}, "dispatch"),
        ({"dispatch": None, "ptflops": 0}, "ptflops"),
        ({"graph": 1, "static": 4, "dispatch": 5}, "dispatch"),
        ({"dispatch": None}, "none"),
        ({}, "none"),
    ],
)
def test_the_largest_count_binds_where_the_track_says_so(counters: dict[str, int | None], name: str) -> None:
    usage = replace(AT_LIMIT, macs_by_counter=counters)

    assert bind(usage, Budgets(macs_counter=MacsCounter.LARGEST)).binding_counter == name


@pytest.mark.parametrize("official", [MacsCounter.PTFLOPS, MacsCounter.FVCORE])
def test_the_counter_that_a_track_names_binds(official: MacsCounter) -> None:
    usage = replace(AT_LIMIT, macs_by_counter={"graph": 9, "dispatch": 9, "ptflops": 7, "fvcore": 7})

    bound = bind(usage, Budgets(macs_counter=official))

    assert (bound.binding_counter, bound.macs) == (official, 7)


@pytest.mark.parametrize("counters", [{"graph": 9, "ptflops": None}, {"graph": 9}])
def test_the_exact_count_binds_where_the_named_counter_has_none(counters: dict[str, int | None]) -> None:
    usage = replace(AT_LIMIT, macs_by_counter=counters)

    assert bind(usage, Budgets(macs_counter=MacsCounter.PTFLOPS)).binding_counter == "graph"


@pytest.mark.parametrize("official", [MacsCounter.PTFLOPS, MacsCounter.FVCORE])
def test_a_static_count_refuses_nothing_where_another_counter_is_named(official: MacsCounter) -> None:
    budgets = replace(BUDGETS, macs_counter=official)

    enforce_static(StaticCounts(macs=10**12), PACKAGE, budgets)


# --- what was captured

WANTS_GRAPHS = replace(BUDGETS, capture=Capture.REQUIRED)


def test_a_captured_entry_is_accepted_where_graphs_are_required() -> None:
    enforce(replace(AT_LIMIT, captured=True), WANTS_GRAPHS)


@pytest.mark.parametrize(("captured", "why"), [(False, "it calls numpy"), (None, "")])
def test_an_entry_without_a_graph_is_refused_where_graphs_are_required(
    captured: bool | None, why: str
) -> None:
    caught = refusal(lambda: enforce(replace(AT_LIMIT, captured=captured, not_captured=why), WANTS_GRAPHS))

    assert caught.code == "not_captured"
    assert caught.findings[0].facts == {"why": why or "nothing was captured"}


@pytest.mark.parametrize("capture", [Capture.PREFERRED, Capture.OFF])
def test_an_entry_without_a_graph_is_accepted_elsewhere(capture: Capture) -> None:
    enforce(replace(AT_LIMIT, captured=False), replace(BUDGETS, capture=capture))


def test_excesses_stand_beside_what_was_not_captured() -> None:
    usage = replace(AT_LIMIT, captured=False, not_captured="it calls numpy", parameters=10**9)

    caught = refusal(lambda: enforce(usage, WANTS_GRAPHS))

    assert [finding.code for finding in caught.findings] == ["not_captured", "parameters_over_budget"]


CODE = replace(PACKAGE, format=Format.CVPR_ZIP, main="model.py")
ONLY_PARAMETERS = Budgets(max_parameters=1_000)
MOST_BYTES = 4 * 1_000 + 4 * 2**20


@pytest.mark.parametrize("format_", Format)
def test_files_that_could_hold_more_weights_than_allowed_are_refused(format_: Format) -> None:
    package = replace(CODE, format=format_, package_bytes=MOST_BYTES + 1)

    caught = refusal(lambda: enforce_static(StaticCounts(), package, ONLY_PARAMETERS))

    assert caught.code == "files_over_budget"
    assert caught.findings[0].facts == {"found": MOST_BYTES + 1, "allowed": MOST_BYTES, "parameters": 1_000}


@pytest.mark.parametrize(
    ("package", "budgets"),
    [
        pytest.param(CODE, ONLY_PARAMETERS, id="at the bound"),
        pytest.param(PACKAGE, ONLY_PARAMETERS, id="an ONNX file at the bound"),
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


@pytest.mark.parametrize(
    "beside_weights",
    [
        pytest.param(2_335_534, id="Swin-T as torch.onnx.export writes it, with stack traces"),
        pytest.param(535_766, id="ViT-S/16, the same way"),
        pytest.param(4 * 2**20, id="the most"),
    ],
)
def test_an_export_of_as_many_weights_as_are_allowed_fits(beside_weights: int) -> None:
    package = replace(PACKAGE, package_bytes=4 * 30_000_000 + beside_weights)

    enforce_static(StaticCounts(parameters=30_000_000), package, Budgets(max_parameters=30_000_000))


# --- what nobody counted

UNCOUNTED = replace(AT_LIMIT, macs=0, macs_by_counter={"dispatch": None, "ptflops": 0, "fvcore": None})
GRAPH = {"dispatch": None, "ptflops": None, "fvcore": None, "static": 7}


def test_a_model_that_fails_while_it_is_counted_is_refused() -> None:
    assert refusal(lambda: enforce(UNCOUNTED, BUDGETS)).code == "macs_not_countable"


def test_a_model_that_fails_while_it_is_counted_passes_where_macs_are_free() -> None:
    enforce(UNCOUNTED, replace(BUDGETS, max_macs=None))


@pytest.mark.parametrize("missed", ["Conv (shape unknown)", "GRU (shape unknown)", "Loop (shape unknown)"])
def test_a_graph_whose_products_nobody_counted_is_refused(missed: str) -> None:
    usage = replace(AT_LIMIT, macs=7, macs_by_counter=GRAPH, uncounted_ops=("Loop", missed))

    caught = refusal(lambda: enforce(usage, BUDGETS))

    assert caught.code == "macs_not_countable"
    assert missed in str(caught.findings[0].facts["why"])


def test_products_that_nobody_counted_are_named_in_the_order_of_the_alphabet() -> None:
    usage = replace(AT_LIMIT, macs=7, macs_by_counter=GRAPH, uncounted_ops=tuple(UNKNOWN_PRODUCTS))

    caught = refusal(lambda: enforce(usage, BUDGETS))

    named = ", ".join(sorted(UNKNOWN_PRODUCTS))
    assert caught.findings[0].facts["why"] == f"no counter can count {named}"


def test_a_graph_whose_products_only_a_run_counted_is_refused() -> None:
    """The run was on other pictures, one at a time."""
    counters = {**GRAPH, "dispatch": 8}
    usage = replace(AT_LIMIT, macs=8, macs_by_counter=counters, uncounted_ops=("Conv (shape unknown)",))

    assert refusal(lambda: enforce(usage, BUDGETS)).code == "macs_not_countable"


@pytest.mark.parametrize("counter", ["dispatch", "graph"])
def test_what_is_named_like_a_product_of_a_file_is_nothing_where_there_is_none(counter: str) -> None:
    usage = replace(AT_LIMIT, macs_by_counter={counter: 8}, uncounted_ops=("Conv (shape unknown)",))

    enforce(usage, BUDGETS)


@pytest.mark.parametrize("missed", ["mine::work", "prims::svd", "torch._DisableTorchDispatch"])
def test_a_run_whose_products_nobody_counted_is_refused(missed: str) -> None:
    usage = replace(AT_LIMIT, macs=7, macs_by_counter={"dispatch": 7}, uncounted_ops=("aloud", missed))

    caught = refusal(lambda: enforce(usage, BUDGETS))

    assert caught.code == "macs_not_countable"
    assert caught.findings[0].facts["why"] == f"no counter can count {missed}"


def test_what_the_conversion_of_a_graph_missed_is_accepted() -> None:
    """The file itself was counted."""
    counters = {**GRAPH, "dispatch": 7}

    enforce(replace(AT_LIMIT, macs=7, macs_by_counter=counters, uncounted_ops=("mine::work",)), BUDGETS)


def test_operators_that_nobody_counted_pass_where_macs_are_free() -> None:
    usage = replace(AT_LIMIT, macs_by_counter={"dispatch": 7}, uncounted_ops=("mine::work",))

    enforce(usage, replace(BUDGETS, max_macs=None))


@pytest.mark.parametrize("named", ["Loop", "Mul (shape unknown)"])
def test_what_multiplies_nothing_is_named_and_accepted(named: str) -> None:
    """Or multiplies no faster than memory is read."""
    enforce(replace(AT_LIMIT, macs=7, macs_by_counter=GRAPH, uncounted_ops=(named,)), BUDGETS)
