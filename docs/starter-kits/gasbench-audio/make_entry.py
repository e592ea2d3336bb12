"""Writes entry/model.safetensors. Put your training here; these weights are a threshold."""

from math import log
from pathlib import Path

import torch
from entry.model import Detector
from safetensors.torch import save_file

# In a voice the loudness at the 128 places of the beat averages out, the less the shorter it is: about 0.06 of
# the mean remains after six seconds, 0.15 after one. A vocoder that forgets phases puts a pulse at the same
# place of every beat: about 3.
THRESHOLD, STEEPNESS = 0.7, 2.0

model = Detector(num_classes=2)
with torch.no_grad():
    model.classifier.weight[:] = torch.tensor([[-STEEPNESS], [STEEPNESS]])
    model.classifier.bias[:] = STEEPNESS * log(THRESHOLD) * torch.tensor([1.0, -1.0])
save_file(model.state_dict(), Path(__file__).parent / "entry" / "model.safetensors")
