"""Whether the class of a qaihub package, and the model that it builds, are what the track asks for."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any, Final

from torch import nn

from scoring.contracts import InputContract
from scoring.contracts.ai_hub import BASE, INSTEAD, METHODS
from scoring.sandboxed.qaihub.base_model import BaseModel
from scoring.sandboxed.qaihub.tensor_spec import TensorSpec
from scoring.sandboxed.refusal import Refusal, load_failed

MAX_QUOTED_CHARACTERS: Final = 100
SPEC_OF_INSTANCE: Final = "_get_input_spec_for_instance"
NAMES_OF_INSTANCE: Final = "_get_output_names_for_instance"
FOR_DEVICES: Final = ("get_channel_last_inputs", "get_channel_last_outputs", "get_hub_litemp_percentage")
WANTED_SPEC: Final = "return {name: (shape, dtype)}"


def only_model(classes: list[type[BaseModel]]) -> type[BaseModel]:
    """Return the one class, which builds itself; raise `Refusal` for none, several and a broken one.

    Classes that others derive from are their bases, and no models of their own.
    """
    classes = [found for found in classes if not any(found in other.__mro__[1:] for other in classes)]
    if not classes:
        raise load_failed(f"model.py does not define a subclass of {BASE}")
    if len(classes) > 1:
        names = _cut(", ".join(found.__name__ for found in classes))
        raise load_failed(f"model.py defines {len(classes)} subclasses of {BASE} instead of one: {names}")
    model = classes[0]
    missing = [
        name for name in METHODS if not any(_defines(model, each) for each in (name, *INSTEAD.get(name, ())))
    ]
    if missing:
        raise load_failed(f"class {_cut(model.__name__)} does not define {', '.join(missing)}")
    if isinstance(_raw(model, "from_pretrained"), FunctionType | staticmethod):
        raise load_failed(f"{_cut(model.__name__)}.from_pretrained is not a classmethod")
    _check_defaults(model.from_pretrained, f"{_cut(model.__name__)}.from_pretrained")
    return model


def check_model(model: object, model_class: type[BaseModel], contract: InputContract) -> BaseModel:
    """Return what `from_pretrained()` returned; raise `Refusal` unless it is a model for the track."""
    wanted = _cut(model_class.__name__)
    if not isinstance(model, BaseModel):
        found = "None" if model is None else f"an object of type {_cut(type(model).__name__)}"
        raise load_failed(f"from_pretrained() returned {found}; return the model itself, a {wanted}")
    is_called_otherwise = type(model).__call__ is not BaseModel.__call__
    if getattr(model.forward, "__func__", None) is nn.Module.forward and not is_called_otherwise:
        raise load_failed(f"class {wanted} does not define forward")
    for name, instead in (("get_input_spec", SPEC_OF_INSTANCE), ("get_output_names", NAMES_OF_INSTANCE)):
        called = instead if _defines(type(model), instead) else name
        _check_defaults(getattr(model, called), f"{wanted}.{called}")
    _check_input(model._get_input_spec_for_instance(), contract)
    _check_outputs(model._get_output_names_for_instance())
    return model


def without_effect(model_class: type[BaseModel]) -> list[str]:
    """Return the settings for AI Hub's devices that a model makes and that nothing here follows."""
    return [name for name in FOR_DEVICES if _defines(model_class, name)]


def _defines(model: type, name: str) -> bool:
    return _raw(model, name) is not _raw(BaseModel, name)


def _raw(owner: type, name: str) -> Any:
    return inspect.getattr_static(owner, name)


def _check_defaults(method: Any, name: str) -> None:
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        # Something callable that does not tell; the call itself will.
        return
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    bare = [each.name for each in parameters if each.default is each.empty and each.kind not in several]
    if bare:
        raise load_failed(f"{name} has no default for {_cut(', '.join(bare))}")


def _check_input(spec: object, contract: InputContract) -> None:
    if not isinstance(spec, dict):
        raise load_failed(f"get_input_spec() returns a {_cut(type(spec).__name__)}; {WANTED_SPEC}")
    if len(spec) != 1:
        raise load_failed(f"get_input_spec() returns {len(spec)} inputs, but this track has one")
    name, stated = next(iter(spec.items()))
    stated = tuple(stated) if isinstance(stated, TensorSpec) else stated
    if not isinstance(stated, tuple | list) or len(stated) != 2 or not isinstance(stated[0], tuple | list):
        raise load_failed(
            f"get_input_spec() returns {_cut(repr(stated))} for “{_cut(str(name))}”; {WANTED_SPEC}"
        )
    shape, dtype, needed = tuple(stated[0]), stated[1], (1, *contract.sides())
    if shape != needed or dtype != contract.dtype:
        raise _other_input(f"{_cut(repr(shape))} of {_cut(str(dtype))}", str(name), needed, contract)


def _other_input(found: str, name: str, needed: tuple[int, ...], contract: InputContract) -> Refusal:
    return load_failed(
        f"get_input_spec() states {found} for “{_cut(name)}”, but this track feeds {needed} of {contract.dtype}"
    )


def _check_outputs(names: object) -> None:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise load_failed(f"get_output_names() returns {_cut(repr(names))}; return a list with one name")
    if len(names) != 1:
        raise load_failed(f"get_output_names() returns {len(names)} names, but this track scores one output")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_QUOTED_CHARACTERS else f"{text[:MAX_QUOTED_CHARACTERS]}…"
