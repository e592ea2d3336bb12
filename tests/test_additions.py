"""What adding a metric, a reader, a format or a track field takes: a copy of the tree gets each and must know it.

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
BEGIN = "import django; django.setup()\n"
END = """
import runpy
from django.core.management import call_command
call_command("spectacular", "--file", "openapi.yaml")
call_command("makemigrations", "--check", "--dry-run", verbosity=0)
runpy.run_path("docs/reference/generate.py", run_name="__main__")
"""


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

    def known(self, program: str) -> list[str]:
        """Run a program in the site, write its API and reference, and return the words that the program prints."""
        return self.run("-c", BEGIN + program + END).split()

    def text(self, name: str) -> str:
        return (self.root / name).read_text("utf-8")

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


pytestmark = pytest.mark.slow


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "tree"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder)  # with byte code, which times of files keep valid
    for name in ("env.txt", "manage.py"):
        shutil.copy2(ROOT / name, root / name)
    return Tree(root=root)


TOY_METRIC = '''"""The share of samples that a toy calls right."""

from __future__ import annotations

import numpy as np

from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights
from scoring.metrics.intervals import effective_samples, exact_mean, wilson


def toy(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the class with the highest output."""
    right = (predictions.argmax(axis=1) == labels).astype(np.float64)
    value = exact_mean(right, weights)
    trials = float(len(labels)) if weights is None else effective_samples(weights)
    return MetricResult(value=value, ci=wilson(value, trials))
'''
TOY_METRIC_ROW = """    Metric.TOY: MetricFacts(
        title="Toy score",
        version="7",
        module="toy",
        output=OutputKind.LOGITS,
        words="share of samples that a toy calls right",
        interval="Wilson",
        source="A toy shop",
    ),
"""
KNOWS_METRIC = """
from competition.admin.tracks.track_form import TrackForm
from competition.tracks.wording import metric_title
from scoring.tracks import build_track, load_track, plain
from scoring.contracts import Metric
raw = plain(load_track("cvpr2022-track1")) | {"metric": "toy"}
if build_track(raw).spec.metric is Metric("toy"): print("yaml")
if "toy" in dict(TrackForm().fields["metric"].choices): print("form")
if metric_title("toy") == "Toy score": print("page")
import sys
if "numpy" not in sys.modules: print("light")
"""


def test_a_metric_is_a_formula_and_a_row(tree: Tree) -> None:
    tree.write("scoring/metrics/toy.py", TOY_METRIC)
    tree.insert("scoring/contracts/metric.py", '    TOY = "toy"\n', before="    TOP5_ACCURACY = ")
    tree.insert("scoring/contracts/metric.py", TOY_METRIC_ROW, before="    Metric.TOP5_ACCURACY: ")
    properties = tree.root / "test_properties.py"
    shutil.copy2(ROOT / "tests/scoring/metrics/test_metrics.py", properties)

    assert tree.known(KNOWS_METRIC) == ["yaml", "form", "page", "light"]
    assert "- toy\n" in tree.text("openapi.yaml")
    tested = tree.run("-m", "pytest", "-q", "-c", os.devnull, "--noconftest", "-k", "toy", str(properties))
    assert " passed" in tested
    page = tree.text("docs/reference/metrics.md")
    assert "| `toy` | `logits` | higher | 0 to 1 | 7 |" in page
    assert tree.touched() == ["scoring/contracts/metric.py", "scoring/metrics/toy.py"]


TOY_READER = '''"""Toys: three zeros a sample."""

from __future__ import annotations

from pathlib import Path

from scoring.contracts import InputContract
from scoring.errors import Fault
from scoring.readers.prepared import PreparedData


def prepare(dataset: Path, **rest: object) -> PreparedData:
    """Play."""
    raise Fault("toys are not read")


def probe_inputs(contract: InputContract, workdir: Path) -> Path:
    """Play."""
    return workdir
'''
TOY_READER_ROW = """    Reader.TOY: ReaderFacts(
        version="7",
        noun="toy",
        batch="toys",
        kinds="wooden toy",
        looks_right=lambda head: head.startswith(b"TOY"),
        sides=("colours", "wheels"),
        stored=Dtype.UINT8,
        debug_samples=5,
        full_samples=50,
    ),
"""
KNOWS_READER = """
from pathlib import Path
from competition.admin.tracks.track_form import TrackForm
from competition.tracks.wording import example_model, input_in_words
from scoring.contracts import Reader
from scoring.data.dataset import readers_for
from scoring.data.labels import read_labels
from scoring.tracks import build_track, load_track, plain
raw = plain(load_track("cvpr2022-track1"))
raw["input"] = {"reader": "toy", "shape": [3, 4]}
spec = build_track(raw).spec
if spec.input.reader is Reader("toy"): print("yaml")
if "toy" in dict(TrackForm().fields["input_reader"].choices): print("form")
if "Channels" not in input_in_words(spec) and "toys" in example_model(spec): print("page")
Path("data").mkdir()
Path("data/a").write_bytes(b"TOY of twelve bytes")
Path("data/labels.csv").write_text("file,label\\na,0\\n")
if readers_for(Path("data"), read_labels(Path("data"))) == (Reader("toy"),): print("data")
import sys
if "numpy" not in sys.modules: print("light")
from scoring.readers import READERS
print(READERS["toy"].__name__)
"""


def test_a_reader_is_a_file_and_a_row(tree: Tree) -> None:
    tree.write("scoring/readers/toy.py", TOY_READER)
    tree.insert("scoring/contracts/reader.py", '    TOY = "toy"\n', before='    VIDEO = "video"\n')
    tree.insert("scoring/contracts/reader.py", TOY_READER_ROW, before="    Reader.VIDEO: ")

    assert tree.known(KNOWS_READER) == ["yaml", "form", "page", "data", "light", "scoring.readers.toy"]
    assert "- toy\n" in tree.text("openapi.yaml")
    assert "`toy`" in tree.text("docs/reference/tracks.md")
    assert tree.touched() == ["scoring/contracts/reader.py", "scoring/readers/toy.py"]


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
from competition.admin.tracks.track_form import TrackForm
from competition.tracks.wording import formats_in_words
from scoring.tracks import build_track, load_track, plain
document = build_track({**plain(load_track("cvpr2022-track1")), "formats": ["bare"]})
print("form" if "bare" in dict(TrackForm.base_fields["formats"].choices) else "")
print("page" if "Bare zip" in formats_in_words(document.spec)[0].title else "")
"""


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
    assert tree.known(KNOWS_BARE) == ["form", "page"]
    assert "- bare" in tree.text("openapi.yaml")
    assert tree.touched() == ["scoring/contracts/format.py", "scoring/packages/bare/__init__.py"]


KNOWS_TOYS = """
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

    assert tree.known(KNOWS_TOYS) == ["yaml", "digest", "form", "fieldset", "page"]
    assert "toys:" in tree.text("openapi.yaml")
    assert "| `toys` |" in tree.text("docs/reference/tracks.md")
    assert tree.touched() == ["scoring/contracts/track.py"]
