"""What an entry may take from AI Hub Models: the parts that Podium provides, and what a model must define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

LIBRARY: Final = "qai_hub_models"

PROVIDED: Final[Mapping[str, frozenset[str]]] = {
    f"{LIBRARY}.utils.base_model": frozenset(
        {"BaseModel", "InputSpec", "Precision", "SampleInputsType", "SourceModelFormat", "TargetRuntime"}
    ),
    f"{LIBRARY}.utils.input_spec": frozenset(
        {"InputSpec", "get_batch_size", "make_torch_inputs", "str_to_torch_dtype"}
    ),
    f"{LIBRARY}.utils.image_processing": frozenset({"IMAGENET_DIM", "normalize_image_torchvision"}),
    f"{LIBRARY}.evaluators.base_evaluators": frozenset({"BaseEvaluator", "MetricMetadata"}),
    f"{LIBRARY}.evaluators.classification_evaluator": frozenset({"ClassificationEvaluator"}),
    f"{LIBRARY}.evaluators.segmentation_evaluator": frozenset({"SegmentationOutputEvaluator"}),
    f"{LIBRARY}.models.common": frozenset(
        {"Precision", "SampleInputsType", "SourceModelFormat", "TargetRuntime"}
    ),
    f"{LIBRARY}.models._shared.imagenet_classifier.model": frozenset(
        {"IMAGENET_DIM", "ImagenetClassifier", "ImagenetClassifierWithModelBuilder"}
    ),
}
"""Modules by the library's names, each with what can be imported from it."""

BASE: Final = "BaseModel"
METHODS: Final = ("from_pretrained", "get_input_spec", "get_output_names")
SUPPLIED: Final[Mapping[str, frozenset[str]]] = {
    BASE: frozenset(),
    "ImagenetClassifier": frozenset({"get_input_spec", "get_output_names"}),
    "ImagenetClassifierWithModelBuilder": frozenset(METHODS),
}
"""Bases of a model, each with those of the methods that it defines itself."""

MODELS: Final = f"{LIBRARY}.models"
DOWNLOADS: Final = f"{LIBRARY}.utils.asset_loaders"
TAKEN_IDS: Final = frozenset(
    name.removeprefix(f"{MODELS}.").partition(".")[0] for name in PROVIDED if name.startswith(f"{MODELS}.")
)
"""Ids that would hide a part of the library."""
MAX_NAME_CHARACTERS: Final = 100
_PACKAGES: Final = frozenset(
    ".".join(parts[:length])
    for parts in (name.split(".") for name in PROVIDED)
    for length in range(1, len(parts))
)


def not_provided(module: str, names: Iterable[str], model_id: str) -> tuple[str, ...]:
    """Return the full names of what such an import would not find; without names the module is imported."""
    if _is_own(module, model_id):
        return ()
    if module not in PROVIDED and module not in _PACKAGES:
        return (module,)
    found = PROVIDED.get(module, frozenset())
    full = {name: f"{module}.{name}" for name in names if name not in found and name != "*"}
    return tuple(
        full_name
        for full_name in full.values()
        if full_name not in PROVIDED and full_name not in _PACKAGES and not _is_own(full_name, model_id)
    )


def advice(missing: str, model_id: str) -> str:
    """Say what to do about a module or name that the library here does not have."""
    if f"{missing}.".startswith(f"{DOWNLOADS}."):
        return "Podium downloads nothing; put the weights next to model.py and load them from there"
    module = next((module for module in PROVIDED if missing.startswith(f"{module}.")), None)
    if module is not None:
        return f"from {module} it provides {', '.join(sorted(PROVIDED[module]))}"
    if missing.startswith(f"{MODELS}."):
        return f"the folder's own files import each other with the id in info.yaml, as {MODELS}.{model_id}"
    return f"from {LIBRARY} it provides {', '.join(name.removeprefix(f'{LIBRARY}.') for name in PROVIDED)}"


def _is_own(name: str, model_id: str) -> bool:
    return f"{name}.".startswith(f"{MODELS}.{model_id}.")
