"""`podium score` as it is typed: which options make a benchmark run, and which do not go together."""

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from pyarrow import parquet
from typer.testing import CliRunner

from scoring.cli import app as cli
from scoring.cli.ending import EXIT_FAULT, EXIT_REJECTED, EXIT_USAGE
from scoring.files.workdirs import own_root
from scoring.tracks import dump_track, load_track
from tests.tiny import uncaptured

MODEL = """
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 100)

    def forward(self, pixels):
        return self.head(pixels.mean((2, 3))) + torch.rand(len(pixels), 100)
"""


def score(root: Path, entry: str, *options: str) -> int:
    return scored(root, entry, *options).exit_code


def scored(root: Path, entry: str, *options: str) -> Result:
    """Score an entry that may draw random numbers: the preset's track, but for capture."""
    document = load_track("cvpr2022-track1")
    track = root / "track.yaml"
    track.write_text(dump_track(replace(document, spec=uncaptured(document.spec))), "utf-8")
    given = [str(root / entry), "--track", str(track), "--data", str(root / "data"), *options]
    environment = {"PODIUM_CACHE": str(root / "cache")}
    return CliRunner().invoke(cli.app, ["score", *given], env=environment)


@pytest.fixture
def unusable(root: Path) -> Path:
    """An entry that is rejected at once, and data that nobody can plan: the run fails at what it reads first."""
    (root / "entry.zip").write_bytes(b"no archive")
    (root / "data" / "labels.csv").write_text("file\n")
    return root


@pytest.mark.parametrize("options", [(), ("--log",), ("--json",)])
def test_without_its_options_there_is_no_plan_and_the_entry_is_read_first(
    unusable: Path, options: tuple[str, ...]
) -> None:
    assert score(unusable, "entry.zip", *options) == EXIT_REJECTED


@pytest.mark.parametrize(
    "options",
    [
        ("--debug",),
        ("--small",),
        ("--full",),
        ("--seed", "0"),
        ("--batch-size", "1"),
        ("--results-dir", "results"),
        ("--checkpoint-every", "1"),
        ("--crop-prob", "0.1"),
        ("--holdout-share", "0.5"),
        ("--gasstation-share", "0"),
    ],
)
def test_each_option_makes_a_benchmark_run_whose_plan_comes_first(
    unusable: Path, options: tuple[str, ...]
) -> None:
    assert score(unusable, "entry.zip", *options) == EXIT_FAULT


@pytest.mark.parametrize(
    "options",
    [
        ("--debug", "--small"),
        ("--debug", "--small", "--full"),
        ("--seed", "-1"),
        ("--seed", "2147483648"),
        ("--batch-size", "0"),
        ("--checkpoint-every", "0"),
        ("--augmented", "0"),
        ("--augment-level", "4"),
        ("--crop-prob", "1.5"),
        ("--crop-prob", "nan"),
        ("--holdout-share", "-0.1"),
        ("--gasstation-share", "1.1"),
        ("--holdout-share", "0.6", "--gasstation-share", "0.5"),
        ("--holdout-share", "nan"),
        # The track's metric tells no real from synthetic.
        ("--augmented", "1"),
    ],
)
def test_what_has_no_meaning_is_wrong_usage(root: Path, options: tuple[str, ...]) -> None:
    assert score(root, "entry.zip", *options) == EXIT_USAGE


@pytest.mark.parametrize("track", ["byom-segmentation", "byom-detection"])
def test_masks_and_boxes_have_no_benchmark_run_and_the_message_says_what_to_do(
    root: Path, track: str
) -> None:
    given = [str(root / "entry.zip"), "--track", track, "--data", str(root / "data"), "--small"]

    told = CliRunner().invoke(cli.app, ["score", *given], env={"PODIUM_CACHE": str(root / "cache")})

    assert told.exit_code == EXIT_USAGE
    assert "score it without a mode" in " ".join(told.stderr.replace("│", " ").split())


def test_sound_has_no_random_changes(root: Path) -> None:
    given = [str(root / "entry.zip"), "--track", "gasbench-audio", "--data", str(root / "data")]

    assert CliRunner().invoke(cli.app, ["score", *given, "--augment-level", "1"]).exit_code == EXIT_USAGE


@pytest.mark.parametrize("size", ["", "-1", "1.5", "20 GB", "²"])
def test_a_size_of_the_cache_that_is_no_number_is_wrong_usage(
    root: Path, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_CACHE_MAX_BYTES", size)

    assert score(root, "entry.zip") == EXIT_USAGE


def test_scoring_bounds_the_cache(unusable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_CACHE_MAX_BYTES", "100")
    old, new = (unusable / "cache" / "podium" / f"{letter * 40}.npy" for letter in "ab")
    old.parent.mkdir(parents=True)
    for path, used_at in ((old, 1), (new, 2)):
        path.write_bytes(bytes(100))
        os.utime(path, (used_at, used_at))

    score(unusable, "entry.zip")

    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("options", [(), ("--debug",)])
def test_files_of_another_kind_are_all_named_before_the_entry_is_looked_at(
    root: Path, options: tuple[str, ...]
) -> None:
    (root / "entry.zip").write_bytes(b"no archive")
    for number in (3, 7):
        (root / "data" / f"{number}.png").write_bytes(b"a text")

    ended = scored(root, "entry.zip", "--json", *options)

    message = json.loads(ended.stdout)["message"]
    assert ended.exit_code == EXIT_FAULT
    assert [line.split("”")[0] for line in message.splitlines()[1:]] == ["row 4: “3.png", "row 8: “7.png"]


def test_what_a_killed_command_left_is_removed_by_the_next(
    unusable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(unusable))
    leftover = own_root() / "left"
    leftover.mkdir()

    score(unusable, "entry.zip")

    assert list(own_root().iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("quick_backends")
@pytest.mark.parametrize("options", [(), ("--debug",), ("--augment-level", "1")])
def test_files_that_prove_undecodable_are_all_named(root: Path, options: tuple[str, ...]) -> None:
    (root / "model").mkdir()
    (root / "model" / "model.py").write_text(MODEL)
    for number in (3, 7):
        (root / "data" / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    ended = scored(root, "model", "--trust", "--json", *options)

    message = json.loads(ended.stdout)["message"]
    assert ended.exit_code == EXIT_FAULT
    assert [line.split("”")[0] for line in message.splitlines()[1:]] == ["row 4: “3.png", "row 8: “7.png"]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_backends")
def test_a_real_model_that_draws_random_numbers_gives_the_same_records_twice(root: Path) -> None:
    (root / "model").mkdir()
    (root / "model" / "model.py").write_text(MODEL)
    options = ("--trust", "--small", "--seed", "3", "--batch-size", "5", "--checkpoint-every", "18")

    for name in ("one", "other"):
        assert score(root, "model", *options, "--augment-level", "2", "--results-dir", str(root / name)) == 0

    records = parquet.read_table(root / "one" / "records.parquet").to_pylist()
    metadata = json.loads((root / "one" / "results.json").read_bytes())["metadata"]
    assert (metadata["mode"], metadata["seed"]) == ("small", 3)
    assert {(row["batch_size"], row["augment_level"]) for row in records} == {(5, 2)}
    assert len(list((root / "one" / "checkpoint" / "base").glob("*.f32"))) == 2
    assert (root / "one" / "records.parquet").read_bytes() == (
        root / "other" / "records.parquet"
    ).read_bytes()
