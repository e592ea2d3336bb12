"""Writes a BYOM package into entry/: three documents and a traced model. Put your model here."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ENTRY = Path(__file__).parent / "entry"
SIZE, CLASSES = 128, 3
SHAPE = [1, 3, SIZE, SIZE]


class Inks(nn.Module):
    """Map RGB pictures from 0 to 1, shape (N, 3, H, W), to logits (N, 3, H, W) of paper, blue ink, red ink."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = nn.Conv2d(3, CLASSES, 1)
        # Nothing is learnt: ink is blue or red where one of the two is far stronger than the other.
        weights = torch.tensor([[0.0, 0.0, 0.0], [-10.0, 0.0, 10.0], [10.0, 0.0, -10.0]])
        self.judge.weight.data = weights.view(CLASSES, 3, 1, 1)
        self.judge.bias.data = torch.tensor([2.5, 0.0, 0.0])

    def forward(self, images: Tensor) -> Tensor:
        """Judge each pixel by itself."""
        return self.judge(images)


stage = {
    "type": "semantic_segmentation",
    "input_shape": SHAPE,
    "output_shape": [1, CLASSES, SIZE, SIZE],
    "num_classes": CLASSES,
}
manifest = {
    "model_graph": {"stages": [stage]},
    "input_shape": SHAPE,
    "compilable_models": [
        {"filename": "model.pt", "data_input_config": {"input": SHAPE}, "framework": "PYTORCH"}
    ],
    "preprocessing": {"resize": [SIZE, SIZE], "channel_order": "RGB"},
    "postprocessing": {"type": "argmax_per_pixel"},
}
mochi = {"stages": [stage], "model_info": {"name": "starter", "version": "1.0.0", "framework": "pytorch"}}

artifacts = ENTRY / "export_artifacts"
artifacts.mkdir(parents=True, exist_ok=True)
(ENTRY / "config.yaml").write_text(
    f"dataset:\n  image_width: {SIZE}\n  image_height: {SIZE}\n  num_classes: {CLASSES}\n"
)
(ENTRY / "mochi.json").write_text(json.dumps(mochi, indent=2) + "\n")
(artifacts / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
torch.jit.trace(Inks().eval(), torch.rand(SHAPE)).save(artifacts / "model.pt")
