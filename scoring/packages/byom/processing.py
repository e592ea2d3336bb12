"""What a BYOM package wants done before and after its model: read, checked, never guessed.

A type that is not known, or a key that looks misspelt, is refused: passing over it would change the score
silently. Other unknown keys are told in a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from scoring.contracts import ChannelOrder, Dtype, Finding, OutputKind, TrackSpec
from scoring.packages.byom.agreement import Stated
from scoring.packages.byom.documents import MANIFEST, MOCHI, Mapping, problem, shown
from scoring.packages.byom.fields import first_stage, is_number, shape_problems
from scoring.packages.unknown_fields import meant

PREPROCESSING_KEYS: Final = ("resize", "normalize", "channel_order")
# Smaller ones are 0 in 32 bits, or make numbers that no model was trained on.
MIN_STD: Final = 1e-6
TYPES: Final = {
    OutputKind.LOGITS: ("softmax", "argmax", "sigmoid"),
    OutputKind.CONFIDENCE: ("softmax", "sigmoid", "anomaly_score"),
    OutputKind.CLASS_MAP: ("argmax_per_pixel", "argmax", "softmax"),
    OutputKind.BOXES: ("yolo_nms", "nms"),
}
# What a threshold may be called; mochi.json has another word for that of anomalies.
THRESHOLDS: Final = {
    "threshold": ("threshold", "anomaly_threshold"),
    "confidence_threshold": ("confidence_threshold",),
    "nms_threshold": ("nms_threshold",),
}
THRESHOLD_KEYS: Final = tuple(key for keys in THRESHOLDS.values() for key in keys)
POSTPROCESSING_KEYS: Final = ("type", *THRESHOLD_KEYS)
SHARES: Final = frozenset({"confidence_threshold", "nms_threshold"})
TWO_COLUMNS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Processing:
    """What to do with pixels before the model, and with its output after it; None is left to the track."""

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channel_order: ChannelOrder | None = None
    postprocessing: str | None = None
    thresholds: dict[str, float] = field(default_factory=dict)


def processing_problems(mochi: Mapping, manifest: Mapping, track: TrackSpec) -> Iterator[str]:
    """Yield what is wrong with preprocessing and postprocessing, thresholds apart."""
    shape = first_stage(mochi).get("input_shape")
    before, after = manifest.get("preprocessing"), manifest.get("postprocessing")
    if before is not None:
        yield from _section_problems(before, "preprocessing", PREPROCESSING_KEYS)
    if after is not None:
        yield from _section_problems(after, "postprocessing", POSTPROCESSING_KEYS)
    if isinstance(before, dict) and isinstance(shape, list) and not list(shape_problems(shape)):
        yield from _preprocessing_problems(before, shape, track)
    if isinstance(after, dict) and after.get("type") is not None:
        yield from _type_problems(after["type"], track.output.kind)


def ignored_keys(manifest: Mapping) -> Iterator[str]:
    """Yield the keys of preprocessing and postprocessing that nobody reads."""
    for name, known in (("preprocessing", PREPROCESSING_KEYS), ("postprocessing", POSTPROCESSING_KEYS)):
        section = _mapping(manifest.get(name))
        yield from (f"{name}.{shown(key)[1:-1]}" for key in section if key not in known)


def columns_findings(columns: int | None, manifest: Mapping, output: OutputKind) -> Iterator[Finding]:
    """Yield why the numbers that the model gives a picture cannot become a confidence."""
    if output is not OutputKind.CONFIDENCE:
        return
    if columns is None:
        why = (
            "mochi.json missing 'stages[0].output_shape', which says whether the model returns 1 or 2 numbers"
        )
        yield problem(MOCHI, why)
    elif columns == 1 and _mapping(manifest.get("postprocessing")).get("type") == "softmax":
        why = "postprocessing 'softmax' of one number is always 1; leave it out, or return 2 numbers"
        yield problem(MANIFEST, why)


def read_processing(mochi: Mapping, manifest: Mapping) -> Processing:
    """Return what checked documents say."""
    before, after = manifest.get("preprocessing") or {}, manifest.get("postprocessing") or {}
    normalise = before.get("normalize") or {}
    order = before.get("channel_order")
    return Processing(
        mean=tuple(map(float, normalise["mean"])) if normalise else None,
        std=tuple(map(float, normalise["std"])) if normalise else None,
        channel_order=ChannelOrder(order.casefold()) if order else None,
        postprocessing=after.get("type"),
        thresholds=read_thresholds(mochi, manifest),
    )


def _mapping(section: Any) -> Mapping:
    return section if isinstance(section, dict) else {}


def _section_problems(section: Any, name: str, known: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(section, dict):
        yield f"'{name}' must be a mapping, not {shown(section)}"
        return
    misspelt = {key: meant(key, known) for key in section if key not in known}
    yield from (
        f"'{name}.{key}' is unknown, perhaps meant as {each}" for key, each in misspelt.items() if each
    )


def _preprocessing_problems(before: Mapping, shape: list[Any], track: TrackSpec) -> Iterator[str]:
    resize, sides = before.get("resize"), shape[2:]
    # Some write width before height; neither may differ from what the model takes.
    if resize is not None and resize not in (sides, sides[::-1]) and [resize, resize] != sides:
        yield f"'preprocessing.resize' is {shown(resize)}, but the model takes {shown(sides)}"
    order = before.get("channel_order")
    if order is not None and not (isinstance(order, str) and order.casefold() in list(ChannelOrder)):
        yield f"'preprocessing.channel_order' is {shown(order)}; it must be RGB or BGR"
    if before.get("normalize") is not None:
        yield from _normalise_problems(before["normalize"], len(track.input.shape))
        if track.input.dtype is Dtype.UINT8:
            yield "'preprocessing.normalize' cannot be applied to uint8 input; normalise in the model instead"


def _normalise_problems(normalise: Any, channels: int) -> Iterator[str]:
    if not isinstance(normalise, dict) or set(normalise) != {"mean", "std"}:
        yield f"'preprocessing.normalize' must hold mean and std, not {shown(normalise)}"
        return
    for name, values in normalise.items():
        sound = isinstance(values, list) and len(values) == channels and all(map(is_number, values))
        if not sound or (name == "std" and min(values) < MIN_STD):
            bound = f" of at least {MIN_STD:g}" if name == "std" else ""
            yield f"'preprocessing.normalize.{name}' must be {channels} numbers{bound}, not {shown(values)}"


def _type_problems(kind: Any, output: OutputKind) -> Iterator[str]:
    if kind not in TYPES[output]:
        known = ", ".join(TYPES[output])
        yield f"'postprocessing.type' is {shown(kind)}; for {output} it may be {known}, or left out"


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
