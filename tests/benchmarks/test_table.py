"""Figures against their bounds, and the tables that are made of them."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks import table
from tests.benchmarks.figures import Figure, Outcome, Report
from tests.benchmarks.machine import Machine, processor_name

XEON = """processor	: 0
cpu family	: 6
model		: 207
model name	: Intel(R) Xeon(R) Processor
processor	: 1
cpu family	: 6
model		: 207
model name	: Intel(R) Xeon(R) Processor
"""


def machine(processor: str = "Quick") -> Machine:
    return Machine(
        processor=processor,
        cores=2,
        memory_gb=8.0,
        system="Linux 6",
        versions={"torch": "2.0"},
        revision="abc",
    )


def report(*figures: Figure, processor: str = "Quick", failed: str = "", busy: bool = False) -> Report:
    outcome = Outcome(
        bench="engine", figures=figures, failed=failed, seconds=1.0, others=0.9 if busy else 0.0, busy=busy
    )
    return Report(machine=machine(processor), started="2026-12-01T06:00:00", load=0.1, outcomes=(outcome,))


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure(name="a", value=2.0, at_most=2.0), True),
        (Figure(name="a", value=2.1, at_most=2.0), False),
        (Figure(name="a", value=2.0, at_least=2.0), True),
        (Figure(name="a", value=1.9, at_least=2.0), False),
        (Figure(name="a", value=3.0, at_least=1.0, at_most=2.0), False),
        (Figure(name="a", value=math.nan, at_most=2.0), False),
        (Figure(name="a", value=2.0), None),
    ],
)
def test_a_bound_is_kept_up_to_the_bound(figure: Figure, met: bool | None) -> None:
    assert figure.met is met


def test_a_figure_without_a_bound_fails_nothing() -> None:
    assert report(Figure(name="a", value=1e9)).passed


def test_a_terminal_is_told_the_processor_and_the_notes() -> None:
    text = table.as_text(report(Figure(name="speed", value=2.0, at_least=1.0, note="4 s and 2 s")))

    assert text.startswith("Measured on Quick, 2 cores, 8 GiB, Linux 6; torch 2.0; revision abc\n")
    assert "engine: speed: 4 s and 2 s" in text
    assert text.endswith("1 benchmarks, 0 of them failed or missed a bound.")


def test_figures_that_were_measured_beside_others_are_marked() -> None:
    text = table.as_text(report(Figure(name="speed", value=2.0), busy=True))

    assert "2 x *" in text
    assert "*  Measured while others kept cores busy (engine 0.9)" in text


@pytest.mark.parametrize("unit", ["MB", "%", ""])
def test_counts_and_memory_are_not_marked(unit: str) -> None:
    figure = Figure(name="speed", value=2.0, unit=unit)

    assert "*" not in table.as_text(report(figure, busy=True))
    assert "*" not in table.as_markdown([report(figure, busy=True)])


def test_figures_of_a_quiet_machine_are_not_marked() -> None:
    assert "*" not in table.as_text(report(Figure(name="speed", value=2.0)))


def test_two_machines_are_two_columns() -> None:
    first = report(Figure(name="speed", value=2.0, at_least=1.5), processor="One(R)")
    second = report(Figure(name="speed", value=1.25, at_least=1.5), processor="Two", busy=True)

    lines = table.as_markdown([first, second]).splitlines()

    assert lines[0] == "| Figure | Bound | One, 2 cores | Two, 2 cores |"
    assert lines[2] == "| speed | at least 1.5 x | 2 x | **1.25 x**, missed \\* |"


def test_a_figure_that_one_machine_lacks_is_an_empty_cell() -> None:
    first = report(Figure(name="speed", value=2.0))
    second = report(failed="OSError: no space")

    lines = table.as_markdown([first, second]).splitlines()

    assert lines[2] == "| speed |  | 2 x |  |"
    assert "- `engine` failed: OSError: no space" in lines


def test_the_page_shows_the_figures_of_the_machines() -> None:
    text = table.PAGE.read_text("utf-8")

    assert table.page(text, table.machines()) == text


def test_a_processor_is_named_with_family_and_model() -> None:
    assert processor_name(XEON) == "Intel(R) Xeon(R) Processor (family 6, model 207)"


def test_a_processor_without_a_name_is_named_by_its_kind() -> None:
    assert processor_name("processor\t: 0\nBogoMIPS\t: 50.00\n")
