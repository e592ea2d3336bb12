"""Writes the documents of a BYOM package for a model and the track that it was made for.

The input of a BYOM package is a picture scaled to 0 to 1 and then normalised. Another range of a
track is told in these words too: as a normalisation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from scoring.contracts import (
    CONFIDENCE_THRESHOLD,
    NMS_THRESHOLD,
    BoxLayout,
    Dtype,
    Format,
    InputContract,
    OutputContract,
    OutputKind,
    TrackSpec,
)
from scoring.packages.byom.documents import CONFIG, MANIFEST, MOCHI

MODEL_NAME: Final = "model.pt"
MODEL: Final = f"export_artifacts/{MODEL_NAME}"
CHANNELS: Final = 3
TWO_CLASSES: Final = 2
MAX_NAME: Final = 80
STAGE_TYPES: Final = {
    OutputKind.LOGITS: "multi_class_classification",
    OutputKind.CONFIDENCE: "anomaly_detection",
    OutputKind.CLASS_MAP: "semantic_segmentation",
    OutputKind.BOXES: "object_detection",
}


def byom_track(track: TrackSpec) -> TrackSpec:
    """Return the track as a BYOM package meets it: fed floats from 0 to 1, normalised as the package says."""
    contract = replace(track.input, dtype=Dtype.FLOAT32, low=0.0, high=1.0, mean=None, std=None)
    return replace(track, formats=(Format.BYOM,), input=contract, output=_own_output(track.output))


def documents(
    track: TrackSpec, options: Mapping[str, object], *, output_shape: tuple[int, ...], name: str
) -> dict[str, bytes]:
    """Return config.yaml, mochi.json and the manifest; every side of the track's input is settled."""
    _, height, width = track.input.sides()
    output = _own_output(track.output)
    classes, names = _class_count(output), output.class_names
    dataset = {
        "image_width": width,
        "image_height": height,
        "num_classes": classes,
        **({"class_names": list(names)} if names else {}),
    }
    stage = {
        "type": _stage_type(output),
        "input_shape": [1, CHANNELS, height, width],
        "output_shape": list(output_shape),
        "num_classes": classes,
    }
    info = {"name": _plain_name(name), "version": "1.0.0", "framework": "pytorch"}
    return {
        CONFIG: yaml.safe_dump({"dataset": dataset}, sort_keys=False, allow_unicode=True).encode(),
        MOCHI: _json({"stages": [stage], "model_info": info}),
        MANIFEST: _json(_manifest(stage, track, options)),
    }


def _manifest(stage: Mapping[str, Any], track: TrackSpec, options: Mapping[str, object]) -> dict[str, Any]:
    shape = stage["input_shape"]
    model = {"filename": MODEL_NAME, "data_input_config": {"input": shape}, "framework": "PYTORCH"}
    return {
        "model_graph": {"stages": [stage]},
        "input_shape": shape,
        "compilable_models": [model],
        "preprocessing": _preprocessing(track.input),
        "postprocessing": _postprocessing(track.output, options),
    }


def _own_output(output: OutputContract) -> OutputContract:
    """Return what the package itself says: a class for each logit, also where the track joins some into one."""
    if output.kind is OutputKind.LOGITS and output.classes:
        return replace(output, classes=0, class_names=())
    return output


def _stage_type(output: OutputContract) -> str:
    if output.kind is OutputKind.LOGITS and output.width <= TWO_CLASSES:
        return "classification"
    return STAGE_TYPES[output.kind]


def _class_count(output: OutputContract) -> int:
    """Return how many classes there are; a single number a picture tells of two."""
    if output.class_names:
        return len(output.class_names)
    if output.kind in {OutputKind.CLASS_MAP, OutputKind.BOXES}:
        return output.classes
    return max(output.width, TWO_CLASSES)


def _preprocessing(contract: InputContract) -> dict[str, Any]:
    _, height, width = contract.sides()
    normalise = _normalisation(contract)
    return {
        "resize": [height, width],
        **({} if normalise is None else {"normalize": normalise}),
        "channel_order": contract.channel_order.upper(),
    }


def _normalisation(contract: InputContract) -> dict[str, list[float]] | None:
    """Return mean and deviation that bring 0 to 1 to what the track feeds; bytes are made by the model."""
    if contract.dtype is Dtype.UINT8:
        return None
    span = contract.high - contract.low
    means, deviations = _per_channel(contract.mean or (0.0,)), _per_channel(contract.std or (1.0,))
    # x * span + low, less the mean, over the deviation.
    found = {
        "mean": [(mean - contract.low) / span for mean in means],
        "std": [deviation / span for deviation in deviations],
    }
    return None if found == {"mean": [0.0] * CHANNELS, "std": [1.0] * CHANNELS} else found


def _per_channel(values: tuple[float, ...]) -> tuple[float, ...]:
    """Return one value a channel where one stands for all."""
    return values * CHANNELS if len(values) == 1 else values


def _postprocessing(output: OutputContract, options: Mapping[str, object]) -> dict[str, Any]:
    if output.kind is OutputKind.CLASS_MAP:
        return {"type": "argmax_per_pixel"}
    if output.kind is OutputKind.BOXES:
        return _boxes(output, options)
    threshold = {} if options.get("threshold") is None else {"threshold": options["threshold"]}
    return {"type": "softmax" if output.kind is OutputKind.LOGITS else "anomaly_score", **threshold}


def _boxes(output: OutputContract, options: Mapping[str, object]) -> dict[str, Any]:
    """Write thresholds down that nobody stated: other readers of the package have other defaults."""
    confidence = options.get("confidence_threshold", CONFIDENCE_THRESHOLD)
    if output.box_layout is BoxLayout.YOLO:
        overlap = options.get("nms_threshold", NMS_THRESHOLD)
        return {"type": "yolo_nms", "confidence_threshold": confidence, "nms_threshold": overlap}
    if options.get("nms_threshold") is None:
        return {"confidence_threshold": confidence}
    return {"type": "nms", "confidence_threshold": confidence, "nms_threshold": options["nms_threshold"]}


def _plain_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name)[:MAX_NAME] or "model"


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
