"""A track's contract in people's words, and an example model.py made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.template.loader import render_to_string

from scoring.contracts import (
    FORMAT_FACTS,
    METRIC_FACTS,
    READER_FACTS,
    Capture,
    ChannelOrder,
    Dtype,
    Fit,
    Format,
    FormatFacts,
    InputContract,
    MacsCounter,
    Metric,
    Mix,
    Orientation,
    OutputContract,
    OutputKind,
    Peaks,
    Precision,
    TrackSpec,
)

OUTPUT_WORDS: Final[Mapping[OutputKind, str]] = {
    OutputKind.LOGITS: "one number per class; the largest is the prediction, ties go to the lower index",
    OutputKind.CONFIDENCE: "one number per sample; higher means positive",
    OutputKind.CLASS_MAP: "one number per class for each pixel; the largest is the prediction, ties go to the lower "
    "index. Integers of shape N × height × width are the classes themselves",
    OutputKind.BOXES: "boxes in input pixels, each with a score and a class",
}

DTYPE_WORDS: Final[Mapping[Dtype, str]] = {
    Dtype.FLOAT32: "32-bit floats",
    Dtype.UINT8: "8-bit unsigned integers",
}

PRECISION_WORDS: Final[Mapping[Precision, str]] = {
    Precision.W8A8: "with 8-bit weights and activations",
    Precision.W8A16: "with 8-bit weights and 16-bit activations",
    Precision.W8A8_MIXED_INT16: "with 8-bit weights and activations, and 16 bits for the most sensitive layers",
}

MACS_COUNTER_WORDS: Final[Mapping[MacsCounter, str]] = {
    MacsCounter.EXACT: "the exact count applies",
    MacsCounter.PTFLOPS: "this track counts them with ptflops",
    MacsCounter.FVCORE: "this track counts them with fvcore",
    MacsCounter.LARGEST: "the highest of several counts applies",
}

CAPTURE_WORDS: Final[Mapping[Capture, str]] = {
    Capture.REQUIRED: "required; the graph is counted and run without the entry's code",
    Capture.PREFERRED: "if possible; the graph is counted and run without the entry's code, and others are marked",
    Capture.OFF: "no; entries run their own code",
}

FIT_WORDS: Final[Mapping[Fit, str]] = {
    Fit.STRETCH: "stretched to height and width",
    Fit.SHORTEST_EDGE_THEN_CENTRE_CROP: "resized until they just cover height and width, then cropped to the centre",
    Fit.CROP_TO_ASPECT_THEN_RESIZE: "cropped around the centre to the same aspect ratio, then resized",
    Fit.TORCHVISION: "resized as by torchvision",
}


CHANNEL_WORDS: Final[Mapping[ChannelOrder, str]] = {
    ChannelOrder.BGR: "blue, green, red (BGR)",
    ChannelOrder.RGB: "red, green, blue (RGB)",
}

ORIENTATION_WORDS: Final[Mapping[Orientation, str]] = {
    Orientation.UPRIGHT: "turned as their EXIF data say",
    Orientation.AS_STORED: "as stored; what their EXIF data say is ignored",
}

MIX_WORDS: Final[Mapping[Mix, str]] = {
    Mix.MEAN: "the mean of their channels",
    Mix.FFMPEG: "mixed as by FFmpeg: (left + right) × 0.7071",
}


def formats_in_words(spec: TrackSpec) -> tuple[FormatFacts, ...]:
    """Return how each accepted format is explained."""
    return tuple(FORMAT_FACTS[package_format] for package_format in spec.formats)


def accepted_suffixes(spec: TrackSpec) -> str:
    """Return the file name endings for the upload form's file chooser."""
    endings = (suffix for words in formats_in_words(spec) for suffix in words.suffixes)
    return ",".join(dict.fromkeys(endings))


def max_package_bytes(spec: TrackSpec) -> int:
    """Return the most bytes that a package's files may take, unpacked."""
    own = spec.budgets.max_bytes
    return spec.archive_limits.max_unpacked_bytes if own is None else own


def tensor_shape(*dimensions: int | None) -> str:
    """Return a batch's shape, e.g. "N × 3 × 224 × 224"; a side that the package states reads "any"."""
    return " × ".join(("N", *("any" if side is None else str(side) for side in dimensions)))


def input_in_words(spec: TrackSpec) -> dict[str, str]:
    """Return the input contract as labelled sentences."""
    contract = spec.input
    words = {"Shape": tensor_shape(*contract.shape)}
    if None in contract.shape:
        words["Any"] = "the size stated by the package"
    words["Values"] = f"{DTYPE_WORDS[contract.dtype]} from {contract.low:g} to {contract.high:g}"
    sides = READER_FACTS[contract.reader].sides
    if "samples" in sides:
        words["Sound"] = (
            f"mono, {MIX_WORDS[contract.mix]}; {contract.sample_rate:,} values a second, resampled by "
            f"{contract.resampler}; longer sounds cut to the middle, shorter ones padded"
        )
        if contract.peaks is Peaks.KEEP:
            words["Values"] += "; loud sounds may go beyond"
    if "channels" not in sides:
        return words
    words["Channels"] = CHANNEL_WORDS[contract.channel_order]
    if Format.BYOM in spec.formats:
        words["Values"] += ", then normalised if the package states mean and std"
        words["Channels"] += ", unless the package states the other order"
    if "frames" in sides:
        words["Frames"] = _frames_in_words(contract)
    else:
        words["Orientation"] = ORIENTATION_WORDS[contract.orientation]
    words["Other sizes"] = _fit_in_words(contract)
    if contract.mean is not None and contract.std is not None:
        words["Normalised"] = _normalised_in_words(contract.mean, contract.std)
        if Format.BYOM in spec.formats:
            words["Normalised"] += ", unless the package states its own mean and std"
    return words


def _fit_in_words(contract: InputContract) -> str:
    if contract.fit is not Fit.TORCHVISION:
        return FIT_WORDS[contract.fit]
    smoothing = "antialiased" if contract.antialias else "not antialiased"
    resize, crop = (
        "height and width" if sides is None else " × ".join(map(str, sides))
        for sides in (contract.resize, contract.crop)
    )
    edge = "the shorter edge to " if contract.resize and len(contract.resize) == 1 else ""
    cut = "" if contract.crop is None else f", then cropped to {crop} around the centre"
    return f"{FIT_WORDS[contract.fit]}, {edge or 'to '}{resize} ({contract.interpolation}, {smoothing}){cut}"


def _normalised_in_words(mean: Sequence[float], std: Sequence[float]) -> str:
    means, deviations = (", ".join(f"{value:g}" for value in values) for values in (mean, std))
    return f"per channel: minus {means}, then divided by {deviations}"


def _frames_in_words(contract: InputContract) -> str:
    if contract.frame_rate is None:
        return "the first frames of the clip; a short clip repeats its last frame"
    return f"about {contract.frame_rate:g} a second, from the start; a short clip repeats its last frame"


def output_shape(contract: OutputContract, input_contract: InputContract) -> str:
    """Return the shape of a batch's output, e.g. "N × 100" or "N × 84 × anchors"."""
    return contract.expected_shape("N", input_contract).strip("()").replace(", ", " × ")


def output_in_words(contract: OutputContract, input_contract: InputContract) -> dict[str, str]:
    """Return the output contract as labelled sentences."""
    return {
        "Shape": output_shape(contract, input_contract),
        "Values": "floating point, all finite",
        "Meaning": OUTPUT_WORDS[contract.kind],
    }


def quantisation_in_words(spec: TrackSpec) -> str:
    """Return what a track that asks for a second precision does with an entry, or nothing."""
    asked = spec.quantisation
    if asked is None:
        return ""
    samples = f"up to {asked.calibration_samples:,} samples of the public split"
    run = f"The entry is also run in {asked.precision}, {PRECISION_WORDS[asked.precision]}, calibrated on {samples}."
    drop = (
        f"The score ({metric_title(spec.metric)}) may then be at most {asked.max_drop_points:g} points lower"
    )
    graph = "What cannot be captured as a graph is rejected too."
    return f"{run} {drop}, or the entry is rejected; a fall from 0.75 to 0.65 is 10 points. {graph}"


def metric_title(metric: str) -> str:
    """Return a metric's title; the name itself for one that this version does not know."""
    return METRIC_FACTS[Metric(metric)].title if metric in list(Metric) else metric


def directed_title(metric: str) -> str:
    """Return a metric's title for lists of metrics; it says so if lower is better."""
    known = metric in list(Metric)
    is_less_better = known and not METRIC_FACTS[Metric(metric)].higher_is_better
    return f"{metric_title(metric)} (lower is better)" if is_less_better else metric_title(metric)


def example_model(spec: TrackSpec) -> str:
    """Return a small model.py that fits the track's input and output contracts."""
    facts = READER_FACTS[spec.input.reader]
    return render_to_string(
        "tracks/example_model.txt",
        {
            "spec": spec,
            "shape": tensor_shape(*spec.input.shape),
            "output_shape": output_shape(spec.output, spec.input),
            "batch": facts.batch,
            "colours": facts.sides.index("channels") + 1 if "channels" in facts.sides else None,
            "rearranged": _rearranged(facts.sides),
        },
    )


def _rearranged(sides: Sequence[str]) -> str:
    """Return what brings a batch to what layers of PyTorch take: the channels before all other sides."""
    if "channels" not in sides:
        return ".unsqueeze(1)"
    place = sides.index("channels") + 1
    return f".transpose(1, {place})" if place > 1 else ""
