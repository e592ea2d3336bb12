"""Runs every golden entry as far as its stage says and compares verdict, codes and numbers.

`stage: static` unpacks, recognises, checks and counts; `measure` adds the sandbox on sample inputs;
`predict` is the whole flow on a small labelled dataset. The last two take a sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoring.budget.enforce import enforce_static
from scoring.budget.static import count
from scoring.codes import CODES
from scoring.contracts import Capture, Finding, Format, Quantisation, TrackSpec, Verdict
from scoring.errors import Rejected, render_all
from scoring.flow import pipeline
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.packages import FORMATS
from scoring.sandbox.base import Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.forked.sandbox import quick_sandbox
from tests.golden.build import build_entry
from tests.golden.media import DATA, PLAIN
from tests.golden.texts import FACTS

HERE = Path(__file__).parent
CASES = {path.parent.name: yaml.safe_load(path.read_text()) for path in sorted(HERE.glob("*/case.yaml"))}
STATIC = [name for name, case in CASES.items() if case["stage"] == "static"]
SANDBOXED = [name for name, case in CASES.items() if case["stage"] != "static"]
IN_BUBBLEWRAP = frozenset(
    (
        # What the entry tries, or what stops it, is the sandbox's own business.
        "rejected_byom_pickled_module",
        "rejected_closes_its_reply",
        "rejected_endless_loop",
        "rejected_fast_behind_an_offset",
        "rejected_fast_for_the_clock_only",
        "rejected_forges_its_reply",
        "rejected_kept_from_the_quantiser",
        "rejected_qaihub_download",
        "rejected_writes_beside_model",
        # It looks at its request where the real sandbox shows it.
        "scored_another_model_for_the_export",
        # What is timed should stand alone.
        "scored_inside_the_latency_gate",
        "scored_outside_the_latency_gate",
        # One way through it for each format, and one that ends in 8 bits.
        "accepted_byom_traced",
        "accepted_gasbench_onnx",
        "scored_brightness",
        "scored_gasbench",
        "scored_in_8_bits",
        "scored_qaihub_with_siblings",
    )
)
"""Cases that the real sandbox runs; where isolation plays no part, children are forked."""
IMAGES = 6


@dataclass(frozen=True)
class Ending:
    """How an entry ended, in the words of a case file."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    facts: Mapping[str, object]


def track_of(case: Mapping[str, Any]) -> TrackSpec:
    """Return the preset with what the case changes; a second score only where the case asks for one."""
    spec = load_track(case["track"]).spec
    budgets = dict(case.get("budgets", {}))
    if "capture" in budgets:
        budgets["capture"] = Capture(budgets["capture"])
    return replace(
        spec,
        formats=tuple(Format(name) for name in case.get("formats", spec.formats)),
        archive_limits=replace(spec.archive_limits, **case.get("limits", {})),
        budgets=replace(spec.budgets, **budgets),
        run_limits=replace(spec.run_limits, **case.get("run_limits", {})),
        quantisation=Quantisation(**case["quantisation"]) if "quantisation" in case else None,
    )


def labelled(case: Mapping[str, Any], track: TrackSpec, folder: Path) -> Path:
    """Make the dataset that the case is scored on."""
    folder.mkdir()
    return DATA[case.get("data", PLAIN[track.input.reader])](folder, case["labels"])


def examine(entry: Path, track: TrackSpec, workdir: Path) -> Ending:
    """Do what the flow does before the sandbox."""
    unpacked = unpack(entry, destination=workdir / "package", limits=track.archive_limits)
    package = recognise(unpacked, allowed=track.formats, formats=FORMATS)
    warnings = FORMATS[package.format].check(package, track)
    settled = FORMATS[package.format].settle(package, track)
    counts = count(package, settled.track, stated=settled.counts)
    enforce_static(counts, package, track.budgets)
    facts = {
        "format": package.format,
        "package_bytes": package.package_bytes,
        "parameters": counts.parameters,
        "macs": counts.macs,
        "uncounted_ops": list(counts.uncounted_ops),
        "shape": list(settled.track.input.shape),
    }
    return Ending(Verdict.ACCEPTED, (*package.warnings, *warnings, *settled.warnings), facts)


def run(entry: Path, case: Mapping[str, Any], workdir: Path, sandbox: Sandbox) -> Ending:
    """Do the flow through a sandbox."""
    track = track_of(case)
    if case["stage"] == "measure":
        report = pipeline.check(entry, track, sandbox=sandbox, workdir=workdir, note=lambda stage: None)
    else:
        report = pipeline.score(
            entry,
            track,
            data=labelled(case, track, workdir.parent / "data"),
            benchmark=None,
            cache=workdir.parent / "cache",
            sandbox=sandbox,
            workdir=workdir,
            note=lambda stage: None,
        )
    scores = {name: score.value for name, score in report.scores.items()}
    facts = {"format": report.format, "samples": report.samples, **scores, **vars(report.usage)}
    if report.quantised:
        again = {f"w8a8_{name}": score.value for name, score in report.quantised.scores.items()}
        facts = {**facts, **vars(report.quantised), **again}
    return Ending(report.verdict, report.warnings, facts)


def compare(name: str, ending: Ending) -> None:
    case = CASES[name]
    rendered = render_all(ending.findings)
    assert (ending.verdict, [finding.code for finding in ending.findings]) == (
        Verdict(case["verdict"]),
        case.get("codes", []),
    ), rendered
    for finding in ending.findings:
        # The whole texts that are reviewed have the facts of real refusals.
        assert FACTS[finding.code].keys() <= {"path", *finding.facts}
    expected = case.get("facts", {})
    assert {key: ending.facts.get(key) for key in expected} == expected


def ending_of(name: str, tmp_path: Path) -> Ending:
    case = CASES[name]
    entry = build_entry(case, HERE / name, tmp_path)
    workdir = tmp_path / "work"
    workdir.mkdir()
    try:
        if case["stage"] == "static":
            return examine(entry, track_of(case), workdir)
        return run(entry, case, workdir, BubblewrapSandbox() if name in IN_BUBBLEWRAP else quick_sandbox())
    except Rejected as refused:
        first = refused.findings[0]
        told = (*refused.findings, *refused.warnings)
        return Ending(Verdict.REJECTED, told, {"path": first.path, **first.facts})


@pytest.mark.parametrize("name", STATIC)
def test_entry_ends_as_its_case_says(name: str, tmp_path: Path) -> None:
    compare(name, ending_of(name, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SANDBOXED if name not in IN_BUBBLEWRAP])
def test_entry_ends_in_a_child_as_its_case_says(name: str, tmp_path: Path) -> None:
    compare(name, ending_of(name, tmp_path))


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(IN_BUBBLEWRAP))
def test_entry_ends_in_the_sandbox_as_its_case_says(name: str, tmp_path: Path) -> None:
    compare(name, ending_of(name, tmp_path))


@pytest.mark.parametrize("name", CASES)
def test_folder_is_named_for_its_verdict(name: str) -> None:
    assert name.partition("_")[0] == CASES[name]["verdict"]


def test_at_least_half_of_the_cases_are_failures() -> None:
    rejected = [case for case in CASES.values() if case["verdict"] == "rejected"]

    assert 2 * len(rejected) >= len(CASES)


def test_every_code_of_archives_and_packages_has_a_case() -> None:
    names = list(CODES)
    expected = set(names[names.index("not_an_archive") : names.index("parameters_over_budget")])

    assert expected <= {code for case in CASES.values() for code in case.get("codes", [])}
