"""Whether a BYOM package's documents agree with each other, with its .pt file and with the track.

Every field was checked alone before; here only sound ones are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from scoring.contracts import OutputKind, Reader, TrackSpec
from scoring.packages.byom_documents import Mapping, shown
from scoring.packages.byom_fields import first_stage, is_positive, shape_problems

# Each size costs a copy of the dataset and memory for a batch; without a bound, one entry fills the disk.
MAX_SIDE: Final = 1024
MAX_BATCH: Final = 64
# A classifier of two classes gives a confidence too, that of its second class.
KINDS_BY_TYPE: Final = {
    "classification": (OutputKind.LOGITS, OutputKind.CONFIDENCE),
    "multi_class_classification": (OutputKind.LOGITS,),
    "anomaly_detection": (OutputKind.CONFIDENCE, OutputKind.LOGITS),
    "object_detection": (OutputKind.BOXES,),
    "semantic_segmentation": (OutputKind.CLASS_MAP,),
}


def agreement_problems(config: Mapping, mochi: Mapping, manifest: Mapping) -> Iterator[str]:
    """Yield where the documents contradict each other."""
    stage, graph_stage = first_stage(mochi), first_stage(manifest.get("model_graph"))
    yield from _shape_agreement(stage.get("input_shape"), _dataset(config), _manifest_shapes(manifest))
    for field in ("type", "output_shape"):
        ours, theirs = stage.get(field), graph_stage.get(field)
        if None not in (ours, theirs) and ours != theirs:
            yield f"{field} is {shown(ours)} in mochi.json and {shown(theirs)} in manifest.json"
    counts = dict(_class_counts(config, stage, graph_stage))
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{value} in {place}" for place, value in counts.items())
        yield f"the number of classes differs: {told}"


def filename_problems(manifest: Mapping, model: str) -> Iterator[str]:
    """Yield if the manifest names another file than the model."""
    filename, found = _compilable(manifest).get("filename"), PurePosixPath(model).name
    if isinstance(filename, str) and filename != found:
        yield (
            f"'compilable_models[0].filename' is {shown(filename)}, and the file in export_artifacts/ is "
            f"{shown(found)}"
        )


def track_problems(mochi: Mapping, track: TrackSpec) -> Iterator[str]:
    """Yield where the model does not fit what the track feeds and asks for."""
    stage = first_stage(mochi)
    shape = stage.get("input_shape")
    if track.input.reader is not Reader.IMAGE:
        yield f"this track feeds {track.input.reader}; a BYOM package takes pictures"
    elif isinstance(shape, list) and _is_sound(shape):
        yield from _input_problems(shape, track.input.shape)
    kind = stage.get("type")
    if isinstance(kind, str):
        yield from _type_problems(kind, track.output.kind)


def kinds_of(stage_type: str) -> tuple[OutputKind, ...]:
    """Return what a model of this type may return; types such as `yolov10_object_detection` are known too."""
    known = (name for name in KINDS_BY_TYPE if stage_type == name)
    prefixed = (name for name in KINDS_BY_TYPE if name.count("_") and stage_type.endswith(f"_{name}"))
    name = next(known, None) or next(prefixed, None)
    return KINDS_BY_TYPE[name] if name else ()


def class_count(config: Mapping, mochi: Mapping, manifest: Mapping) -> int | None:
    """Return how many classes the documents state, if they do."""
    stages = first_stage(mochi), first_stage(manifest.get("model_graph"))
    return next(iter(dict(_class_counts(config, *stages)).values()), None)


def _shape_agreement(shape: Any, dataset: Mapping, others: dict[str, Any]) -> Iterator[str]:
    if not _is_sound(shape):
        return
    width, height = dataset.get("image_width"), dataset.get("image_height")
    if is_positive(width) and is_positive(height) and [height, width] != shape[2:]:
        yield (
            f"Dimension mismatch: config.yaml has {shown(width)}x{shown(height)}, but input_shape is "
            f"[_, _, {shown(shape[2])}, {shown(shape[3])}]. Image dimensions must match"
        )
    for place, other in others.items():
        if _is_sound(other) and other != shape:
            yield f"input_shape is {shown(shape)} in mochi.json and {shown(other)} in {place}"


def _manifest_shapes(manifest: Mapping) -> dict[str, Any]:
    inputs = _compilable(manifest).get("data_input_config")
    named = next(iter(inputs.values()), None) if isinstance(inputs, dict) else None
    return {
        "manifest.json": manifest.get("input_shape"),
        "manifest.json 'model_graph.stages[0]'": first_stage(manifest.get("model_graph")).get("input_shape"),
        "manifest.json 'compilable_models[0].data_input_config'": named,
    }


def _class_counts(config: Mapping, stage: Mapping, graph_stage: Mapping) -> Iterator[tuple[str, int]]:
    dataset = _dataset(config)
    names = dataset.get("class_names")
    places = {
        "config.yaml": dataset.get("num_classes"),
        "'dataset.class_names'": len(names) if isinstance(names, list) and names else None,
        "mochi.json": stage.get("num_classes"),
        "manifest.json": graph_stage.get("num_classes"),
    }
    yield from ((place, int(value)) for place, value in places.items() if value and is_positive(value))


def _input_problems(shape: list[int], wanted: tuple[int | None, ...]) -> Iterator[str]:
    if any(side is not None and side != found for side, found in zip(wanted, shape[1:], strict=True)):
        sides = ", ".join("any" if side is None else str(side) for side in wanted)
        yield f"Invalid input_shape: {shown(shape)}. This track feeds [batch, {sides}]"
    if max(shape[2:]) > MAX_SIDE:
        yield f"Invalid input_shape: {shown(shape)}. Height and width may be at most {MAX_SIDE:,}"
    if shape[0] > MAX_BATCH:
        yield f"Invalid input_shape: {shown(shape)}. The batch may be at most {MAX_BATCH}"


def _type_problems(kind: str, output: OutputKind) -> Iterator[str]:
    kinds = kinds_of(kind)
    if not kinds:
        yield f"'stages[0].type' is {shown(kind)}; known are {', '.join(KINDS_BY_TYPE)}"
    elif output not in kinds:
        fitting = ", ".join(name for name, each in KINDS_BY_TYPE.items() if output in each)
        yield f"'stages[0].type' is {shown(kind)}; this track asks for {output} ({fitting})"


def _is_sound(shape: Any) -> bool:
    return shape is not None and not list(shape_problems(shape))


def _dataset(config: Mapping) -> Mapping:
    dataset = config.get("dataset")
    return dataset if isinstance(dataset, dict) else {}


def _compilable(manifest: Mapping) -> Mapping:
    models = manifest.get("compilable_models")
    return models[0] if isinstance(models, list) and models and isinstance(models[0], dict) else {}
