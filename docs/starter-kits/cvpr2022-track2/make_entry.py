"""Writes entry/weights.pt. Put your training here; these weights are a filter and three thresholds."""

from pathlib import Path

import torch

LAPLACIAN = [[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]]
# A camera's noise lies everywhere. Smoothing and poor JPEG take it away somewhere, added grain raises it, and
# where rows were pushed sideways or a patch was laid, one row differs from its neighbour as no other does.
THRESHOLDS = torch.tensor([0.6, 2.85, 0.7])
SPREADS = torch.tensor([-0.15, 0.15, 0.05])  # the first is a symptom below its threshold

weights = {
    "high_pass.weight": torch.tensor(LAPLACIAN).view(1, 1, 3, 3),
    "symptoms.weight": torch.diag(1 / SPREADS),
    "symptoms.bias": -THRESHOLDS / SPREADS,
    # One symptom is enough: without any, the odds are one to e^4, with one e^2 to one.
    "judge.weight": torch.full((1, 3), 6.0),
    "judge.bias": torch.tensor([-4.0]),
}
torch.save(weights, Path(__file__).parent / "entry" / "weights.pt")
