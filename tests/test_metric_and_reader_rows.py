"""A new metric or reader is one file and one row: a toy of each, in a copy of the house, is known everywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("scoring", "competition", "templates", "docs")

METRIC = '''"""The share of samples that a toy calls right."""

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
METRIC_ROW = """    Metric.TOY: MetricFacts(
        title="Toy score",
        version="7",
        module="toy",
        output=OutputKind.LOGITS,
        words="share of samples that a toy calls right",
        interval="Wilson",
        source="A toy shop",
    ),
"""
KNOWS_THE_METRIC = """
import django; django.setup()
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

READER = '''"""Toys: three zeros a sample."""

from __future__ import annotations

from pathlib import Path

from scoring.contracts import InputContract
from scoring.readers.prepared import PreparedData


def prepare(dataset: Path, **rest: object) -> PreparedData:
    """Play."""
    raise NotImplementedError


def probe_inputs(contract: InputContract, workdir: Path) -> Path:
    """Play."""
    return workdir
'''
READER_ROW = """    Reader.TOY: ReaderFacts(
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
KNOWS_THE_READER = """
import django; django.setup()
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
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the product in which a test may build."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("env.txt", "manage.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(house: Path, *command: str) -> str:
    settings = {"PYTHONPATH": str(house), "DJANGO_SETTINGS_MODULE": "competition.settings"}
    told = subprocess.run(
        [sys.executable, *command],
        cwd=house,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def add_row(table: Path, after: str, member: str, before: str, row: str) -> None:
    """Write a member into an enum, after another one, and its row into the table that ends before some text."""
    text = table.read_text("utf-8")
    text = text.replace(after, after + member, 1)
    end = text.index(before)
    table.write_text(text[:end].rstrip().removesuffix("}") + row + "}\n\n\n" + text[end:], "utf-8")


def changed(house: Path) -> list[str]:
    """Return the product's files that differ from the real ones, docs aside."""
    files = [path.relative_to(house) for name in COPIED for path in (house / name).rglob("*.*")]
    return sorted(
        str(file)
        for file in files
        if "__pycache__" not in file.parts
        and file.parts[0] != "docs"
        and (house / file).is_file()
        and not ((ROOT / file).is_file() and (ROOT / file).read_bytes() == (house / file).read_bytes())
    )


def test_a_metric_is_a_file_and_a_row(house: Path) -> None:
    table = house / "scoring/contracts/metric.py"
    add_row(table, '    ACCURACY = "accuracy"\n', '    TOY = "toy"\n', "def metrics_of(", METRIC_ROW)
    (house / "scoring/metrics/toy.py").write_text(METRIC, "utf-8")
    properties = house / "test_properties.py"
    shutil.copy(ROOT / "tests/scoring/metrics/test_metrics.py", properties)

    run(house, "docs/reference/generate.py")
    known = run(house, "-c", KNOWS_THE_METRIC).split()
    run(house, "manage.py", "makemigrations", "--check", "--dry-run")
    api = run(house, "manage.py", "spectacular")
    tested = run(house, "-m", "pytest", "-q", "-c", os.devnull, "--noconftest", "-k", "toy", str(properties))

    assert re.search(r"^ +- toy$", api, re.MULTILINE)
    assert known == ["yaml", "form", "page", "light"]
    assert "| `toy` | `logits` | higher | 0 to 1 | 7 |" in (house / "docs/reference/metrics.md").read_text()
    assert " passed" in tested
    assert changed(house) == ["scoring/contracts/metric.py", "scoring/metrics/toy.py"]


def test_a_reader_is_a_file_and_a_row(house: Path) -> None:
    table = house / "scoring/contracts/reader.py"
    add_row(table, '    AUDIO = "audio"\n', '    TOY = "toy"\n', "def readers_with(", READER_ROW)
    (house / "scoring/readers/toy.py").write_text(READER, "utf-8")

    run(house, "docs/reference/generate.py")
    known = run(house, "-c", KNOWS_THE_READER).split()
    run(house, "manage.py", "makemigrations", "--check", "--dry-run")
    api = run(house, "manage.py", "spectacular")
    found = run(house, "-c", "from scoring.readers import READERS; print(READERS['toy'].__name__)")

    assert re.search(r"^ +- toy$", api, re.MULTILINE)
    assert known == ["yaml", "form", "page", "data", "light"]
    assert found.strip() == "scoring.readers.toy"
    assert "`toy`" in (house / "docs/reference/tracks.md").read_text("utf-8")
    assert changed(house) == ["scoring/contracts/reader.py", "scoring/readers/toy.py"]
