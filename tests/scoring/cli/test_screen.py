"""What the command line prints for people."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scoring.cli.screen import Screen
from scoring.contracts import Finding, Format, Metric, Package
from scoring.errors import Rejected
from scoring.reports.figures import beside_gate, exactly, percent
from scoring.reports.report import accepted_or_scored, rejected
from tests.examples import quantised_scores, score_value, scored_report


def test_a_breakdown_is_printed_by_label_and_by_group(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(quiet=True).show(accepted_or_scored(scored_report()))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["label", "0", "2", "3", "0.6667"] in lines
    assert ["group", "night", "1", "1", "1.0000"] in lines


def test_a_share_in_steps_is_printed_without_its_count(capsys: pytest.CaptureFixture[str]) -> None:
    told = accepted_or_scored(scored_report())
    told["breakdown"]["by_label"]["0"] |= {"correct": None, "accuracy": 0.5}

    Screen(quiet=True).show(told)

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["label", "0", "3", "0.5000"] in lines


def test_counts_are_printed_with_reasons_and_the_one_that_applies(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"graph": 100, "ptflops": 110, "fvcore": None}
    usage = replace(
        scored_report().usage, macs=100, macs_by_counter=counts, binding_counter="graph", captured=True
    )

    Screen(quiet=True).show(accepted_or_scored(replace(scored_report(), usage=usage)))

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"MACs 100", "graph 100 (exact, applies)", "fvcore failed"} <= set(lines)
    assert any(line.startswith("ptflops 110 (+10.0%, ptflops adds biases") for line in lines)
    assert "counted from the graph that predicts" in lines


def test_an_entry_that_was_not_captured_is_printed_as_counted_by_running_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = replace(scored_report().usage, captured=False, not_captured="[red]numpy")

    Screen(quiet=True).show(accepted_or_scored(replace(scored_report(), usage=usage)))

    text = " ".join(capsys.readouterr().out.split())
    assert "counted by running it, because it could not be captured as a graph: [red]numpy" in text


def test_a_label_is_printed_with_the_name_of_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(quiet=True).show(accepted_or_scored(scored_report(), class_names=("[red]cat", "dog")))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["label", "0", "[red]cat", "2", "3", "0.6667"] in lines


def test_what_was_applied_to_a_package_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    applied = {"channel_order": "BGR (the package's)", "architecture": "[red]net"}

    Screen(quiet=True).show(accepted_or_scored(replace(scored_report(), applied=applied)))

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"channel order BGR (the package's)", "architecture [red]net"} <= set(lines)


def test_a_second_score_is_printed_with_what_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    second = quantised_scores(0.85, of=0.9, private=0.7)

    Screen(quiet=True).show(accepted_or_scored(replace(scored_report(0.9), quantised=second)))

    text = " ".join(capsys.readouterr().out.split())
    assert "accuracy in w8a8 0.850000" in text
    assert "accuracy in w8a8 (private) 0.700000" in text
    assert "drop in w8a8: 5.00 points of at most 10 (calibrated on 100 samples, 98.7% of the MACs" in text


def test_a_score_and_all_beside_it_are_printed_with_as_many_decimals(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counted = replace(score_value(0.75), ci=(0.5, 1.0), details={"iou_0": 0.5, "pixels": 1_234_567.0})

    Screen(quiet=True).show(accepted_or_scored(replace(scored_report(), scores={Metric.MIOU: counted})))

    text = " ".join(capsys.readouterr().out.split())
    assert "miou 0.750000 (95% interval 0.500000 to 1.000000, iou_0 0.500000, pixels 1,234,567)" in text


@pytest.mark.parametrize(("share", "shown"), [(1.0, "100%"), (0.99999, "99.9%"), (0.5, "50%"), (0.0, "0%")])
def test_a_share_is_rounded_down(share: float, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("found", "allowed", "shown"),
    [
        (1.23, 35, "1.2"),
        (34.96, 35, "35.0"),
        (35.0, 35, "35.0"),
        (35.04, 35, "35.04"),
        (2.26, 2.25, "2.3"),
        (2.2503, 2.25, "2.3"),
        (2.2496, 2.2499, "2.2"),
        (2.95, 2.949, "3.0"),
        (2.93, 2.91, "2.93"),
        (1.0 + 1e-12, 1, "1.000000000001"),
    ],
)
def test_a_number_is_rounded_to_its_own_side_of_the_gate(found: float, allowed: float, shown: str) -> None:
    assert beside_gate(found, allowed) == shown


@pytest.mark.parametrize(("number", "shown"), [(2.25, "2.25"), (35.0, "35"), (3_600_000.0, "3600000")])
def test_a_gate_is_shown_as_it_was_set(number: float, shown: str) -> None:
    assert exactly(number) == shown


@pytest.mark.parametrize(
    ("max_latency_ms", "line"),
    [
        (None, "latency 1.2 ms median, 4.4 ms for 95%"),
        (2.25, "latency 1.2 ms median of at most 2.25 ms (inside the gate), 4.4 ms for 95%"),
        (1.2, "latency 1.21 ms median of at most 1.2 ms (outside the gate), 4.4 ms for 95%"),
    ],
)
def test_a_latency_is_printed_beside_the_gate(
    max_latency_ms: float | None, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = replace(scored_report().usage, latency_p50_ms=1.21, latency_p95_ms=4.4)
    timed = replace(scored_report(), usage=usage)

    Screen(quiet=True).show(accepted_or_scored(timed, max_latency_ms=max_latency_ms))

    assert line in " ".join(capsys.readouterr().out.split())


def test_a_report_of_before_breakdowns_is_printed_without(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = json.loads(json.dumps(accepted_or_scored(scored_report())))
    del outcome["breakdown"], outcome["class_names"]

    Screen(quiet=True).show(outcome)

    assert "label" not in capsys.readouterr().out


def test_a_hint_that_findings_share_is_printed_once_and_no_path_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [
        Finding(code="invalid_config", path="mochi.json", facts={"why": why})
        for why in ("no name", "no type")
    ]
    missing = Finding(code="missing_file", path="a", facts={"expected": "b"})

    package = Package(
        format=Format.BYOM, root=tmp_path, main="m", package_bytes=1, not_formats={"onnx": "there is none"}
    )

    Screen(quiet=True).show(rejected(Rejected(*wrong, missing, package=package), track="t"))

    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["recognised as byom", "  not onnx: there is none"]
    assert lines.count("  Fix the file, then pack the archive again.") == 1
    assert "invalid_config: mochi.json: no type." in lines
    assert "missing_file a: b is missing." in lines
