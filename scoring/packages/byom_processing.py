"""What a BYOM package wants done before and after its model: read, checked, never guessed.

A key or type that is not known is refused: passing over it would change the score silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from scoring.contracts import ChannelOrder, Dtype, OutputKind, TrackSpec
from scoring.packages.byom_documents import Mapping, shown
from scoring.packages.byom_fields import first_stage, is_number, shape_problems

PREPROCESSING_KEYS: Final = ("resize", "normalize", "channel_order")
# What a threshold may be called; mochi.json has another word for that of anomalies.
THRESHOLDS: Final = {
    "threshold": ("threshold", "anomaly_threshold"),
    "confidence_threshold": ("confidence_threshold",),
    "nms_threshold": ("nms_threshold",),
}
THRESHOLD_KEYS: Final = tuple(key for keys in THRESHOLDS.values() for key in keys)
SHARES: Final = frozenset({"confidence_threshold", "nms_threshold"})
TYPES: Final = {
    OutputKind.LOGITS: ("softmax", "argmax"),
    OutputKind.CONFIDENCE: ("softmax", "anomaly_score"),
    OutputKind.CLASS_MAP: ("argmax_per_pixel", "argmax", "softmax"),
    OutputKind.BOXES: ("yolo_nms", "nms"),
}
CONFIDENCE_COLUMNS: Final = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Processing:
    """What to do with pixels before the model, and with its output after it; None is left to the track."""

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channel_order: ChannelOrder | None = None
    postprocessing: str | None = None
    thresholds: dict[str, float] = field(default_factory=dict)


def processing_problems(mochi: Mapping, manifest: Mapping, track: TrackSpec) -> Iterator[str]:
    """Yield what is wrong with preprocessing, postprocessing and thresholds."""
    shape = first_stage(mochi).get("input_shape")
    before, after = manifest.get("preprocessing"), manifest.get("postprocessing")
    if before is not None:
        yield from _section_problems(before, "preprocessing", PREPROCESSING_KEYS)
    if after is not None:
        yield from _section_problems(after, "postprocessing", ("type", *THRESHOLD_KEYS))
    if isinstance(before, dict) and isinstance(shape, list) and not list(shape_problems(shape)):
        yield from _preprocessing_problems(before, shape, track)
    yield from _threshold_problems(first_stage(mochi), _mapping(after))
    if isinstance(after, dict) and after.get("type") is not None:
        yield from _type_problems(after["type"], track.output.kind)


def columns_problems(columns: int | None, manifest: Mapping, track: TrackSpec) -> Iterator[str]:
    """Yield why the numbers that the model gives a picture cannot become what the track asks for."""
    if track.output.kind is OutputKind.LOGITS and columns not in (None, track.output.width):
        yield f"the model gives {columns} numbers for a picture; this track asks for {track.output.width}"
    if track.output.kind is not OutputKind.CONFIDENCE:
        return
    if columns is None:
        yield "mochi.json missing 'stages[0].output_shape', which says if the model gives 1 or 2 numbers"
    elif columns not in CONFIDENCE_COLUMNS:
        yield f"the model gives {columns} numbers for a picture; a confidence is made of 1 or 2"
    elif columns == 1 and _mapping(manifest.get("postprocessing")).get("type") == "softmax":
        yield "postprocessing 'softmax' of one number is always 1; leave it out, or return 2 numbers"


def read_processing(mochi: Mapping, manifest: Mapping) -> Processing:
    """Return what checked documents say."""
    before, after = manifest.get("preprocessing") or {}, manifest.get("postprocessing") or {}
    normalise = before.get("normalize") or {}
    order = before.get("channel_order")
    stated = {name: _stated(name, after, first_stage(mochi)) for name in THRESHOLDS}
    return Processing(
        mean=tuple(map(float, normalise["mean"])) if normalise else None,
        std=tuple(map(float, normalise["std"])) if normalise else None,
        channel_order=ChannelOrder(order.casefold()) if order else None,
        postprocessing=after.get("type"),
        thresholds={name: float(values[0]) for name, values in stated.items() if values},
    )


def _mapping(section: Any) -> Mapping:
    return section if isinstance(section, dict) else {}


def _section_problems(section: Any, name: str, known: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(section, dict):
        yield f"'{name}' must be a mapping, not {shown(section)}"
        return
    unknown = [shown(key) for key in section if key not in known]
    if unknown:
        yield f"'{name}' has unknown keys: {', '.join(unknown[:8])}; known are {', '.join(known)}"


def _preprocessing_problems(before: Mapping, shape: list[Any], track: TrackSpec) -> Iterator[str]:
    resize, sides = before.get("resize"), shape[2:]
    # Some write width before height; neither may differ from what the model takes.
    if resize is not None and resize not in (sides, sides[::-1]) and [resize, resize] != sides:
        yield f"'preprocessing.resize' is {shown(resize)}; the model takes {shown(sides)}"
    order = before.get("channel_order")
    if order is not None and not (isinstance(order, str) and order.casefold() in list(ChannelOrder)):
        yield f"'preprocessing.channel_order' is {shown(order)}; it must be RGB or BGR"
    if before.get("normalize") is not None:
        yield from _normalise_problems(before["normalize"], len(track.input.shape))
        if track.input.dtype is Dtype.UINT8:
            yield "'preprocessing.normalize' cannot be applied to uint8 input; normalise inside the model"


def _normalise_problems(normalise: Any, channels: int) -> Iterator[str]:
    if not isinstance(normalise, dict) or set(normalise) != {"mean", "std"}:
        yield f"'preprocessing.normalize' must hold mean and std, not {shown(normalise)}"
        return
    for name, values in normalise.items():
        sound = isinstance(values, list) and len(values) == channels and all(map(is_number, values))
        if not sound or (name == "std" and min(values) <= 0):
            positive = " above 0" if name == "std" else ""
            yield f"'preprocessing.normalize.{name}' must be {channels} numbers{positive}, not {shown(values)}"


def _threshold_problems(stage: Mapping, after: Mapping) -> Iterator[str]:
    for name in THRESHOLDS:
        values = _stated(name, stage, after)
        for value in values:
            if not is_number(value) or (name in SHARES and not 0 <= value <= 1):
                wanted = "a number from 0 to 1" if name in SHARES else "a number"
                yield f"Invalid {name}: {shown(value)}. Must be {wanted}"
        if any(value != values[0] for value in values):
            told = " and ".join(shown(value) for value in values)
            yield f"{name} is stated as {told} in mochi.json and manifest.json"


def _stated(name: str, *sections: Mapping) -> list[Any]:
    places = ((section, key) for section in sections for key in THRESHOLDS[name])
    return [section[key] for section, key in places if section.get(key) is not None]


def _type_problems(kind: Any, output: OutputKind) -> Iterator[str]:
    if kind not in TYPES[output]:
        known = ", ".join(TYPES[output])
        yield f"'postprocessing.type' is {shown(kind)}; for {output} it may be {known}, or be left out"
