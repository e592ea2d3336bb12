"""Writes a BYOM package into entry/: three documents and a traced model. Put your model here."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ENTRY = Path(__file__).parent / "entry"
SIZE, CLASSES = 640, 80
STRIDES = (8, 16, 32)
ANCHORS = sum((SIZE // stride) ** 2 for stride in STRIDES)
SHAPE = [1, 3, SIZE, SIZE]
# Red, green, blue of the eight inks of the sample data, then of paper.
COLOURS = [
    (20, 60, 220),
    (30, 150, 40),
    (210, 30, 30),
    (25, 25, 25),
    (20, 180, 200),
    (200, 40, 190),
    (110, 60, 20),
    (240, 130, 10),
    (205, 205, 205),
]
INKS, DIGITS = 8, 10
WINDOW, WIDTH, HEIGHT = 27, 180.0, 240.0


class InkFinder(nn.Module):
    """Map RGB pictures from 0 to 1, shape (N, 3, 640, 640), to (N, 84, 8400): boxes in pixels, then scores.

    Nothing is learnt: where much of a window is of one ink, there is a digit; which digit, it does not know.
    """

    def __init__(self) -> None:
        super().__init__()
        # Closest colour as a convolution: -|x - c|^2 without |x|^2, which is the same for all colours.
        colours = torch.tensor(COLOURS) / 255
        self.closest = nn.Conv2d(3, len(COLOURS), 1)
        self.closest.weight.data = 2 * colours.view(-1, 3, 1, 1)
        self.closest.bias.data = -colours.square().sum(dim=1)
        self.register_buffer("digits", torch.linspace(1, 0.1, DIGITS).view(1, 1, DIGITS, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Find inks on a grid of 8 pixels, then ask the same question at each stride."""
        colours = self.closest(nn.functional.avg_pool2d(images, STRIDES[0]))
        inks = torch.softmax(60 * colours, dim=1)[:, :INKS]
        windows = nn.functional.avg_pool2d(inks, WINDOW, stride=1, padding=WINDOW // 2)
        return torch.cat([self.at(stride, windows) for stride in STRIDES], dim=2)

    def at(self, stride: int, windows: Tensor) -> Tensor:
        """Return the anchors of one stride, each with a box of the same size around it."""
        step = stride // STRIDES[0]
        found = nn.functional.avg_pool2d(windows, step).flatten(2)
        scores = (found.unsqueeze(2) * self.digits).flatten(1, 2).clamp(0, 1)
        centres = torch.arange(stride / 2, SIZE, stride)
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        sides = torch.ones_like(x)
        boxes = torch.stack([x, y, WIDTH * sides, HEIGHT * sides]).flatten(1)
        return torch.cat([boxes.expand(scores.shape[0], -1, -1), scores], dim=1)


stage = {
    "type": "object_detection",
    "input_shape": SHAPE,
    "output_shape": [1, 4 + CLASSES, ANCHORS],
    "num_classes": CLASSES,
}
manifest = {
    "model_graph": {"stages": [stage]},
    "input_shape": SHAPE,
    "compilable_models": [
        {"filename": "model.pt", "data_input_config": {"input": SHAPE}, "framework": "PYTORCH"}
    ],
    "preprocessing": {"resize": [SIZE, SIZE], "channel_order": "RGB"},
    "postprocessing": {"type": "yolo_nms", "confidence_threshold": 0.05, "nms_threshold": 0.5},
}
mochi = {"stages": [stage], "model_info": {"name": "starter", "version": "1.0.0", "framework": "pytorch"}}

artifacts = ENTRY / "export_artifacts"
artifacts.mkdir(parents=True, exist_ok=True)
(ENTRY / "config.yaml").write_text(
    f"dataset:\n  image_width: {SIZE}\n  image_height: {SIZE}\n  num_classes: {CLASSES}\n"
)
(ENTRY / "mochi.json").write_text(json.dumps(mochi, indent=2) + "\n")
(artifacts / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
torch.jit.trace(InkFinder().eval(), torch.rand(SHAPE)).save(artifacts / "model.pt")
