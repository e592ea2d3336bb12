"""Names of precisions and runtimes, which models mention in their options for devices."""

from __future__ import annotations

import re
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Precision", "SampleInputsType", "SourceModelFormat", "TargetRuntime"]

SampleInputsType = dict[str, list[NDArray[np.generic]]]


class TargetRuntime(StrEnum):
    """What a model can be compiled to; nothing is compiled here."""

    TFLITE = "tflite"
    QNN_DLC = "qnn_dlc"
    QNN_CONTEXT_BINARY = "qnn_context_binary"
    ONNX = "onnx"
    PRECOMPILED_QNN_ONNX = "precompiled_qnn_onnx"
    GENIE = "genie"
    GENIEX_QAIRT = "geniex_qairt"
    GENIEX_LLAMACPP = "geniex_llamacpp"
    VOICE_AI = "voice_ai"


class SourceModelFormat(StrEnum):
    """What a model is exported to before it is compiled."""

    ONNX = "onnx"
    TORCHSCRIPT = "torchscript"


class Precision:
    """A precision by its name, e.g. `Precision.w8a8`; a model runs in `float`, a track may quantise it."""

    float: Precision
    w8a8: Precision
    w8a16: Precision
    w16a16: Precision
    w4a16: Precision
    w4: Precision
    w8a8_mixed_int16: Precision
    w8a8_mixed_fp16: Precision
    w8a16_mixed_int16: Precision
    w8a16_mixed_fp16: Precision
    mixed: Precision
    mixed_with_float: Precision
    mxfp4: Precision
    q8_0: Precision
    q4_0: Precision

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def parse(cls, name: str | Precision) -> Precision:
        """Return the precision of that name."""
        return name if isinstance(name, Precision) else cls(name)

    @property
    def weights_type(self) -> str | None:
        """Return the type of weights, such as `int8`; None for floats."""
        return self._type(r"w(\d+)")

    @property
    def activations_type(self) -> str | None:
        """Return the type of activations; None for floats."""
        return self._type(r"(?:w\d+)?a(\d+)")

    @property
    def override_type(self) -> str | None:
        """Return the type that the most sensitive layers have instead; None without such layers."""
        return self.name.partition("_mixed_")[2] or None

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def __repr__(self) -> str:
        """Return the name."""
        return self.name

    def __eq__(self, other: object) -> bool:
        """Say whether both have one name."""
        return isinstance(other, Precision) and other.name == self.name

    def __hash__(self) -> int:
        """Hash the name."""
        return hash(self.name)

    def _type(self, form: str) -> str | None:
        found = re.match(form, self.name)
        return f"int{found[1]}" if found else None


for _name in Precision.__annotations__:
    setattr(Precision, _name, Precision(_name))
