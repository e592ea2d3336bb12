"""Whether a BYOM package's documents agree with each other and with its .pt file.

Every field was checked alone before; here only sound ones are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from scoring.contracts import Finding
from scoring.packages.byom.documents import CONFIG, MANIFEST, MOCHI, Mapping, problem, shown
from scoring.packages.byom.fields import first_stage, is_positive, shape_problems


@dataclass(frozen=True)
class Stated:
    """A value that a document states, with the words for its place."""

    document: str
    place: str
    value: Any


def agreement_findings(config: Mapping, mochi: Mapping, manifest: Mapping) -> Iterator[Finding]:
    """Yield where the documents contradict each other."""
    yield from _shape_findings(_dataset(config), mochi, manifest)
    stage, graph_stage = first_stage(mochi), first_stage(manifest.get("model_graph"))
    for field in ("type", "output_shape"):
        ours, theirs = stage.get(field), graph_stage.get(field)
        if None not in (ours, theirs) and ours != theirs:
            why = f"{field} is {shown(ours)} in mochi.json but {shown(theirs)} in manifest.json"
            yield problem(MANIFEST, why)
    counts = class_counts(config, mochi, manifest)
    others = [count for count in counts if count.value != counts[0].value]
    if others:
        told = ", ".join(f"{count.value} in {count.place}" for count in counts)
        yield problem(others[0].document, f"the number of classes differs: {told}")


def filename_problems(manifest: Mapping, model: str) -> Iterator[str]:
    """Yield if the manifest names another file than the model."""
    filename, found = _compilable(manifest).get("filename"), PurePosixPath(model).name
    if isinstance(filename, str) and filename != found:
        yield (
            f"'compilable_models[0].filename' is {shown(filename)}, but the file in export_artifacts/ is "
            f"{shown(found)}"
        )


def class_counts(config: Mapping, mochi: Mapping, manifest: Mapping) -> list[Stated]:
    """Return how many classes the documents state, wherever they state it."""
    dataset = _dataset(config)
    names = dataset.get("class_names")
    count = len(names) if isinstance(names, list) else None
    stated = (
        Stated(CONFIG, "config.yaml", dataset.get("num_classes")),
        Stated(CONFIG, "'dataset.class_names'", count),
        Stated(MOCHI, "mochi.json", first_stage(mochi).get("num_classes")),
        Stated(MANIFEST, "manifest.json", first_stage(manifest.get("model_graph")).get("num_classes")),
    )
    return [each for each in stated if is_positive(each.value)]


def output_shape(mochi: Mapping, manifest: Mapping) -> Stated | None:
    """Return the shape that the model is said to answer with, if it is a sound one."""
    stated = (
        Stated(MOCHI, "mochi.json", first_stage(mochi).get("output_shape")),
        Stated(MANIFEST, "manifest.json", first_stage(manifest.get("model_graph")).get("output_shape")),
    )
    sound = (each for each in stated if isinstance(each.value, list) and all(map(is_positive, each.value)))
    return next((each for each in sound if each.value), None)


def _shape_findings(dataset: Mapping, mochi: Mapping, manifest: Mapping) -> Iterator[Finding]:
    shapes = [each for each in _input_shapes(mochi, manifest) if not list(shape_problems(each.value))]
    if not shapes:
        return
    # What equals the first is equal to each other.
    first, *others = shapes
    width, height = dataset.get("image_width"), dataset.get("image_height")
    if is_positive(width) and is_positive(height) and [height, width] != first.value[2:]:
        why = (
            f"Dimension mismatch: config.yaml has {shown(width)}x{shown(height)}, but input_shape is "
            f"[_, _, {shown(first.value[2])}, {shown(first.value[3])}]. Image dimensions must match"
        )
        yield problem(first.document, why)
    for other in others:
        if other.value != first.value:
            told = f"{shown(first.value)} in {first.place} and {shown(other.value)} in {other.place}"
            yield problem(other.document, f"input_shape is {told}")


def _input_shapes(mochi: Mapping, manifest: Mapping) -> tuple[Stated, ...]:
    inputs = _compilable(manifest).get("data_input_config")
    named = next(iter(inputs.values()), None) if isinstance(inputs, dict) else None
    graph_stage = first_stage(manifest.get("model_graph"))
    return (
        Stated(MOCHI, "mochi.json", first_stage(mochi).get("input_shape")),
        Stated(MANIFEST, "manifest.json", manifest.get("input_shape")),
        Stated(MANIFEST, "manifest.json 'model_graph.stages[0]'", graph_stage.get("input_shape")),
        Stated(MANIFEST, "manifest.json 'compilable_models[0].data_input_config'", named),
    )


def _dataset(config: Mapping) -> Mapping:
    dataset = config.get("dataset")
    return dataset if isinstance(dataset, dict) else {}


def _compilable(manifest: Mapping) -> Mapping:
    models = manifest.get("compilable_models")
    return models[0] if isinstance(models, list) and models and isinstance(models[0], dict) else {}
