"""What of a BYOM package's settings is done before and after its model, in words that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from scoring.contracts import (
    CONFIDENCE_THRESHOLD,
    MAX_BOXES,
    NMS_THRESHOLD,
    BoxLayout,
    Dtype,
    InputContract,
    Metric,
    OutputKind,
    TrackSpec,
)
from scoring.packages.byom.documents import shown
from scoring.packages.byom.processing import Processing

TWO_COLUMNS: Final = 2


def applied(track: TrackSpec, processing: Processing, options: Mapping[str, object]) -> dict[str, str]:
    """Return each step and what it does; `track` and `options` are as the package settled them."""
    facts = {
        **_before(track.input, processing),
        "batch": f"{options['batch']} as stated; larger batches if the answers stay the same",
        "postprocessing": _after(track, processing.postprocessing, options),
        **dict(_thresholds(track, processing.thresholds)),
    }
    architecture = options.get("architecture")
    if architecture is None:
        return facts
    return {**facts, "architecture": f"{shown(architecture)}, for a state dict"}


def _before(contract: InputContract, processing: Processing) -> dict[str, str]:
    _, height, width = contract.sides()
    whose = "the track's" if processing.channel_order is None else "the package's"
    raw = ", as stored" if contract.dtype is Dtype.UINT8 else ""
    return {
        "size": f"{height} x {width} (height x width), {contract.fit}",
        "values": f"{contract.low:g} to {contract.high:g}{raw}",
        "channel_order": f"{contract.channel_order.upper()} ({whose})",
        "normalisation": _normalisation(contract),
    }


def _normalisation(contract: InputContract) -> str:
    if contract.mean is None or contract.std is None:
        return "none"
    mean, deviation = (
        ", ".join(f"{value:g}" for value in values) for values in (contract.mean, contract.std)
    )
    return f"mean {mean}; standard deviation {deviation}"


def _after(track: TrackSpec, named: str | None, options: Mapping[str, object]) -> str:
    kind = track.output.kind
    if kind is OutputKind.LOGITS:
        told = "logits, unchanged; the metric does the rest"
    elif kind is OutputKind.CLASS_MAP:
        told = "the best class of each pixel"
    elif kind is OutputKind.BOXES:
        told = f"boxes as {track.output.box_layout}, the best {MAX_BOXES} per picture"
    elif options.get("columns") == TWO_COLUMNS:
        function = "sigmoid" if named == "sigmoid" else "softmax"
        told = f"{function} of the two numbers, then the second"
    else:
        told = "the number, unchanged"
    return told if named is None else f"{named}: {told}"


def _thresholds(track: TrackSpec, stated: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    if track.output.kind is OutputKind.BOXES:
        suppresses = track.output.box_layout is BoxLayout.YOLO
        defaults = {
            "confidence_threshold": f"{CONFIDENCE_THRESHOLD:g} (default)",
            "nms_threshold": f"{NMS_THRESHOLD:g} (default)" if suppresses else "none: overlapping boxes stay",
        }
        yield from (
            (name, f"{stated[name]:g}" if name in stated else words) for name, words in defaults.items()
        )
        return
    uses_threshold = Metric.F1_AT_THRESHOLD in (track.metric, *track.extra_metrics)
    for name, value in stated.items():
        used = name == "threshold" and uses_threshold
        yield name, f"{value:g}" if used else f"{value:g}, which this track's metrics do not use"
