"""Fields of a track that are younger than the migrations behind which tests go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from scoring.tracks import TrackDocument

YOUNG: Final[Mapping[str, tuple[str, ...]]] = {
    "input": (
        "decoder",
        "orientation",
        "resize",
        "crop",
        "interpolation",
        "antialias",
        "mix",
        "resampler",
        "peaks",
    ),
    "budgets": ("macs_counter", "capture"),
    "run_limits": ("processes",),
    "page": ("prizes", "breakdown", "free_rejections"),
    "quantisation": ("sensitive_percent",),
}


def as_of_old(document: TrackDocument) -> TrackDocument:
    """Return the document with young fields at their defaults: a database of old could not say otherwise."""
    spec = document.spec
    sections = {name: getattr(spec, name) for name in YOUNG if name != "page"}
    usual = {name: contract and _usual(name, contract) for name, contract in sections.items()}
    return replace(document, spec=replace(spec, **usual), page=_usual("page", document.page))


def without_young(section: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values of a section as far as there were columns for them."""
    return {name: value for name, value in columns.items() if name not in YOUNG.get(section, ())}


def _usual(section: str, contract: Any) -> Any:
    young = {field.name: field.default for field in fields(contract) if field.name in YOUNG[section]}
    return replace(contract, **young)
