"""Between a track document and a track's columns: the way back from `Track.document()`."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final

import yaml

from scoring.contracts import ArchiveLimits, Budgets, Quantisation, RunLimits
from scoring.tracks import TrackDocument, TrackPage, dump_track

SECTIONS: Final = {
    section: {field.name for field in fields(contract)}
    for section, contract in (
        ("budgets", Budgets),
        ("quantisation", Quantisation),
        ("archive_limits", ArchiveLimits),
        ("run_limits", RunLimits),
    )
}
PLACES: Final = {
    "input": "input_low",
    "input.reader": "reader",
    "input.shape": "input_shape",
    **{f"input.shape.{place}": "input_shape" for place in range(4)},
    "input.fit": "input_fit",
    "input.mean": "input_mean",
    "input.std": "input_std",
    "input.frame_rate": "frame_rate",
    "input.sample_rate": "sample_rate",
    "input.dtype": "input_dtype",
    "input.low": "input_low",
    "input.high": "input_high",
    "input.channel_order": "channel_order",
    "output": "output_width",
    "output.kind": "output_kind",
    "output.width": "output_width",
    "output.classes": "output_classes",
    "output.box_layout": "box_layout",
    "quantisation": "precision",
}
DIRECT: Final = (
    "slug",
    "name",
    "formats",
    "metric",
    "extra_metrics",
    *(field.name for field in fields(TrackPage)),
)


def columns_of(document: TrackDocument) -> dict[str, Any]:
    """Return the values of a track's columns that hold the document."""
    spec = document.spec
    quantisation = spec.quantisation or Quantisation()
    columns: dict[str, Any] = {
        "slug": spec.slug,
        "name": spec.name,
        "formats": [member.value for member in spec.formats],
        "reader": spec.input.reader.value,
        "input_shape": list(spec.input.shape),
        "input_fit": spec.input.fit.value,
        "input_mean": _as_list(spec.input.mean),
        "input_std": _as_list(spec.input.std),
        "frame_rate": spec.input.frame_rate,
        "sample_rate": spec.input.sample_rate,
        "input_dtype": spec.input.dtype.value,
        "input_low": spec.input.low,
        "input_high": spec.input.high,
        "channel_order": spec.input.channel_order.value,
        "output_kind": spec.output.kind.value,
        "output_width": spec.output.width,
        "output_classes": spec.output.classes,
        "box_layout": spec.output.box_layout.value if spec.output.box_layout else "",
        "class_names": list(spec.output.class_names),
        "metric": spec.metric.value,
        "extra_metrics": [metric.value for metric in spec.extra_metrics],
    }
    for section in (spec.budgets, quantisation, spec.archive_limits, spec.run_limits, document.page):
        columns |= asdict(section)
    columns["precision"] = spec.quantisation.precision.value if spec.quantisation else ""
    columns["private_scores"] = document.page.private_scores.value
    return columns


def as_json(document: TrackDocument) -> dict[str, Any]:
    """Return the document as plain JSON that `build_track` reads back to an equal one."""
    plain = yaml.safe_load(dump_track(document))
    return dict(json.loads(json.dumps(plain, default=_as_text)))


def column_of(place: str) -> str | None:
    """Return the column that a finding's place names (“output.width”), or None if it names no single one."""
    if place in PLACES:
        return PLACES[place]
    if place.startswith("output.class_names"):
        return "class_names"
    first, _, rest = place.partition(".")
    if first in SECTIONS and rest in SECTIONS[first]:
        return rest
    return first if first in DIRECT else None


def _as_list(values: tuple[float, ...] | None) -> list[float] | None:
    return None if values is None else list(values)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a track document holds no {type(value).__name__}")
