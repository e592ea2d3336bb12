"""`BaseModel`, the class that a folder's model.py derives its model from."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from scoring.sandboxed.qaihub.base_evaluators import BaseEvaluator
from scoring.sandboxed.qaihub.common import Precision, SampleInputsType, SourceModelFormat, TargetRuntime
from scoring.sandboxed.qaihub.input_spec import InputSpec, OutputSpec, make_torch_inputs
from scoring.sandboxed.qaihub.named_only import named_only

__all__ = [
    "BaseModel",
    "BasePrecompiledModel",
    "CollectionModel",
    "InputSpec",
    "Precision",
    "PrecompiledWorkbenchModel",
    "PytorchWorkbenchModel",
    "SampleInputsType",
    "SourceModelFormat",
    "TargetRuntime",
    "WorkbenchModel",
]


class BaseModel(nn.Module):
    """A torch module that is always in evaluation and never records gradients."""

    def __init__(self, model: nn.Module | None = None) -> None:
        super().__init__()
        self.eval()
        if model is not None:
            self.model = model

    def __setattr__(self, name: str, value: Any) -> None:
        """Put modules that are set later into evaluation as well."""
        if isinstance(value, nn.Module):
            value.eval()
        super().__setattr__(name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the model without gradients."""
        with torch.no_grad():
            return super().__call__(*args, **kwargs)

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> BaseModel:
        """Build the model with its weights; each subclass says how."""
        raise NotImplementedError(f"{cls.__name__} does not define from_pretrained")

    def get_input_spec(self, *args: Any, **kwargs: Any) -> InputSpec:
        """Return name, shape and type of each input; each subclass says which."""
        raise NotImplementedError("the model does not define get_input_spec")

    def get_output_spec(self) -> OutputSpec:
        """Return name, shape and type of each output; each subclass says which, or names them alone."""
        raise NotImplementedError("the model defines neither get_output_spec nor get_output_names")

    def get_output_names(self) -> list[str]:
        """Return the outputs' names, by default those of the spec."""
        return list(self.get_output_spec())

    def _get_input_spec_for_instance(self, *args: Any, **kwargs: Any) -> InputSpec:
        """Return the spec of this instance, by default the class's."""
        return self.get_input_spec(*args, **kwargs)

    def _get_output_names_for_instance(self, *args: Any, **kwargs: Any) -> list[str]:
        """Return the outputs' names of this instance, by default the class's."""
        return self.get_output_names(*args, **kwargs)

    def _sample_inputs_impl(self, input_spec: InputSpec | None = None) -> SampleInputsType:
        """Return random inputs that fit the spec."""
        spec = input_spec or self._get_input_spec_for_instance()
        tensors = make_torch_inputs(spec)
        return {name: [tensor.numpy()] for name, tensor in zip(spec, tensors, strict=True)}

    def sample_inputs(self, input_spec: InputSpec | None = None, **kwargs: Any) -> SampleInputsType:
        """Return inputs to try the model on."""
        return self._sample_inputs_impl(input_spec)

    @staticmethod
    def get_channel_last_inputs() -> list[str]:
        """Return the inputs that a device gets channels-last; here all come as the spec says."""
        return []

    @staticmethod
    def get_channel_last_outputs() -> list[str]:
        """Return the outputs that a device gives channels-last."""
        return []

    def get_unsupported_reason(self, *args: Any, **kwargs: Any) -> str | None:
        """Return why a device cannot run the model; nothing is asked of devices here."""
        return None

    @staticmethod
    def eval_datasets() -> list[str]:
        """Return names of datasets; the track has its own."""
        return []

    @staticmethod
    def calibration_dataset_name() -> str | None:
        """Return the name of a dataset for calibration."""
        return None

    @classmethod
    def get_evaluator(cls) -> BaseEvaluator:
        """Return the model's own evaluator; scores never come from it."""
        raise NotImplementedError(f"{cls.__name__} does not define get_evaluator")

    def get_hub_litemp_percentage(self, precision: Precision) -> float | None:
        """Return the share of layers that stay in a higher precision, in percent."""
        return None

    def get_hub_compile_options(self, *args: Any, **kwargs: Any) -> str:
        """Return flags for a compiler that does not run here."""
        return ""

    def get_hub_profile_options(self, *args: Any, **kwargs: Any) -> str:
        """Return flags for a profiler that does not run here."""
        return ""

    def convert_to_torchscript(
        self, input_spec: InputSpec | None = None, check_trace: bool = True
    ) -> torch.jit.ScriptModule:
        """Trace the model on random inputs."""
        inputs = make_torch_inputs(input_spec or self._get_input_spec_for_instance())
        traced: torch.jit.ScriptModule = torch.jit.trace(self.to("cpu"), inputs, check_trace=check_trace)
        return traced


PytorchWorkbenchModel = BaseModel
"""The class's name in newer releases, where `BaseModel` is another for it."""

BasePrecompiledModel = named_only("BasePrecompiledModel")
CollectionModel = named_only("CollectionModel")
PrecompiledWorkbenchModel = named_only("PrecompiledWorkbenchModel")
WorkbenchModel = named_only("WorkbenchModel")
