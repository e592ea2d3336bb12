"""What an entry may take from AI Hub Models: the parts that Podium provides, and what a model must define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

LIBRARY: Final = "qai_hub_models"
CLIENT: Final = "qai_hub"
"""The package that hands models to AI Hub's devices; they are named in options for them."""

_SPECS: Final = frozenset(
    {
        "BboxFormat",
        "BboxMetadata",
        "ColorFormat",
        "ImageMetadata",
        "InputSpec",
        "IoType",
        "OutputSpec",
        "TensorSpec",
    }
)
_NAMES: Final = frozenset({"Precision", "SampleInputsType", "TargetRuntime"})
_CLASSIFIER: Final = frozenset(
    {
        *("IMAGENET_DIM", "IMAGENET_TRANSFORM", "ImagenetClassifier", "ImagenetClassifierWithModelBuilder"),
        *("TEST_IMAGENET_IMAGE", "normalize_image_torchvision"),
    }
)
_REPLACING: Final = frozenset({"apply_module_function_recursively", "replace_module_recursively"})
_SWIN: Final = frozenset({"AutoSplitLinear", "ShiftedWindowAttentionInf"})

OTHER_BASES: Final = (
    *("BasePrecompiledModel", "CollectionModel", "PrecompiledWorkbenchModel"),
    *("PrecompiledWorkbenchModelCollection", "WorkbenchModel", "WorkbenchModelCollection"),
)
"""Bases of what is no single PyTorch model: models of several parts, and ones without PyTorch code."""

PROVIDED: Final[Mapping[str, frozenset[str]]] = {
    LIBRARY: _NAMES | {"SourceModelFormat"},
    f"{LIBRARY}.utils.base_model": frozenset(
        {
            *("BaseModel", "PytorchWorkbenchModel", "InputSpec", "SourceModelFormat", *_NAMES),
            *("BasePrecompiledModel", "CollectionModel", "PrecompiledWorkbenchModel", "WorkbenchModel"),
        }
    ),
    f"{LIBRARY}.utils.base_collection_model": frozenset(
        {"PrecompiledWorkbenchModelCollection", "WorkbenchModelCollection"}
    ),
    f"{LIBRARY}.utils.input_spec": frozenset(
        {*_SPECS, "get_batch_size", "make_torch_inputs", "str_to_torch_dtype", "to_hub_input_specs"}
    ),
    f"{LIBRARY}.configs.tensor_spec": _SPECS - {"InputSpec", "OutputSpec"},
    f"{LIBRARY}.utils.image_processing": frozenset(
        {"IMAGENET_DIM", "IMAGENET_TRANSFORM", "make_imagenet_transform", "normalize_image_torchvision"}
    ),
    f"{LIBRARY}.utils.asset_loaders": frozenset(
        {
            *("CachedWebAsset", "CachedWebDatasetAsset", "CachedWebModelAsset", "SourceAsRoot"),
            *("callback_with_retry", "find_replace_in_repo", "load_image", "load_json", "load_numpy"),
            *(
                "load_path",
                "load_raw_file",
                "load_torch",
                "load_yaml",
                "maybe_clone_git_repo",
                "qaihm_temp_dir",
            ),
        }
    ),
    f"{LIBRARY}.utils.external_repo": frozenset({"IS_PIP_PACKAGE", "setup_external_repos"}),
    f"{LIBRARY}.utils.base_evaluator": frozenset({"BaseEvaluator", "MetricMetadata"}),
    f"{LIBRARY}.evaluators.base_evaluators": frozenset({"BaseEvaluator", "MetricMetadata"}),
    f"{LIBRARY}.evaluators.classification_evaluator": frozenset({"ClassificationEvaluator"}),
    f"{LIBRARY}.evaluators.segmentation_evaluator": frozenset({"SegmentationOutputEvaluator"}),
    f"{LIBRARY}.models.common": _NAMES | {"SourceModelFormat"},
    # What models share lay in `_shared` up to release 0.5x of the library, and lies in `templates` since.
    f"{LIBRARY}.models._shared.imagenet_classifier.model": _CLASSIFIER,
    f"{LIBRARY}.models._shared.common": _REPLACING,
    f"{LIBRARY}.models._shared.swin.swin_transformer": _SWIN,
    f"{LIBRARY}.models.templates.imagenet_classifier.model": _CLASSIFIER,
    f"{LIBRARY}.models.templates.imagenet_classifier.classification_evaluator": frozenset(
        {"ClassificationEvaluator"}
    ),
    f"{LIBRARY}.models.templates.common": _REPLACING,
    f"{LIBRARY}.models.templates.swin.swin_transformer": _SWIN,
}
"""Modules by the library's names, each with what can be imported from it."""

BASE: Final = "BaseModel"
METHODS: Final = ("from_pretrained", "get_input_spec", "get_output_names")
INSTEAD: Final[Mapping[str, frozenset[str]]] = {
    "get_input_spec": frozenset({"_get_input_spec_for_instance"}),
    "get_output_names": frozenset({"_get_output_names_for_instance", "get_output_spec"}),
}
"""What a model may define in the place of a method; the library's releases differ."""
SUPPLIED: Final[Mapping[str, frozenset[str]]] = {
    BASE: frozenset(),
    "PytorchWorkbenchModel": frozenset(),
    "ImagenetClassifier": frozenset({"get_input_spec", "get_output_names"}),
    "ImagenetClassifierWithModelBuilder": frozenset(METHODS),
}
"""Bases of a model, each with those of the methods that it defines itself."""

MODELS: Final = f"{LIBRARY}.models"
REPOSITORIES: Final = "external_repos"
"""The folder below a model's, or below what models share, that holds clones of the repositories it is built from."""
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
    if _is_own(module, model_id) or is_named_only(module):
        return ()
    if module not in PROVIDED and module not in _PACKAGES:
        return (module,)
    found = PROVIDED.get(module, frozenset())
    full = {name: f"{module}.{name}" for name in names if name not in found and name != "*"}
    return tuple(name for name in full.values() if not _is_module(name, model_id))


def is_named_only(module: str) -> bool:
    """Say whether a part of the library can be imported, and says that it is not here when it is used.

    That is all but models, which run, and what Podium provides: data sets, evaluation, work on devices.
    """
    parts = module.split(".")
    if parts[0] != LIBRARY or len(parts) == 1:
        return parts[0] == CLIENT
    above = {".".join(parts[:length]) for length in range(2, len(parts) + 1)}
    return parts[1] != "models" and above.isdisjoint(PROVIDED) and module not in _PACKAGES


def repository(module: str) -> tuple[str, str] | None:
    """Return the package that a cloned repository belongs to, and its name, for a module inside one."""
    parts = module.split(".")
    if parts[:2] != MODELS.split(".") or REPOSITORIES not in parts:
        return None
    at = parts.index(REPOSITORIES)
    return ".".join(parts[:at]), "/".join(parts[at + 1 : at + 2])


def advice(missing: str, model_id: str) -> str:
    """Say what to do about a module or name that the library here does not have."""
    cloned = repository(missing)
    if cloned is not None:
        place = f"{REPOSITORIES}/{cloned[1]}".rstrip("/")
        return f"{place} is not in the entry, and nothing is cloned here: run `podium pack`, or put the clone there"
    module = next((name for name in PROVIDED if name != LIBRARY and missing.startswith(f"{name}.")), None)
    if module is not None:
        return f"from {module} it provides {', '.join(sorted(PROVIDED[module]))}"
    if missing.startswith(f"{MODELS}."):
        return (
            f"bring the library's file in the entry, as {missing.replace('.', '/')}.py (`podium pack` does), or, for "
            f"the folder's own files, import them with the id in info.yaml, as {MODELS}.{model_id}"
        )
    return f"from {LIBRARY} it provides {', '.join(sorted(PROVIDED[LIBRARY]))}"


def _is_module(name: str, model_id: str) -> bool:
    return name in PROVIDED or name in _PACKAGES or is_named_only(name) or _is_own(name, model_id)


def _is_own(name: str, model_id: str) -> bool:
    return f"{name}.".startswith(f"{MODELS}.{model_id}.")
