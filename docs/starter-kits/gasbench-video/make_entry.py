"""Writes entry/model.safetensors. Put your training here; these weights are a threshold."""

from math import log
from pathlib import Path

import torch
from entry.model import Detector
from safetensors.torch import save_file

# Where a camera moves smoothly, the picture changes in each step by about as much as in the one before, to 3 or
# 7 in a hundred. Frames out of order, frozen, flickering or melting into each other: from 11 in a hundred.
THRESHOLD, STEEPNESS = 0.09, 3.0

model = Detector(num_classes=2)
with torch.no_grad():
    model.classifier.weight[:] = torch.tensor([[-STEEPNESS], [STEEPNESS]])
    model.classifier.bias[:] = STEEPNESS * log(THRESHOLD) * torch.tensor([1.0, -1.0])
save_file(model.state_dict(), Path(__file__).parent / "entry" / "model.safetensors")
