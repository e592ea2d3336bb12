"""A small classifier as a model folder of AI Hub Models: RGB pixels from 0 to 1 in, 1,000 logits out."""

from __future__ import annotations

from pathlib import Path

import torch
from qai_hub_models.evaluators.base_evaluators import BaseEvaluator
from qai_hub_models.evaluators.classification_evaluator import ClassificationEvaluator
from qai_hub_models.utils.base_model import BaseModel
from qai_hub_models.utils.image_processing import normalize_image_torchvision
from qai_hub_models.utils.input_spec import InputSpec
from torchvision.models import mobilenet_v3_small

WEIGHTS = Path(__file__).with_name("weights.pt")


class StarterClassifier(BaseModel):
    """MobileNetV3-small behind ImageNet's normalisation."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.net = net

    @classmethod
    def from_pretrained(cls, weights: str | None = None) -> StarterClassifier:
        """Build the network; `weights.pt` beside this file is read when it is there."""
        net = mobilenet_v3_small(weights=None)
        path = Path(weights) if weights else WEIGHTS
        if path.is_file():
            net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        return cls(net)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return one logit for each class."""
        return self.net(normalize_image_torchvision(image))

    @staticmethod
    def get_input_spec(batch_size: int = 1, height: int = 224, width: int = 224) -> InputSpec:
        """Return name, shape and type of the one input."""
        return {"image": ((batch_size, 3, height, width), "float32")}

    @staticmethod
    def get_output_names() -> list[str]:
        """Return the one output's name."""
        return ["class_logits"]

    @classmethod
    def get_evaluator(cls) -> BaseEvaluator:
        """Return the evaluator for use on your own machine."""
        return ClassificationEvaluator()
