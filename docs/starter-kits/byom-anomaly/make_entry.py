"""Writes a BYOM package into entry/: three documents and a traced model. Put your model here."""

import json
from pathlib import Path

import torch
from torch import nn

ENTRY = Path(__file__).parent / "entry"
SIZE, COLUMNS = 64, 2
SHAPE = [1, 3, SIZE, SIZE]

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 8, 5, stride=4),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(8, COLUMNS),
).eval()

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
    "preprocessing": {
        "resize": [SIZE, SIZE],
        "normalize": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "channel_order": "RGB",
    },
    "postprocessing": {"type": "anomaly_score", "threshold": 0.5},
}
mochi = {"stages": [stage], "model_info": {"name": "starter", "version": "1.0.0", "framework": "pytorch"}}

artifacts = ENTRY / "export_artifacts"
artifacts.mkdir(parents=True, exist_ok=True)
(ENTRY / "config.yaml").write_text(f"dataset:\n  image_width: {SIZE}\n  image_height: {SIZE}\n")
(ENTRY / "mochi.json").write_text(json.dumps(mochi, indent=2) + "\n")
(artifacts / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
torch.jit.trace(model, torch.rand(SHAPE)).save(artifacts / "model.pt")
