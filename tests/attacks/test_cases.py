"""The folders say what they must, and the page on security lists them."""

from __future__ import annotations

import pytest

from scoring.codes import CODES
from tests.attacks import table
from tests.attacks.cases import BAD_REQUEST, FAMILIES, HERE, LAYERS, PASSED, RUNS, Case, all_cases

LEAST_CASES = 60
LEAST_OF_A_FAMILY = 10

each_case = pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)


@each_case
def test_a_case_is_named_for_its_family_and_runs_a_command(case: Case) -> None:
    assert (case.family in FAMILIES, case.run in RUNS) == (True, True)


@each_case
def test_a_case_says_in_one_sentence_what_the_attacker_wants(case: Case) -> None:
    assert case.wants.endswith(".")
    assert 20 <= len(case.wants) <= 160


@each_case
def test_two_layers_stop_an_attack(case: Case) -> None:
    assert len(set(case.layers)) == 2
    assert set(case.layers) <= LAYERS.keys()


@each_case
def test_a_case_ends_in_known_ways(case: Case) -> None:
    """A fault is ours: what an entrant does must never end as one."""
    assert case.ends
    known = {BAD_REQUEST} if case.run == "request" else CODES.keys() | PASSED
    assert set(case.ends) <= known or case.pending


@each_case
def test_a_case_counts_and_scores_only_where_it_may_pass(case: Case) -> None:
    may_pass = bool(set(case.ends) & PASSED)

    assert case.score is None or (may_pass and case.run == "score")
    assert set(case.counted) <= {"parameters", "macs"}


@each_case
def test_a_case_has_an_entry_or_requests(case: Case) -> None:
    files = {path.name for path in case.folder.iterdir()} - {"case.yaml", "__pycache__"}

    assert bool(files or case.entry) != bool(case.requests)


def test_every_layer_stops_something() -> None:
    assert {layer for case in all_cases() for layer in case.layers} == LAYERS.keys()


def test_every_folder_is_a_case() -> None:
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert folders == {case.name for case in all_cases()}


def test_there_are_cases_enough() -> None:
    families = [case.family for case in all_cases()]

    assert len(families) >= LEAST_CASES
    assert all(families.count(family) >= LEAST_OF_A_FAMILY for family in FAMILIES)


def test_the_page_of_attacks_is_up_to_date() -> None:
    """To renew it: python -m tests.attacks.table."""
    assert table.PAGE.read_text("utf-8") == table.page()
