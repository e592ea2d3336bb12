from pathlib import Path

import torch
from qai_hub_models.models._shared.imagenet_classifier.model import (
    ImagenetClassifierWithModelBuilder,
)
from safetensors.torch import load_file

MODEL_ID = __name__.split(".")[-2]
MODEL_ASSET_VERSION = 1
DEFAULT_WEIGHTS = "weights.safetensors"


def colours(weights):
    net = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 1000))
    net.load_state_dict(load_file(Path(__file__).parent / weights))
    return net


class Colours(ImagenetClassifierWithModelBuilder):
    model_builder = colours
    DEFAULT_WEIGHTS = DEFAULT_WEIGHTS
