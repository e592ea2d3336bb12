"""What it takes to add a metric, a format or a track field: each is added to a copy of the tree, which must know it.

Two product files are enough for each, besides tests and docs. If a third is needed one day, some fact has found a
second home.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PRODUCT = ("competition", "scoring", "templates", "static")
FOLDERS = (*PRODUCT, "docs")
MAX_FILES = 2


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A copy of the product that is added to."""

    root: Path

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, "utf-8")

    def insert(self, name: str, text: str, *, before: str) -> None:
        source = (self.root / name).read_text("utf-8")
        assert source.count(before) == 1
        (self.root / name).write_text(source.replace(before, text + before), "utf-8")

    def run(self, *arguments: str) -> str:
        """Run Python in the tree and return what it prints."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "DJANGO_SETTINGS_MODULE": "competition.settings",
        }
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def touched(self) -> list[str]:
        """Return the product files that are new or changed."""
        names = [
            path.relative_to(self.root)
            for folder in PRODUCT
            for path in (self.root / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        ]
        return sorted(str(name) for name in names if not self._is_as_shipped(name))

    def _is_as_shipped(self, name: Path) -> bool:
        shipped = ROOT / name
        return shipped.is_file() and shipped.read_bytes() == (self.root / name).read_bytes()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "tree"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("env.txt", "manage.py"):
        shutil.copy2(ROOT / name, root / name)
    return Tree(root=root)


COIN = '''"""Half, whatever is predicted."""

from __future__ import annotations

from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights


def coin(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score every entry alike."""
    return MetricResult(value=0.5, ci=(0.25, 0.75), details={})
'''
COIN_FACTS = """    Metric.COIN: MetricFacts(
        title="Coin",
        version="1",
        module="coin",
        output=OutputKind.LOGITS,
        words="half, whatever is predicted",
        interval="none",
        source="a coin",
    ),
"""
KNOWS_COIN = """
import django; django.setup()
import numpy as np
from competition.admin.tracks.track_form import TrackForm
from scoring.contracts import METRIC_FACTS, Metric
from scoring.metrics import score
from scoring.tracks import build_track, load_track, plain
document = build_track({**plain(load_track("cvpr2022-track1")), "metric": "coin", "extra_metrics": []})
scores = score(document.spec.metric, (), labels=np.array([0, 1]), predictions=np.eye(2, dtype=np.float32))
print("score" if scores["coin"].value == 0.5 else "")
print("form" if "coin" in dict(TrackForm.base_fields["metric"].choices) else "")
"""


def test_a_metric_is_a_formula_and_a_declaration(tree: Tree) -> None:
    tree.write("scoring/metrics/coin.py", COIN)
    tree.insert("scoring/contracts/metric.py", '    COIN = "coin"\n', before="    TOP5_ACCURACY = ")
    tree.insert("scoring/contracts/metric.py", COIN_FACTS, before="    Metric.TOP5_ACCURACY: ")

    assert tree.run("-c", KNOWS_COIN).split() == ["score", "form"]
    assert "- coin" in tree.run("manage.py", "spectacular")
    tree.run("manage.py", "makemigrations", "--check", "--dry-run")
    tree.run("docs/reference/generate.py")
    assert "| `coin` |" in (tree.root / "docs/reference/metrics.md").read_text("utf-8")
    assert len(tree.touched()) <= MAX_FILES


BARE = '''"""A zip with model.py and a file named `bare`."""

from __future__ import annotations

from pathlib import PurePosixPath

from scoring.contracts import Finding, Format, Mismatch, Package, Settled, TrackSpec, Unpacked
from scoring.packages.wrapping import locate


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry with both files."""
    place = locate(unpacked, lambda paths: PurePosixPath("bare") in paths)
    return place.package(Format.BARE, main="model.py") if place else Mismatch(why="no file “bare”")


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Find nothing wrong."""
    return ()


def settle(package: Package, track: TrackSpec) -> Settled:
    """Leave the track as it is."""
    return Settled(track=track)
'''
BARE_FACTS = """    Format.BARE: FormatFacts(
        title="Bare zip",
        summary="a zip with model.py and a file named bare",
        layout="A zip with model.py and a file named bare.",
        suffixes=(".zip",),
        rules="scoring.packages.bare",
        loader="scoring.sandboxed.loaders.cvpr_zip",
        measure="scoring.sandboxed.measures.torch_entry",
    ),
"""
MODEL = """from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 100)

    def forward(self, x):
        return self.head(x.mean((2, 3)))
"""
KNOWS_BARE = """
import django; django.setup()
from competition.admin.tracks.track_form import TrackForm
from competition.tracks.wording import formats_in_words
from scoring.tracks import build_track, load_track, plain
document = build_track({**plain(load_track("cvpr2022-track1")), "formats": ["bare"]})
print("form" if "bare" in dict(TrackForm.base_fields["formats"].choices) else "")
print("page" if "Bare zip" in formats_in_words(document.spec)[0].title else "")
"""


@pytest.mark.slow
def test_a_format_is_a_folder_of_rules_and_a_row(tree: Tree, tmp_path: Path) -> None:
    tree.write("scoring/packages/bare/__init__.py", BARE)
    tree.insert("scoring/contracts/format.py", '    BARE = "bare"\n', before='    ONNX = "onnx"\n')
    tree.insert("scoring/contracts/format.py", BARE_FACTS, before="    Format.ONNX: ")
    track = yaml.safe_load((tree.root / "scoring/presets/cvpr2022-track1.yaml").read_text("utf-8"))
    (tmp_path / "track.yaml").write_text(yaml.safe_dump({**track, "formats": ["bare"]}), "utf-8")
    with zipfile.ZipFile(tmp_path / "entry.zip", "w") as entry:
        entry.writestr("model.py", MODEL)
        entry.writestr("bare", "")

    checked = tree.run(
        *("-c", "from scoring.cli import main; main()", "check", str(tmp_path / "entry.zip")),
        *("--track", str(tmp_path / "track.yaml"), "--trust", "--json"),
    )

    report = yaml.safe_load(checked)
    assert (report["verdict"], report["format"], report["usage"]["parameters"]) == (
        "accepted",
        "bare",
        400,
    )
    assert tree.run("-c", KNOWS_BARE).split() == ["form", "page"]
    assert "- bare" in tree.run("manage.py", "spectacular")
    tree.run("manage.py", "makemigrations", "--check", "--dry-run")
    assert len(tree.touched()) <= MAX_FILES


KNOWS_TOYS = """
import django; django.setup()
from competition.admin.tracks.track_fieldsets import fieldsets
from competition.admin.tracks.track_form import TrackForm
from competition.tracks.field_words import document_in_words
from scoring.tracks import build_track, load_track, plain
document = load_track("cvpr2022-track1")
raw = plain(document)
raw["run_limits"]["toys"] = 5
changed = build_track(raw)
print("yaml" if changed.spec.run_limits.toys == 5 else "")
print("digest" if changed.spec.digest() != document.spec.digest() else "")
print("form" if "run_limits_toys" in TrackForm.base_fields else "")
print("fieldset" if any("run_limits_toys" in options["fields"] for _, options in fieldsets(None)) else "")
rows = [(row.label, row.value) for part in document_in_words(changed) for row in part.rows]
print("page" if ("Toys", "5") in rows else "")
"""
TOYS = '    toys: int = field(default=3, metadata=described("How many toys a run may have.", at_least=1))\n'


def test_a_track_field_is_one_line_of_the_contract(tree: Tree) -> None:
    tree.insert("scoring/contracts/track.py", TOYS, before="    seed: int = ")

    assert tree.run("-c", KNOWS_TOYS).split() == ["yaml", "digest", "form", "fieldset", "page"]
    assert "toys:" in tree.run("manage.py", "spectacular")
    tree.run("manage.py", "makemigrations", "--check", "--dry-run")
    tree.run("docs/reference/generate.py")
    assert "| `toys` |" in (tree.root / "docs/reference/tracks.md").read_text("utf-8")
    assert tree.touched() == ["scoring/contracts/track.py"]
