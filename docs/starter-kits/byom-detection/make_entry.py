"""Writes a BYOM package into entry/: three documents and a traced model. Put your own model here."""

import json
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
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
CELL = 16  # pixels; the stride at which digits are looked for
TEMPLATE = 20  # cells
SIZES = (13, 16, 19)  # of a digit, in cells
HIDDEN = 500  # digits that the sample data and the demonstration's hidden data are made of


def mean_digits() -> Tensor:
    """Return the average picture of each digit, (10, 8, 8), ink from 0 to 1, without the hidden ones."""
    source = load_digits()
    seen = np.random.default_rng(2022).permutation(len(source.target))[HIDDEN:]
    images, labels = source.images[seen] / 16, source.target[seen]
    return torch.tensor(np.stack([images[labels == digit].mean(axis=0) for digit in range(DIGITS)])).float()


def templates() -> Tensor:
    """Return each digit in each size, (30, 1, 20, 20), as it is drawn: with strokes of full ink."""
    drawn = []
    for size in SIZES:
        scaled = nn.functional.interpolate(mean_digits()[:, None], size=(size, size), mode="bicubic")
        before, after = (TEMPLATE - size) // 2, (TEMPLATE - size + 1) // 2
        drawn.append(nn.functional.pad((2.5 * (scaled - 0.25)).clamp(0, 1), (before, after, before, after)))
    return torch.stack(drawn, dim=1).flatten(0, 1)


def boxes_of(kernels: Tensor) -> Tensor:
    """Return where the ink of each template is: x and y from the template's middle, width, height, in pixels."""
    found = []
    for ink in kernels[:, 0] > 0.5:
        rows, columns = ink.any(dim=1).nonzero(), ink.any(dim=0).nonzero()
        top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        middle_x, middle_y = (left + right - TEMPLATE) / 2, (top + bottom - TEMPLATE) / 2
        found.append(torch.stack([middle_x, middle_y, right - left, bottom - top]))
    return CELL * torch.stack(found)


class DigitFinder(nn.Module):
    """Map RGB pictures from 0 to 1, shape (N, 3, 640, 640), to (N, 84, 8400): boxes in pixels, then scores.

    Lay average digits in three sizes on each ink; the score of a class is how much of both coincides.
    """

    def __init__(self) -> None:
        super().__init__()
        # Closest colour as a convolution: -|x - c|^2 without |x|^2, which is the same for all colours.
        colours = torch.tensor(COLOURS) / 255
        self.closest = nn.Conv2d(3, len(COLOURS), 1)
        self.closest.weight.data = 2 * colours.view(-1, 3, 1, 1)
        self.closest.bias.data = -colours.square().sum(dim=1)
        self.register_buffer("kernels", templates())
        self.register_buffer("boxes", boxes_of(self.kernels))

    def forward(self, images: Tensor) -> Tensor:
        """Find digits at the stride of 16 pixels; the anchors of the other two strides stay empty."""
        colours = nn.functional.avg_pool2d(self.closest(images), CELL // 4)
        inks = nn.functional.avg_pool2d(torch.softmax(60 * colours, dim=1)[:, :INKS], 4)
        fits = self.fits(inks)
        scores = fits.unflatten(2, (DIGITS, len(SIZES))).amax(dim=3).flatten(1, 2)
        boxes = self.boxes[fits.amax(dim=1).argmax(dim=1)].movedim(-1, 1)
        centres = torch.arange(SIZE // CELL) * float(CELL)
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        shifts = torch.stack([x, y, 0 * x, 0 * y])
        found = torch.cat([boxes + shifts, scores], dim=1).flatten(2)
        before, after = ((SIZE // stride) ** 2 for stride in (STRIDES[0], STRIDES[2]))
        return nn.functional.pad(found, (before, after))

    def fits(self, inks: Tensor) -> Tensor:
        """Return (N, 8, 30, 40, 40): twice what ink and template share, by how much both are."""
        planes = inks.flatten(0, 1).unsqueeze(1)
        half = TEMPLATE // 2
        padded = nn.functional.pad(planes, (half, half - 1, half, half - 1))
        shared = nn.functional.conv2d(padded, self.kernels)
        ink = nn.functional.avg_pool2d(padded.square(), TEMPLATE, stride=1) * TEMPLATE**2
        fits = 2 * shared / (ink + self.kernels.square().sum(dim=(1, 2, 3)).view(1, -1, 1, 1))
        return fits.unflatten(0, (-1, INKS))


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
    "postprocessing": {"type": "yolo_nms", "confidence_threshold": 0.3, "nms_threshold": 0.5},
}
mochi = {"stages": [stage], "model_info": {"name": "starter", "version": "1.0.0", "framework": "pytorch"}}

artifacts = ENTRY / "export_artifacts"
artifacts.mkdir(parents=True, exist_ok=True)
(ENTRY / "config.yaml").write_text(
    f"dataset:\n  image_width: {SIZE}\n  image_height: {SIZE}\n  num_classes: {CLASSES}\n"
)
(ENTRY / "mochi.json").write_text(json.dumps(mochi, indent=2) + "\n")
(artifacts / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
torch.jit.trace(DigitFinder().eval(), torch.rand(SHAPE)).save(artifacts / "model.pt")
