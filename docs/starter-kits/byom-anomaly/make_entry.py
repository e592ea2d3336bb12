"""Writes a BYOM package into entry/: three documents and a traced model. Put your own model here."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d

ENTRY = Path(__file__).parent / "entry"
SIZE, COLUMNS = 224, 2
SHAPE = [1, 3, SIZE, SIZE]

LAPLACIAN = [[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]]
# A camera's noise lies everywhere. Smoothing and poor JPEG take it away somewhere, added grain raises it, and
# where rows were pushed sideways or a patch was laid, one row differs from its neighbour as no other does.
THRESHOLDS = torch.tensor([0.6, 2.85, 0.7])
SPREADS = torch.tensor([-0.15, 0.15, 0.05])  # the first is a symptom below its threshold


class Detector(nn.Module):
    """Map RGB pictures from 0 to 1, shape (N, 3, 224, 224), to the logits (N, 2) of normal and anomaly."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("high_pass", torch.tensor(LAPLACIAN).view(1, 1, 3, 3))
        self.symptoms = nn.Linear(3, 3)
        self.symptoms.weight.data = torch.diag(1 / SPREADS)
        self.symptoms.bias.data = -THRESHOLDS / SPREADS
        self.classify = nn.Linear(3, COLUMNS)
        # One symptom is enough: without any, the odds are one to e^4, with one e^2 to one.
        self.classify.weight.data = torch.tensor([[-3.0], [3.0]]).repeat(1, 3)
        self.classify.bias.data = torch.tensor([2.0, -2.0])

    def forward(self, images: Tensor) -> Tensor:
        """Look for three traces of tampering in what a high-pass filter leaves of the picture."""
        return self.classify(torch.sigmoid(self.symptoms(self.traces(255 * images))))

    def traces(self, images: Tensor) -> Tensor:
        """Return logarithms, (N, 3): noise where it is calmest, usual noise of colour, the sharpest row."""
        grey, colour = images.mean(dim=1, keepdim=True), images[:, :1] - images[:, 1:2]
        calmest = self.noise(grey, window=16).amin(dim=1)
        usual = self.noise(avg_pool2d(colour, 2), window=8).median(dim=1).values
        steps = (grey[:, :, 1:] - grey[:, :, :-1]).abs().mean(dim=(1, 3)) + 1
        beside = torch.maximum(steps[:, 2:], steps[:, :-2])
        sharpest = torch.log(steps[:, 1:-1] / beside).amax(dim=1)
        return torch.stack([calmest, usual, sharpest], dim=1)

    def noise(self, planes: Tensor, window: int) -> Tensor:
        """Return the logarithm of what the high-pass filter leaves in each of the windows."""
        left = avg_pool2d(conv2d(planes, self.high_pass).abs(), window, stride=window // 2)
        return torch.log(left + 0.5).flatten(1)


stage = {
    "type": "anomaly_detection",
    "input_shape": SHAPE,
    "output_shape": [1, COLUMNS],
}
manifest = {
    "model_graph": {"stages": [stage]},
    "input_shape": SHAPE,
    "compilable_models": [
        {"filename": "model.pt", "data_input_config": {"input": SHAPE}, "framework": "PYTORCH"}
    ],
    "preprocessing": {"resize": [SIZE, SIZE], "channel_order": "RGB"},
    "postprocessing": {"type": "anomaly_score", "threshold": 0.5},
}
mochi = {"stages": [stage], "model_info": {"name": "starter", "version": "1.0.0", "framework": "pytorch"}}

artifacts = ENTRY / "export_artifacts"
artifacts.mkdir(parents=True, exist_ok=True)
(ENTRY / "config.yaml").write_text(f"dataset:\n  image_width: {SIZE}\n  image_height: {SIZE}\n")
(ENTRY / "mochi.json").write_text(json.dumps(mochi, indent=2) + "\n")
(artifacts / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
torch.jit.trace(Detector().eval(), torch.rand(SHAPE)).save(artifacts / "model.pt")
