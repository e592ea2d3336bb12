"""Writes entry/model.safetensors. Put your training here; these weights are random."""

from pathlib import Path

import torch
from entry.model import Detector
from safetensors.torch import save_file

torch.manual_seed(0)
save_file(Detector(num_classes=2).state_dict(), Path(__file__).parent / "entry" / "model.safetensors")
