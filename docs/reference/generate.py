"""Writes what the reference pages take from the code: python docs/reference/generate.py.

codes.md is whole from the table of codes. tracks.md and metrics.md are written by hand, except
for what stands between marks: the tables of fields, and what the metrics declare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING
from datetime import datetime
from enum import StrEnum
from math import isinf
from pathlib import Path

from scoring.codes import CODES, Code
from scoring.contracts import METRIC_FACTS, Metric, MetricFacts
from scoring.contracts.fields import Group, TrackField, Unit
from scoring.tracks.fields import TRACK_FIELDS, TrackFields, meaning

REFERENCE = Path(__file__).parent
METRICS = re.compile(r"(<!-- (?P<part>metrics|sources) -->\n).*?(<!-- end of the (?P=part) -->)", re.DOTALL)
FIELDS = re.compile(r"(<!-- fields: (?P<part>[^>]+) -->\n).*?(<!-- end of the fields -->)", re.DOTALL)
INTRODUCTION = """# Codes

<!-- Written by docs/reference/generate.py from scoring/codes.py; do not edit. -->

Codes are stable names: pages, the API, the command line and logs all use them. In an actual message, the entry's
numbers and names take the place of “…”.
"""


def codes_page() -> str:
    """Return the page as it must be."""
    rejections = {name: code for name, code in CODES.items() if not code.warning}
    warnings = {name: code for name, code in CODES.items() if code.warning}
    return "\n".join(
        (INTRODUCTION, *_table("Refusals and rejections", rejections), "", *_table("Warnings", warnings), "")
    )


def _table(title: str, codes: dict[str, Code]) -> Iterator[str]:
    yield from (f"## {title}", "", "| Code | Says | Hint |", "|---|---|---|")
    for name, code in codes.items():
        yield f"| `{name}` | {_readable(code.message)} | {_readable(code.hint)} |"


def _readable(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "…", template).replace("|", "\\|")


def tracks_page(text: str, described: TrackFields = TRACK_FIELDS) -> str:
    """Return the page of the track's fields with its tables as they must be."""
    parts = {section.name: section.fields for section in described.sections}
    parts |= {group.value: described.of_group(group) for group in Group}
    return FIELDS.sub(lambda mark: mark[1] + "".join(_fields_table(parts[mark["part"]])) + mark[3], text)


def _fields_table(fields: tuple[TrackField, ...]) -> Iterator[str]:
    yield "| Field | Allowed | Default | Means |\n|---|---|---|---|\n"
    for field in fields:
        cells = (f"`{field.name}`", _allowed(field), _default(field), meaning(field))
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _allowed(field: TrackField) -> str:
    """Return a field's type and bounds in words."""
    if field.item is None:
        return _kind(field.type, field, ("a time with its zone", "text", "a whole number", "a number"))
    some = "one or more of " if field.about.needs_an_item else "any of " if _is_choice(field.item) else ""
    words = some + _kind(field.item, field, ("times", "texts", "whole numbers", "numbers"))
    return words + (", or `null`" if field.has_open_items else "")


def _is_choice(kind: type) -> bool:
    return issubclass(kind, StrEnum)


def _kind(kind: type, field: TrackField, words: tuple[str, str, str, str]) -> str:
    if kind is Metric:
        return "a [metric](metrics.md)" if field.item is None else "the [metrics](metrics.md)"
    if _is_choice(kind):
        return ", ".join(f"`{member}`" for member in kind)
    time, text, whole, number = words
    if issubclass(kind, datetime):
        return time
    if kind is bool:
        return "`true` or `false`"
    if issubclass(kind, str):
        longest = field.about.max_length
        return f"{text} of at most {longest} characters" if longest else text
    return " ".join(filter(None, (whole if kind is int else number, _bounds(field))))


def _bounds(field: TrackField) -> str:
    about = field.about
    is_whole = int in (field.type, field.item)
    highest = about.below - 1 if is_whole and about.below is not None else about.at_most
    below = "" if is_whole else _number(about.below, "below {}")
    if about.at_least is not None and highest is not None:
        return f"from {about.at_least:.0f} to {highest:.0f}"
    low = _number(about.at_least, "of at least {}") or _number(about.above, "above {}")
    high = _number(highest, "at most {}") or below
    return " and ".join(filter(None, (low, high)))


def _number(bound: float | None, words: str) -> str:
    return "" if bound is None else words.format(f"{bound:.0f}")


def _default(field: TrackField) -> str:
    if field.default is MISSING:
        return "required"
    if field.default in (None, "", ()):
        return field.about.empty
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    size = f" ({field.default / 2**20:g} MiB)" if field.about.unit is Unit.BYTES else ""
    return f"`{value}`{size}"


def metrics_page(text: str, table: Mapping[Metric, MetricFacts] = METRIC_FACTS) -> str:
    """Return the page of metrics with its table and its list of sources as they must be."""
    lines = {"metrics": _metric_rows(table), "sources": _metric_sources(table)}
    return METRICS.sub(lambda mark: mark[1] + "".join(lines[mark["part"]]) + mark[3], text)


def _metric_rows(table: Mapping[Metric, MetricFacts]) -> Iterator[str]:
    yield "| Metric | Output | Better | Range | Version | Formula | Interval |\n|---|---|---|---|---|---|---|\n"
    for metric, facts in table.items():
        output = f"`{facts.output}`, also one" if facts.one_logit else f"`{facts.output}`"
        better = "higher" if facts.higher_is_better else "lower"
        least, greatest = facts.bounds
        values = f"{least:g} and above" if isinf(greatest) else f"{least:g} to {greatest:g}"
        cells = (f"`{metric}`", output, better, values, facts.version, facts.words, facts.interval)
        yield f"| {' | '.join(cells)} |\n"


def _metric_sources(table: Mapping[Metric, MetricFacts]) -> Iterator[str]:
    for source in dict.fromkeys(facts.source for facts in table.values()):
        metrics = ", ".join(f"`{metric}`" for metric, facts in table.items() if facts.source == source)
        yield f"- {metrics}: {source}\n"


if __name__ == "__main__":
    (REFERENCE / "codes.md").write_text(codes_page(), encoding="utf-8")
    tracks = REFERENCE / "tracks.md"
    tracks.write_text(tracks_page(tracks.read_text("utf-8")), encoding="utf-8")
    metrics = REFERENCE / "metrics.md"
    metrics.write_text(metrics_page(metrics.read_text("utf-8")), encoding="utf-8")
