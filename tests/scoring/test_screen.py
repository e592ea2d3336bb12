"""What the command line prints for people."""

import json
from dataclasses import replace

import pytest

from scoring.report import accepted_or_scored
from scoring.screen import Screen
from tests.examples import scored_report


def test_a_breakdown_is_printed_by_label_and_by_group(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(quiet=True).show(accepted_or_scored(scored_report()))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["label", "0", "2", "3", "0.6667"] in lines
    assert ["group", "night", "1", "1", "1.0000"] in lines


def test_a_label_is_printed_with_the_name_of_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(quiet=True).show(accepted_or_scored(scored_report(), class_names=("[red]cat", "dog")))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["label", "0", "[red]cat", "2", "3", "0.6667"] in lines


def test_what_was_applied_to_a_package_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    applied = {"channel_order": "BGR (the package's)", "architecture": "[red]net"}

    Screen(quiet=True).show(accepted_or_scored(replace(scored_report(), applied=applied)))

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"channel order BGR (the package's)", "architecture [red]net"} <= set(lines)


def test_a_report_of_before_breakdowns_is_printed_without(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = json.loads(json.dumps(accepted_or_scored(scored_report())))
    del outcome["breakdown"], outcome["class_names"]

    Screen(quiet=True).show(outcome)

    assert "label" not in capsys.readouterr().out
