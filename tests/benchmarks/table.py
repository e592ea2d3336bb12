"""Writes figures as tables, for a terminal and for docs/performance.md: python -m tests.benchmarks.table.

The page shows what is in tests/benchmarks/machines: a JSON file that `make bench` wrote for each machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.benchmarks.figures import Figure, Outcome, Report
from tests.benchmarks.machine import ROOT, Machine

MACHINES: Final = ROOT / "tests" / "benchmarks" / "machines"
PAGE: Final = ROOT / "docs" / "performance.md"
PART: Final = re.compile(r"(<!-- measured -->\n).*?(<!-- end of what was measured -->)", re.DOTALL)
BUSY: Final = " *"
BUSY_MARKDOWN: Final = r" \*"


def as_text(report: Report) -> str:
    """Return the table of one run for a terminal, with what has to be said of single rows below it."""
    head = ("figure", "measured", "bound", "met", "rounds")
    rows = [head, *(row for outcome in report.outcomes for row in _text_rows(outcome))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    table.insert(1, "  ".join("-" * width for width in widths))
    missed = sum(not outcome.passed for outcome in report.outcomes)
    end = f"{len(report.outcomes)} benchmarks, {missed} of them failed or missed a bound."
    parts = [f"Measured on {on(report.machine)}", "", *(line.rstrip() for line in table)]
    return "\n".join([*parts, "", *_remarks(report), end])


def _text_rows(outcome: Outcome) -> Iterator[tuple[str, str, str, str, str]]:
    for figure in outcome.figures:
        name = f"{outcome.bench}: {figure.name}"
        mark = BUSY if outcome.busy and figure.of_time else ""
        yield name, f"{measured(figure)}{mark}", bound(figure), MET[figure.met], str(figure.rounds)
    if outcome.failed:
        yield f"{outcome.bench}: failed: {outcome.failed}", "", "", "no", ""


MET: Final = {True: "yes", False: "NO", None: ""}


def _remarks(report: Report) -> Iterator[str]:
    for outcome in report.outcomes:
        yield from (f"{outcome.bench}: {each.name}: {each.note}" for each in outcome.figures if each.note)
    busy = [each for each in report.outcomes if each.busy and any(figure.of_time for figure in each.figures)]
    if busy:
        names = ", ".join(f"{outcome.bench} {outcome.others:.1f}" for outcome in busy)
        yield f"*  Measured while others kept cores busy ({names}): measure again on a quiet machine."


def one_line(figure: Figure) -> str:
    """Return a figure in a line."""
    verdict = {True: " (met)", False: " (MISSED)", None: ""}[figure.met]
    return f"{figure.name}: {measured(figure)}{', ' if bound(figure) else ''}{bound(figure)}{verdict}"


def measured(figure: Figure) -> str:
    """Return the value with its unit."""
    return f"{_number(figure.value)} {figure.unit}".rstrip()


def bound(figure: Figure) -> str:
    """Return the bound in words."""
    words = (("at most", figure.at_most), ("at least", figure.at_least))
    return ", ".join(
        f"{word} {_number(limit)} {figure.unit}".rstrip() for word, limit in words if limit is not None
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def on(machine: Machine) -> str:
    """Return a machine in a line."""
    packages = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return (
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gb:g} GiB, {machine.system};"
        f" {packages}; revision {machine.revision or 'unknown'}"
    )


def as_markdown(reports: Sequence[Report]) -> str:
    """Return the table of several machines, a column each, and what there is to say of each machine."""
    rows = dict.fromkeys(
        (outcome.bench, figure.name)
        for report in reports
        for outcome in report.outcomes
        for figure in outcome.figures
    )
    titles = " | ".join(short(report.machine) for report in reports)
    lines = [f"| Figure | Bound | {titles} |", f"|---|---|{'---|' * len(reports)}"]
    lines += [_markdown_row(bench, name, reports) for bench, name in rows]
    return "\n".join([*lines, *(line for report in reports for line in _about(report))])


def short(machine: Machine) -> str:
    """Return what a machine is called in the head of a column."""
    name = re.sub(r"\((?:R|TM)\)", "", machine.processor)
    return f"{name}, {machine.cores} cores"


def _markdown_row(bench: str, name: str, reports: Sequence[Report]) -> str:
    found = [_figure(report, bench, name) for report in reports]
    limits = next(bound(each[0]) for each in found if each)
    cells = [_cell(*each) if each else "" for each in found]
    return f"| {name} | {limits} | {' | '.join(cells)} |"


def _figure(report: Report, bench: str, name: str) -> tuple[Figure, Outcome] | None:
    for outcome in report.outcomes:
        for figure in outcome.figures:
            if (outcome.bench, figure.name) == (bench, name):
                return figure, outcome
    return None


def _cell(figure: Figure, outcome: Outcome) -> str:
    text = measured(figure) if figure.met is not False else f"**{measured(figure)}**, missed"
    return f"{text}{BUSY_MARKDOWN if outcome.busy and figure.of_time else ''}"


def _about(report: Report) -> Iterator[str]:
    yield from ("", f"### {short(report.machine)}", "", f"{on(report.machine)}; {report.started[:10]}.", "")
    for outcome in report.outcomes:
        yield from (f"- {figure.name}: {figure.note}" for figure in outcome.figures if figure.note)
        if outcome.failed:
            yield f"- `{outcome.bench}` failed: {outcome.failed}"


def page(text: str, reports: Sequence[Report]) -> str:
    """Return docs/performance.md with its table as it must be."""
    return PART.sub(lambda mark: f"{mark[1]}\n{as_markdown(reports)}\n\n{mark[2]}", text)


def machines() -> list[Report]:
    """Read the runs that the page shows."""
    return [Report.from_json(json.loads(path.read_text("utf-8"))) for path in sorted(MACHINES.glob("*.json"))]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8"), machines()), "utf-8")
