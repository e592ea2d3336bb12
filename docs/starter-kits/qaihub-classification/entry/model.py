"""A small classifier as a model folder of AI Hub Models: RGB pixels from 0 to 1 in, 1,000 logits out."""

from __future__ import annotations

from pathlib import Path

import torch
from qai_hub_models.evaluators.base_evaluators import BaseEvaluator
from qai_hub_models.evaluators.classification_evaluator import ClassificationEvaluator
from qai_hub_models.utils.base_model import BaseModel
from qai_hub_models.utils.input_spec import InputSpec
from torch import Tensor, nn

WEIGHTS = Path(__file__).with_name("weights.pt")
DIGITS, SIZES, CLASSES = 10, 4, 1000
CELL, TEMPLATE = 7, 16


class DigitPairs(nn.Module):
    """Lay templates of the ten digits, in four sizes, on every place of the blue and of the red ink."""

    def __init__(self) -> None:
        super().__init__()
        self.inks = nn.Conv2d(3, 2, kernel_size=1)
        self.templates = nn.Conv2d(1, DIGITS * SIZES, TEMPLATE, padding=TEMPLATE // 2)
        self.classify = nn.Linear(2 * DIGITS, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit for each class of RGB images, shape (N, 3, 224, 224)."""
        inks = nn.functional.avg_pool2d(self.inks(images).clamp(0, 1), CELL)
        fits = [self.templates(ink).amax(dim=(2, 3)) for ink in (inks[:, :1], inks[:, 1:])]
        digits = [fit.unflatten(1, (DIGITS, SIZES)).amax(dim=2) for fit in fits]
        return self.classify(torch.cat(digits, dim=1))


class StarterClassifier(BaseModel):
    """A network that reads a blue and a red digit."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    @classmethod
    def from_pretrained(cls, weights: str | None = None) -> StarterClassifier:
        """Build the network with the weights beside this file."""
        net = DigitPairs()
        net.load_state_dict(torch.load(weights or WEIGHTS, map_location="cpu", weights_only=True))
        return cls(net)

    def forward(self, image: Tensor) -> Tensor:
        """Return one logit for each class."""
        return self.net(image)

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
