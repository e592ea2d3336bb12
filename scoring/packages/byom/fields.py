"""The fields of a BYOM package's three documents, each checked alone; all that is wrong is yielded.

The sentences are those of the portal that the format comes from, so that people find them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from scoring.packages.byom.documents import Mapping, shown

SHAPE_SIDES: Final = 4
MAX_COUNT: Final = 2**31
FRAMEWORKS: Final = frozenset({"pytorch", "torch"})


def config_problems(config: Mapping) -> Iterator[str]:
    """Yield what is wrong with config.yaml."""
    dataset = config.get("dataset")
    if dataset is None:
        yield "config.yaml missing 'dataset' section"
        return
    if not isinstance(dataset, dict):
        yield f"config.yaml 'dataset' must be a mapping, not {shown(dataset)}"
        return
    for field in ("image_width", "image_height"):
        value = dataset.get(field)
        if value is None:
            yield f"config.yaml missing 'dataset.{field}'"
        elif not is_positive(value):
            yield f"Invalid {field}: {shown(value)}. Must be positive integer"
    yield from _count_problems(dataset, "dataset.num_classes")
    yield from _name_problems(dataset.get("class_names"))


def mochi_problems(mochi: Mapping) -> Iterator[str]:
    """Yield what is wrong with mochi.json."""
    if mochi.get("stages") is None:
        yield "mochi.json missing 'stages' array"
    elif not isinstance(mochi["stages"], list) or not mochi["stages"]:
        yield "mochi.json 'stages' must be a non-empty array"
    else:
        yield from _stages_problems(mochi["stages"], "mochi.json", "stages")
    yield from _info_problems(mochi.get("model_info"))


def manifest_problems(manifest: Mapping) -> Iterator[str]:
    """Yield what is wrong with manifest.json, its processing apart."""
    graph = manifest.get("model_graph")
    stages = graph.get("stages") if isinstance(graph, dict) else None
    if graph is None:
        yield "manifest.json missing 'model_graph'"
    elif not isinstance(stages, list) or not stages:
        yield "manifest.json 'model_graph.stages' must be a non-empty array"
    else:
        yield from _stages_problems(stages, "manifest.json", "model_graph.stages", required=())
    if manifest.get("input_shape") is not None:
        yield from shape_problems(manifest["input_shape"])
    elif first_stage(graph).get("input_shape") is None:
        yield "manifest.json missing 'input_shape'. Must be in root or model_graph.stages[0]"
    yield from _compilable_problems(manifest.get("compilable_models"))


def shape_problems(shape: object) -> Iterator[str]:
    """Yield what is wrong with an input shape."""
    if not isinstance(shape, list) or len(shape) != SHAPE_SIDES:
        yield f"Invalid input_shape: {shown(shape)}. Must be [batch, channels, height, width]"
        return
    for index, side in enumerate(shape):
        if not is_positive(side):
            yield f"Invalid input_shape dimension at index {index}: {shown(side)}. Must be positive integer"


def first_stage(section: object) -> Mapping:
    """Return the first stage of a document or graph, or nothing where there is none."""
    stages = section.get("stages") if isinstance(section, dict) else None
    return stages[0] if isinstance(stages, list) and stages and isinstance(stages[0], dict) else {}


def is_positive(value: object) -> bool:
    """Say whether a value is a positive integer of a size or a count; `true` is none."""
    # Documents hold integers of thousands of digits, which no float and no tensor can take.
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < MAX_COUNT


def is_number(value: object) -> bool:
    """Say whether a value is a finite number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # A JSON integer can be larger than any float.
    return abs(value) < 1e30 and math.isfinite(value)


def _name_problems(names: object) -> Iterator[str]:
    if names is None:
        return
    place = "config.yaml 'dataset.class_names'"
    if not isinstance(names, list) or not names:
        yield f"{place} must be a non-empty list, not {shown(names)}"
    elif not all(isinstance(name, str) and name.strip() for name in names):
        yield f"{place} must contain only names (in quotes if they look like numbers), not {shown(names)}"
    elif len(set(names)) < len(names):
        yield f"{place} repeats a name: {shown(names)}"


def _stages_problems(
    stages: list[Any], document: str, place: str, *, required: tuple[str, ...] = ("input_shape", "type")
) -> Iterator[str]:
    stage = stages[0]
    if not isinstance(stage, dict):
        yield f"{document} '{place}[0]' must be a mapping, not {shown(stage)}"
        return
    for field in required:
        if stage.get(field) is None:
            yield f"{document} missing '{place}[0].{field}'"
    if stage.get("input_shape") is not None:
        yield from shape_problems(stage["input_shape"])
    kind = stage.get("type")
    if kind is not None and not (isinstance(kind, str) and kind):
        yield f"{document} '{place}[0].type' must be a name, not {shown(kind)}"
    output = stage.get("output_shape")
    if output is not None and not (isinstance(output, list) and output and all(map(is_positive, output))):
        yield f"Invalid output_shape: {shown(output)}. Must be a list of positive integers"
    yield from _count_problems(stage, f"{place}[0].num_classes")


def _count_problems(section: Mapping, place: str) -> Iterator[str]:
    value = section.get("num_classes")
    if value is not None and not is_positive(value):
        yield f"Invalid {place}: {shown(value)}. Must be positive integer"


def _info_problems(info: object) -> Iterator[str]:
    if info is None:
        return
    if not isinstance(info, dict):
        yield f"mochi.json 'model_info' must be a mapping, not {shown(info)}"
        return
    yield from _framework_problems(info, "mochi.json 'model_info.framework'")
    architecture = info.get("architecture")
    if architecture is not None and not isinstance(architecture, str):
        yield f"mochi.json 'model_info.architecture' must be a name, not {shown(architecture)}"


def _compilable_problems(models: object) -> Iterator[str]:
    if models is None:
        yield "manifest.json missing 'compilable_models'"
        return
    if not isinstance(models, list) or not models:
        yield "manifest.json 'compilable_models' must be a non-empty array"
        return
    if len(models) > 1:
        yield f"manifest.json 'compilable_models' lists {len(models)} models; exactly one is allowed"
    model = models[0]
    if not isinstance(model, dict) or model.get("filename") is None:
        yield "manifest.json missing 'compilable_models[0].filename'"
        return
    if not isinstance(model["filename"], str):
        yield f"manifest.json 'compilable_models[0].filename' must be a name, not {shown(model['filename'])}"
    yield from _framework_problems(model, "manifest.json 'compilable_models[0].framework'")
    yield from _input_config_problems(model.get("data_input_config"))


def _input_config_problems(inputs: object) -> Iterator[str]:
    place = "manifest.json 'compilable_models[0].data_input_config'"
    if inputs is None:
        return
    if not isinstance(inputs, dict) or len(inputs) != 1:
        yield f"{place} must name one input, not {shown(inputs)}"
        return
    yield from (f"{place}: {why}" for shape in inputs.values() for why in shape_problems(shape))


def _framework_problems(section: Mapping, place: str) -> Iterator[str]:
    framework = section.get("framework")
    is_torch = isinstance(framework, str) and framework.casefold() in FRAMEWORKS
    if framework is not None and not is_torch:
        yield f"{place} is {shown(framework)}; only PyTorch models are supported"
