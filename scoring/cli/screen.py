"""How the command line shows a report: progress, verdict, findings, usage and scores, in colour."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from scoring.contracts import Precision, Stage
from scoring.reports.counts import CountRow, count_rows, counted_in_words
from scoring.reports.figures import detail_in_words, latency_in_words, percent

if TYPE_CHECKING:
    from scoring.cli.doctor import Condition

DECIMALS: Final = 6
COLOURS = {"accepted": "green", "scored": "green", "rejected": "red", "fault": "yellow"}
STAGES = {
    Stage.INTAKE: "unpacking",
    Stage.INSPECT: "looking at the files",
    Stage.MEASURE: "measuring on sample images",
    Stage.ENFORCE: "comparing with the budgets",
    Stage.PREDICT: "predicting",
    Stage.METRIC: "computing the score",
}


class Screen:
    """Prints for people; progress goes to stderr, so that stdout holds only the result."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=quiet,
        )
        self._stage: Stage | None = None

    def __enter__(self) -> Self:
        """Begin to show progress."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the progress line away."""
        self._progress.stop()

    def note(self, stage: Stage) -> None:
        """Show the stage that runs now."""
        if stage is self._stage:
            return
        self._stage = stage
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(STAGES[stage])

    def show(self, outcome: dict[str, Any]) -> None:
        """Print a report."""
        verdict = outcome["verdict"]
        code = f" ({outcome['code']})" if outcome["code"] else ""
        self._console.print(f"[bold {COLOURS[verdict]}]{verdict}[/]{code}")
        if outcome.get("format"):
            self._show_format(outcome["format"], outcome.get("not_formats", {}))
        if verdict == "fault":
            self._console.print(escape(outcome["message"]))
        self._show_findings(outcome["findings"])
        if outcome.get("plan"):
            self._console.print(f"plan {outcome['plan']}")
        self._show_applied(outcome.get("applied") or {})
        if outcome.get("usage"):
            self._show_usage(outcome["usage"], outcome.get("max_latency_ms"))
        self._show_scores(outcome["scores"], "")
        self._show_scores(outcome["private_scores"], " (private)")
        self._show_quantised(outcome.get("quantised"))
        self._show_breakdown(outcome.get("breakdown") or {}, outcome.get("class_names") or [])
        if outcome["isolated"] is False:  # None: nothing ran
            self._console.print("[yellow]This run was not isolated (--trust).[/]")

    def show_log(self, log: str) -> None:
        """Print what the entry wrote in the measure stage."""
        if log:
            self._console.print("\n[bold]Log[/]")
            self._console.print(log, markup=False, end="" if log.endswith("\n") else "\n")

    def show_conditions(self, conditions: Iterable[Condition]) -> None:
        """Print the doctor's findings."""
        for condition in conditions:
            mark = "[green]ok     [/]" if condition.ok else "[red]missing[/]"
            self._console.print(f"{mark} {escape(condition.name)}: {escape(condition.found)}")
            if not condition.ok:
                self._console.print(f"        {escape(condition.remedy)}")

    def _show_format(self, found: str, others: dict[str, str]) -> None:
        self._console.print(f"recognised as [bold]{found}[/]")
        for name, why in others.items():
            self._console.print(f"  not {name}: {escape(why)}", style="dim")

    def _show_findings(self, findings: list[dict[str, Any]]) -> None:
        for finding, following in zip_longest(findings, findings[1:]):
            colour = "yellow" if finding["warning"] else "red"
            # Many messages begin with the file's name.
            is_named = not finding["path"] or finding["message"].startswith(finding["path"])
            place = "" if is_named else f" [bold]{escape(finding['path'])}[/]"
            self._console.print(f"[{colour}]{finding['code']}[/]{place}: {escape(finding['message'])}")
            if following is None or following["hint"] != finding["hint"]:
                self._console.print(f"  {escape(finding['hint'])}", style="dim")

    def _show_applied(self, applied: dict[str, str]) -> None:
        if not applied:
            return
        table = Table("applied", "", show_header=False, box=None, padding=(0, 2, 0, 0))
        for name, words in applied.items():
            table.add_row(name.replace("_", " "), escape(words))
        self._console.print("applied to this package:")
        self._console.print(table)

    def _show_usage(self, usage: dict[str, Any], max_latency_ms: float | None) -> None:
        table = Table("usage", "", show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_row("parameters", f"{usage['parameters']:,} ({usage['trainable_parameters']:,} trainable)")
        table.add_row("MACs", f"{usage['macs']:,}")
        for row in count_rows(usage):
            table.add_row("", _count_in_words(row))
        if counted := counted_in_words(usage):
            table.add_row("counted", escape(counted))
        table.add_row("package", f"{usage['package_bytes']:,} bytes")
        if usage["cpu_s_per_sample"] is not None:
            table.add_row("CPU time", f"{usage['cpu_s_per_sample']:.4f} s per sample")
        if usage.get("latency_p50_ms") is not None:
            p50_ms, p95_ms = usage["latency_p50_ms"], usage["latency_p95_ms"]
            table.add_row("latency", latency_in_words(p50_ms, p95_ms, max_latency_ms))
        self._console.print(table)

    def _show_scores(self, scores: dict[str, Any], note: str) -> None:
        for name, value in scores.items():
            low, high = value["ci"]
            details = "".join(
                f", {key} {detail_in_words(key, number, DECIMALS)}"
                for key, number in value["details"].items()
            )
            interval = f"95% interval {low:.{DECIMALS}f} to {high:.{DECIMALS}f}{details}"
            self._console.print(f"[bold green]{name}{note} {value['value']:.{DECIMALS}f}[/] ({interval})")

    def _show_quantised(self, quantised: dict[str, Any] | None) -> None:
        if not quantised:
            return
        precision = quantised["precision"]
        self._show_scores(quantised["scores"], f" in {precision}")
        self._show_scores(quantised["private_scores"], f" in {precision} (private)")
        self._console.print(
            f"drop in {precision}: {quantised['drop_points']:.2f} points of at most "
            f"{quantised['max_drop_points']:g} (calibrated on {quantised['calibration_samples']:,} samples, "
            f"{percent(quantised['share_in_8_bits'])} of the MACs in {Precision(precision).bits} bits)"
        )

    def _show_breakdown(self, breakdown: dict[str, Any], class_names: list[str]) -> None:
        names = {str(number): f"{number} {name}" for number, name in enumerate(class_names)}
        parts = [
            *((f"label {names.get(label, label)}", share) for label, share in _shares(breakdown, "by_label")),
            *((f"group {name}", share) for name, share in _shares(breakdown, "by_group")),
        ]
        if not parts:
            return
        table = Table("part", "right", "samples", "accuracy", box=None, padding=(0, 2, 0, 0))
        for name, share in parts:
            # Tracks that tell shares in steps tell no counts.
            correct = "" if share["correct"] is None else f"{share['correct']:,}"
            table.add_row(escape(name), correct, f"{share['samples']:,}", f"{share['accuracy']:.4f}")
        self._console.print(table)


def _count_in_words(row: CountRow) -> str:
    """Return one counter's number, how far it is from the exact one and why, and whether it applies."""
    macs = "failed" if row.macs is None else f"{row.macs:,}"
    notes = ", ".join(filter(None, (row.beside, row.why, "applies" if row.applies else "")))
    return escape(f"{row.counter} {macs}{f' ({notes})' if notes else ''}")


def _shares(breakdown: dict[str, Any], kind: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """Return the parts of one kind; reports of before there were any have none."""
    return breakdown.get(kind, {}).items()
