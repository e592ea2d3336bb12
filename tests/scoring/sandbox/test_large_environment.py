"""Entries as people write them, with the libraries of cpu-2026.1, through the real flow in that environment."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from safetensors.numpy import save

from scoring.contracts import Capture, ScoreReport, TrackSpec, Verdict
from scoring.environment import why_not_here
from scoring.flow import pipeline
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.tiny import write_data

NAME: Final = "cpu-2026.1"

pytestmark = [
    pytest.mark.environment,
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not_here(NAME)), reason=why_not_here(NAME)),
]

VIT = """
import torch
from transformers import ViTConfig, ViTForImageClassification
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = ViTForImageClassification(ViTConfig(
            hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128, num_labels=100))
    def forward(self, x):
        return self.net(pixel_values=x.flip(1) * 2 - 1).logits
"""
CONVNEXT = """
import torch
from transformers import ConvNextConfig, ConvNextForImageClassification
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = ConvNextForImageClassification(
            ConvNextConfig(depths=[1, 1, 2, 1], hidden_sizes=[16, 32, 64, 128], num_labels=100))
    def forward(self, x):
        return self.net(pixel_values=x).logits
"""
EINOPS = """
import torch
from einops import rearrange, reduce
from einops.layers.torch import Rearrange
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = torch.nn.Sequential(
            Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=16, q=16), torch.nn.Linear(768, 64))
        self.qkv = torch.nn.Linear(64, 192)
        self.head = torch.nn.Linear(64, 100)
    def forward(self, x):
        q, k, v = rearrange(self.qkv(self.patches(x)), "b n (t h d) -> t b h n d", t=3, h=4)
        seen = torch.einsum("bhnm,bhmd->bhnd", (torch.einsum("bhnd,bhmd->bhnm", q, k) / 4).softmax(-1), v)
        return self.head(reduce(seen, "b h n d -> b (h d)", "mean"))
"""
KORNIA = """
import kornia, torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(48, 100)
    def forward(self, x):
        x = kornia.color.rgb_to_ycbcr(x.flip(1))
        x = torch.cat([kornia.filters.gaussian_blur2d(x, (5, 5), (1.0, 1.0)), kornia.filters.sobel(x)], dim=1)
        x = kornia.geometry.transform.resize(x, (4, 2), antialias=True)
        return self.head(x.flatten(1))
"""
OPEN_CLIP = """
import torch
from open_clip.transformer import VisionTransformer
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = VisionTransformer(
            image_size=224, patch_size=32, width=64, layers=2, heads=2, mlp_ratio=2.0, output_dim=100)
    def forward(self, x):
        return self.tower(x)
"""
EFFICIENTNET = """
import torch
from efficientnet_pytorch import EfficientNet
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = EfficientNet.from_name("efficientnet-b0", num_classes=100)
    def forward(self, x):
        return self.net(x)
"""
SCIKIT_IMAGE = """
import numpy as np, torch
from skimage.feature import hog
from skimage.color import rgb2gray
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(8 * 7 * 7, 100)
    def forward(self, x):
        pictures = x.permute(0, 2, 3, 1).numpy()
        rows = [hog(rgb2gray(p), orientations=8, pixels_per_cell=(32, 32), cells_per_block=(1, 1)) for p in pictures]
        return self.head(torch.from_numpy(np.stack(rows)).float())
"""
WAVELETS = """
import numpy as np, pywt, torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(12, 100)
    def forward(self, x):
        low, (h, v, d) = pywt.dwt2(x.numpy(), "haar")
        bands = np.concatenate([np.abs(band).mean((2, 3)) for band in (low, h, v, d)], axis=1)
        return self.head(torch.from_numpy(bands).float())
"""
ALBUMENTATIONS = """
import albumentations as A, numpy as np, torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.prepare = A.Compose([A.Resize(8, 8), A.Normalize(max_pixel_value=1.0)])
        self.head = torch.nn.Linear(192, 100)
    def forward(self, x):
        pictures = [self.prepare(image=p)["image"] for p in x.permute(0, 2, 3, 1).numpy()]
        return self.head(torch.from_numpy(np.stack(pictures)).float().flatten(1))
"""
PICTURES: Final = {
    "transformers ViT": (VIT, True),
    "transformers ConvNeXt": (CONVNEXT, True),
    "einops": (EINOPS, True),
    "kornia": (KORNIA, True),
    "open_clip": (OPEN_CLIP, True),
    "efficientnet_pytorch": (EFFICIENTNET, True),
    "scikit-image": (SCIKIT_IMAGE, False),
    "PyWavelets": (WAVELETS, False),
    "albumentations": (ALBUMENTATIONS, False),
}
"""A model.py of the CVPR track with each library, and whether it can be captured."""

TORCHAUDIO = """
import torch, torchaudio
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mel = torchaudio.transforms.MelSpectrogram(16000, n_fft=400, hop_length=320, n_mels=16)
        self.scale = torchaudio.transforms.AmplitudeToDB()
        self.head = torch.nn.Linear(16, 2)
    def forward(self, x):
        return self.head(self.scale(self.mel(x)).mean(-1))
def load_model(weights_path, num_classes=2):
    return Net().eval()
"""
LIBROSA = """
import librosa, numpy as np, torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(13, 2)
    def forward(self, x):
        rows = [librosa.feature.mfcc(y=wave, sr=16000, n_mfcc=13).mean(1) for wave in x.numpy()]
        return self.head(torch.from_numpy(np.stack(rows)).float())
def load_model(weights_path, num_classes=2):
    return Net().eval()
"""
SOUNDS: Final = {"torchaudio": (TORCHAUDIO, True), "librosa": (LIBROSA, False)}


def in_it(preset: str) -> TrackSpec:
    spec = load_track(preset).spec
    return replace(spec, environment=NAME, budgets=replace(spec.budgets, capture=Capture.PREFERRED))


@pytest.fixture
def check(tmp_path: Path) -> Callable[[Path, TrackSpec], ScoreReport]:
    def run(entry: Path, track: TrackSpec) -> ScoreReport:
        workdir = tmp_path / "work"
        workdir.mkdir()
        return pipeline.check(
            entry, track, sandbox=BubblewrapSandbox(), workdir=workdir, note=lambda stage: None
        )

    return run


def write_zip(folder: Path, **files: str | bytes) -> Path:
    path = folder / "entry.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return path


@pytest.mark.parametrize("library", PICTURES)
def test_a_model_of_pictures_is_accepted(
    library: str, tmp_path: Path, check: Callable[[Path, TrackSpec], ScoreReport]
) -> None:
    source, is_captured = PICTURES[library]

    report = check(write_zip(tmp_path, model__py=source), in_it("cvpr2022-track1"))

    assert report.verdict is Verdict.ACCEPTED
    assert report.usage.captured is is_captured, report.usage.not_captured


@pytest.mark.parametrize("library", SOUNDS)
def test_a_model_of_sounds_is_accepted(
    library: str, tmp_path: Path, check: Callable[[Path, TrackSpec], ScoreReport]
) -> None:
    source, is_captured = SOUNDS[library]
    config = json.dumps({"name": "heard", "version": "1", "modality": "audio", "model": {"num_classes": 2}})
    weights = save({"nothing": np.zeros(1, np.float32)})
    entry = write_zip(tmp_path, model_config__yaml=config, model__py=source, model__safetensors=weights)

    report = check(entry, in_it("gasbench-audio"))

    assert report.verdict is Verdict.ACCEPTED
    assert report.usage.captured is is_captured, report.usage.not_captured


def test_parameters_and_macs_of_a_vision_transformer_are_counted(
    tmp_path: Path, check: Callable[[Path, TrackSpec], ScoreReport]
) -> None:
    tokens, width, hidden, layers, classes = 14 * 14 + 1, 64, 128, 2, 100
    products = tokens * width * (4 * width + 2 * hidden) + 2 * tokens * tokens * width
    embedding = (tokens - 1) * 3 * 16 * 16 * width
    block = 4 * (width * width + width) + 2 * width * hidden + hidden + width + 4 * width

    usage = check(write_zip(tmp_path, model__py=VIT), in_it("cvpr2022-track1")).usage

    assert usage.macs == embedding + layers * products + width * classes
    assert usage.parameters == (
        (3 * 16 * 16 * width + width)
        + (width + tokens * width)
        + layers * block
        + 2 * width
        + (width * classes + classes)
    )


def test_an_entry_is_scored_with_them(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data", values=range(0, 240, 20), labels=range(12))
    (tmp_path / "work").mkdir()

    report = pipeline.score(
        write_zip(tmp_path, model__py=CONVNEXT),
        in_it("cvpr2022-track1"),
        data=data,
        benchmark="sha256:none",
        cache=tmp_path / "cache",
        sandbox=BubblewrapSandbox(),
        workdir=tmp_path / "work",
        note=lambda stage: None,
    )

    assert report.verdict is Verdict.SCORED
    assert report.samples == 12
