"""How an entry was counted, in the words of reports."""

from __future__ import annotations

from typing import Any

import pytest

from scoring.reports.counts import count_rows, counted_in_words


def usage(**by_counter: int | None) -> dict[str, Any]:
    return {"macs_by_counter": by_counter, "binding_counter": "graph"}


def test_the_exact_count_stands_first_and_the_others_beside_it() -> None:
    rows = count_rows(usage(ptflops=110, fvcore=100, dispatch=None, graph=100))

    assert [(row.counter, row.macs, row.beside) for row in rows] == [
        ("graph", 100, "exact"),
        ("ptflops", 110, "+10.0%"),
        ("fvcore", 100, "equal"),
        ("dispatch", None, ""),
    ]


@pytest.mark.parametrize(("counter", "beside"), [("graph", "exact"), ("static", "exact"), ("dispatch", "")])
def test_a_count_of_a_run_is_not_called_exact(counter: str, beside: str) -> None:
    (row,) = count_rows(usage(**{counter: 7}))

    assert row.beside == beside


def test_a_reason_is_given_for_what_is_far_off_alone() -> None:
    rows = count_rows(usage(graph=1_000, ptflops=1_021, fvcore=1_020))

    assert [bool(row.why) for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    ("binding", "applies"), [("ptflops", "ptflops"), ("graph", "graph"), ("", "ptflops")]
)
def test_the_count_that_applies_is_marked_and_of_old_it_was_the_largest(binding: str, applies: str) -> None:
    rows = count_rows(usage(graph=100, ptflops=110) | {"binding_counter": binding})

    assert [row.counter for row in rows if row.applies] == [applies]


def test_a_report_of_old_does_not_say_whose_count_applied() -> None:
    rows = count_rows({"macs_by_counter": {"dispatch": 7, "ptflops": None}})

    assert [row.counter for row in rows if row.applies] == ["dispatch"]


@pytest.mark.parametrize("by_counter", [{}, {"dispatch": None}, {"ptflops": 7}])
def test_counts_without_an_exact_one_are_shown_as_they_are(by_counter: dict[str, int | None]) -> None:
    rows = count_rows({"macs_by_counter": by_counter, "binding_counter": "none"})

    assert [(row.counter, row.macs, row.beside) for row in rows] == [
        (name, macs, "") for name, macs in by_counter.items()
    ]


def test_a_counter_of_another_release_keeps_its_name() -> None:
    (row,) = count_rows({"macs_by_counter": {"mine": 7}})

    assert row.title == "mine"


@pytest.mark.parametrize(
    ("captured", "why", "words"),
    [
        (None, "", ""),
        (True, "", "from the graph that predicts"),
        (False, "", "by running it, because it could not be captured as a graph"),
        (False, "numpy", "by running it, because it could not be captured as a graph: numpy"),
    ],
)
def test_how_an_entry_was_counted_is_told(captured: bool | None, why: str, words: str) -> None:
    assert counted_in_words({"captured": captured, "not_captured": why}) == words


def test_nothing_is_told_of_how_where_the_report_is_too_old() -> None:
    assert counted_in_words({}) == ""
