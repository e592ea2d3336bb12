"""The pass over worn samples, and random changes of all samples, in whole runs."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pyarrow import parquet

from scoring.contracts import Metric, OutputContract, OutputKind, Task
from scoring.errors import Fault
from scoring.readers.augmentation import change, draw
from scoring.readers.image import read_picture
from scoring.readers.robustness import wear_picture
from scoring.readers.undecodable import UndecodableRows
from scoring.sandbox.fake import FakeSandbox, predicted
from scoring.tracks import load_track
from tests.scoring.benchmark.playing import DrawingSandbox, play
from tests.tiny import uncaptured

SIDE = 224


class WatchingSandbox(DrawingSandbox):
    """Answers with the mean of each picture as the logit of class 1, and keeps what it saw."""

    seen: list[np.ndarray]

    def run(self, job, *, workdir, tick):  # type: ignore[no-untyped-def]
        if job.request.task is Task.PREDICT:
            pixels = np.load(job.inputs)
            self.seen = [*getattr(self, "seen", []), *pixels]
            means = pixels.mean(axis=(1, 2, 3))
            rows = np.stack([np.zeros_like(means), (means - 128) / 64], axis=1).astype(np.float32)
            self.scripts = {**self.scripts, Task.PREDICT: [predicted(rows)]}
        return FakeSandbox.run(self, job, workdir=workdir, tick=tick)


@pytest.fixture
def track():
    spec = uncaptured(load_track("cvpr2022-track1").spec)
    output = OutputContract(kind=OutputKind.LOGITS, width=2)
    return replace(spec, output=output, metric=Metric.SN34_SCORE, extra_metrics=(Metric.ACCURACY,))


@pytest.fixture
def root(root: Path) -> Path:
    """Pictures of the model's own size, with texture, labelled 0 to 1, brighter ones 1 mostly."""
    random = np.random.default_rng(0)
    rows = ["file,label,group"]
    for number in range(30):
        picture = random.integers(0, 200, (SIDE, SIDE, 3)) * (0.5 + number / 40)
        cv2.imwrite(str(root / "data" / f"{number}.png"), np.clip(picture, 0, 255).astype(np.uint8))
        rows.append(f"{number}.png,{int(number > 14) ^ (number % 7 == 0)},group {number % 3}")
    (root / "data" / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def planes(picture: np.ndarray) -> bytes:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)).tobytes()


def test_the_first_samples_of_each_group_are_seen_again_worn(root: Path, track) -> None:
    sandbox = WatchingSandbox()

    play(root, None, sandbox, track=track, augmented=2)

    worn = {planes(wear_picture(read_picture(path, track.input))) for path in (root / "data").glob("*.png")}
    assert len(sandbox.seen) == 30 + 3 * 2
    assert all(pixels.tobytes() not in worn for pixels in sandbox.seen[:30])
    assert all(pixels.tobytes() in worn for pixels in sandbox.seen[30:])


def test_the_results_hold_the_blend_of_both_scores(root: Path, track) -> None:
    report = play(root, root / "results", WatchingSandbox(), track=track, augmented=4)

    fields = json.loads((root / "results" / "results.json").read_bytes())["results"]
    assert fields["base_sn34_score"] == report.scores["base_sn34_score"].value
    assert fields["sn34_score"] == pytest.approx(
        0.8 * fields["base_sn34_score"] + 0.2 * fields["aug_sn34_score"]
    )
    assert fields["sn34_score"] == report.scores["sn34_score"].value
    assert fields["aug_paired_samples"] == 12
    assert fields["total_samples"] == 30


def test_degradation_is_the_mean_drop_of_the_truths_probability(root: Path, track) -> None:
    play(root, root / "results", WatchingSandbox(), track=track, augmented=4)

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    truth = {(row["aug_pass"], row["sample_id"]): row["probs"][1 if row["label"] else 0] for row in records}
    drops = [truth[False, sample] - chance for (worn, sample), chance in truth.items() if worn]
    fields = json.loads((root / "results" / "results.json").read_bytes())["results"]
    assert len(drops) == 12
    assert fields["aug_mean_prob_degradation"] == pytest.approx(np.mean(drops))


def test_media_types_are_named_and_counted(root: Path, track) -> None:
    play(root, root / "results", WatchingSandbox(), track=track)

    document = json.loads((root / "results" / "results.json").read_bytes())
    media = document["accuracy_by_media_type"]
    assert set(media) == {"real", "synthetic"}
    assert sum(row["samples"] for row in media.values()) == 30


def test_random_changes_follow_from_the_plans_seed_and_the_place_in_the_plan(root: Path, track) -> None:
    sandbox = WatchingSandbox()

    play(root, root / "results", sandbox, track=track, augment_level=3, seed=5)

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    for pixels, row in zip(sandbox.seen, records, strict=True):
        source = read_picture(root / "data" / row["source_file"], track.input)
        changes = draw(level=3, seed=5 + row["iteration_index"])
        (expected,) = change([source], changes, fit=lambda picture: picture)
        assert pixels.tobytes() == planes(expected)
    assert {row["augment_level"] for row in records} == {3}


def test_a_finished_run_with_copies_knows_its_samples_again(root: Path, track) -> None:
    play(root, root / "results", WatchingSandbox(), track=track, augmented=1, augment_level=1)
    before = (root / "results" / "records.parquet").read_bytes()
    again = WatchingSandbox()

    play(root, root / "results", again, track=track, augmented=1, augment_level=1)

    assert again.predicted == []
    assert (root / "results" / "records.parquet").read_bytes() == before


@pytest.mark.parametrize("change", [{"augmented": 2}, {"augment_level": 1}, {"crop_probability": 0.5}])
def test_a_folder_of_a_run_treated_otherwise_is_refused(root: Path, track, change) -> None:
    play(root, root / "results", WatchingSandbox(), track=track)

    with pytest.raises(Fault, match="differs in"):
        play(root, root / "results", WatchingSandbox(), track=track, **change)


def test_all_files_that_no_copy_can_be_made_of_are_told(root: Path, track) -> None:
    for number in (3, 7):
        (root / "data" / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    with pytest.raises(UndecodableRows) as caught:
        play(root, None, WatchingSandbox(), track=track, augment_level=1)

    assert [(one.row, one.file) for one in caught.value.failed] == [(4, "3.png"), (8, "7.png")]
    assert caught.value.noun == "image"


def test_a_track_without_the_metric_has_no_blend(root: Path) -> None:
    with pytest.raises(Fault, match="sn34_score"):
        play(root, None, DrawingSandbox(), augmented=2)
