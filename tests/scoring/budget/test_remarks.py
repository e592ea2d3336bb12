"""What a participant is told of how an entry was counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scoring.budget.remarks import remarks
from scoring.contracts import Budgets, Capture, Finding, MacsCounter, Usage
from scoring.errors import render_all

BUDGETS = Budgets(max_macs=2_000)
USAGE = Usage(
    parameters=1,
    trainable_parameters=1,
    macs=1_000,
    macs_by_counter={"graph": 1_000, "dispatch": 1_000, "ptflops": 1_020, "fvcore": 980},
    binding_counter="graph",
    captured=True,
)


def told(usage: Usage, budgets: Budgets = BUDGETS) -> tuple[Finding, ...]:
    """Return the remarks, which must have sentences."""
    found = remarks(usage, budgets)
    render_all(found)
    return found


def test_nothing_is_said_of_a_captured_entry_on_which_the_counters_agree() -> None:
    assert told(USAGE) == ()


def test_an_entry_that_was_counted_by_running_it_is_told_why() -> None:
    (found,) = told(replace(USAGE, captured=False, not_captured="it calls numpy"))

    assert (found.code, found.facts) == ("counted_by_running", {"why": "it calls numpy"})


@pytest.mark.parametrize(
    ("captured", "capture"),
    [(False, Capture.OFF), (False, Capture.REQUIRED), (None, Capture.PREFERRED)],
)
def test_nothing_is_said_where_nobody_wanted_a_graph_or_its_lack_is_refused(
    captured: bool | None, capture: Capture
) -> None:
    assert told(replace(USAGE, captured=captured), replace(BUDGETS, capture=capture)) == ()


@pytest.mark.parametrize(
    ("counter", "found", "share_off"),
    [("ptflops", 1_021, 0.021), ("fvcore", 979, -0.021), ("dispatch", 0, -1.0)],
)
def test_a_counter_that_is_far_off_is_named_with_a_reason(counter: str, found: int, share_off: float) -> None:
    usage = replace(USAGE, macs_by_counter={**USAGE.macs_by_counter, counter: found})

    (finding,) = told(usage)

    assert finding.code == "counters_differ"
    assert (finding.facts["counter"], finding.facts["found"]) == (counter, found)
    assert (finding.facts["exact"], finding.facts["expected"]) == ("graph", 1_000)
    assert finding.facts["difference"] == pytest.approx(share_off)
    assert finding.facts["why"]


@pytest.mark.parametrize(
    ("binding", "counters", "counter"),
    [
        pytest.param(
            "dispatch", {"static": 10, "dispatch": 1_000}, "static", id="an ONNX file that misses products"
        ),
        pytest.param("static", {"static": 1_000, "dispatch": 10}, "dispatch", id="its conversion"),
        pytest.param("ptflops", {"graph": 1_000, "ptflops": 10}, "ptflops", id="the official counter"),
    ],
)
def test_others_are_compared_with_the_exact_count_that_applies(
    binding: str, counters: dict[str, int | None], counter: str
) -> None:
    (finding,) = told(replace(USAGE, macs_by_counter=counters, binding_counter=binding))

    assert (finding.facts["counter"], finding.facts["found"], finding.facts["expected"]) == (
        counter,
        10,
        1_000,
    )


def test_a_counter_that_is_far_off_does_not_matter_where_macs_are_free() -> None:
    usage = replace(USAGE, macs_by_counter={**USAGE.macs_by_counter, "ptflops": 5_000})

    assert told(usage, Budgets()) == ()


@pytest.mark.parametrize(
    "counters",
    [
        pytest.param({"graph": 0, "ptflops": 7}, id="nothing to compare with"),
        pytest.param({"graph": 1_000, "ptflops": None}, id="a counter that failed"),
        pytest.param({"dispatch": None, "ptflops": 7}, id="no exact count"),
    ],
)
def test_what_cannot_be_compared_is_not_remarked_on(counters: dict[str, int | None]) -> None:
    assert told(replace(USAGE, macs_by_counter=counters)) == ()


@pytest.mark.parametrize(
    ("counters", "why"),
    [
        ({"static": 1_000}, "it cannot be applied to such an entry"),
        ({"static": 1_000, "ptflops": None}, "it failed"),
    ],
)
def test_an_official_counter_that_has_no_count_is_named(counters: dict[str, int | None], why: str) -> None:
    usage = replace(USAGE, macs_by_counter=counters, binding_counter="static")

    (found,) = told(usage, replace(BUDGETS, macs_counter=MacsCounter.PTFLOPS))

    assert found.code == "official_counter_unavailable"
    assert found.facts == {"counter": "ptflops", "why": why, "instead": "static"}


def test_nothing_is_said_of_an_official_counter_that_counted() -> None:
    usage = replace(USAGE, binding_counter="ptflops")

    assert told(usage, replace(BUDGETS, macs_counter=MacsCounter.PTFLOPS)) == ()


def test_nothing_is_said_of_an_official_counter_where_macs_are_free() -> None:
    assert told(USAGE, Budgets(macs_counter=MacsCounter.FVCORE)) == ()


def test_a_difference_that_is_nothing_beside_the_limit_is_not_told() -> None:
    usage = replace(USAGE, macs_by_counter={"graph": 300, "ptflops": 400})

    assert told(usage, replace(BUDGETS, max_macs=200_000)) == ()
