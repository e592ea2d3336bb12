"""The thresholds of a BYOM package: three documents' sections may state them, under two names for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scoring.contracts import Finding, OutputKind
from scoring.packages.byom.agreement import Stated
from scoring.packages.byom.documents import MANIFEST, MOCHI, Mapping, problem, shown
from scoring.packages.byom.fields import first_stage, is_number

# What a threshold may be called; mochi.json has another word for that of anomalies.
THRESHOLDS: Final = {
    "threshold": ("threshold", "anomaly_threshold"),
    "confidence_threshold": ("confidence_threshold",),
    "nms_threshold": ("nms_threshold",),
}
THRESHOLD_KEYS: Final = tuple(key for keys in THRESHOLDS.values() for key in keys)
SHARES: Final = frozenset({"confidence_threshold", "nms_threshold"})
TWO_COLUMNS: Final = 2


def threshold_findings(
    mochi: Mapping, manifest: Mapping, output: OutputKind, columns: int | None
) -> Iterator[Finding]:
    """Yield thresholds that are no numbers of their kind, or not the same wherever they stand."""
    softmaxed = _after(manifest).get("type") == "softmax"
    softmaxed |= output is OutputKind.CONFIDENCE and columns == TWO_COLUMNS
    for name in THRESHOLDS:
        is_share = name in SHARES or softmaxed
        stated = _stated(name, mochi, manifest)
        for each in stated:
            if not is_number(each.value) or (is_share and not 0 <= each.value <= 1):
                wanted = "a number from 0 to 1" if is_share else "a number"
                yield problem(each.document, f"Invalid {name}: {shown(each.value)}. Must be {wanted}")
        others = [each for each in stated if each.value != stated[0].value]
        if others:
            told = ", ".join(f"{shown(each.value)} in {each.place}" for each in stated)
            yield problem(others[0].document, f"{name} differs: {told}")


def read_thresholds(mochi: Mapping, manifest: Mapping) -> dict[str, float]:
    """Return what checked documents state."""
    stated = {name: _stated(name, mochi, manifest) for name in THRESHOLDS}
    return {name: float(values[0].value) for name, values in stated.items() if values}


def _stated(name: str, mochi: Mapping, manifest: Mapping) -> list[Stated]:
    sections = (
        (MOCHI, "mochi.json 'stages[0]", first_stage(mochi)),
        (MANIFEST, "manifest.json 'model_graph.stages[0]", first_stage(manifest.get("model_graph"))),
        (MANIFEST, "manifest.json 'postprocessing", _after(manifest)),
    )
    return [
        Stated(document, f"{place}.{key}'", section[key])
        for document, place, section in sections
        for key in THRESHOLDS[name]
        if section.get(key) is not None
    ]


def _after(manifest: Mapping) -> Mapping:
    after = manifest.get("postprocessing")
    return after if isinstance(after, dict) else {}
