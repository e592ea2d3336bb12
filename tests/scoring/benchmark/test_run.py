"""Benchmark runs in chunks: the plan is kept, a crash changes nothing, and another run is not mixed in."""

import errno
import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from scoring.benchmark import chunks
from scoring.benchmark.plan import Mode
from scoring.contracts import Task
from scoring.data.labels import read_labels
from scoring.errors import Fault, Rejected
from scoring.sandbox.fake import predicted
from scoring.tracks import load_track
from tests.scoring.benchmark.playing import TRACK, DrawingSandbox, kept, play
from tests.tiny import uncaptured

METADATA = {
    "run_id",
    "timestamp",
    "datetime",
    "model_path",
    "modality",
    "mode",
    "gasstation_only",
    "benchmark_completed",
    "duration_seconds",
    "track",
    "plan",
    "seed",
    "dataset_digest",
    "holdout_share",
    "gasstation_share",
}
SOURCE = Path(__file__).parents[3]
FILES = ("records.parquet", "results.json", "summary.txt")


def document_of(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_bytes())


@pytest.mark.parametrize("killed_in", [0, 1, 3])
def test_a_run_killed_in_a_chunk_and_begun_again_gives_the_same_bytes(root: Path, killed_in: int) -> None:
    play(root, root / "whole", DrawingSandbox())
    program = [sys.executable, str(Path(__file__).with_name("playing.py")), str(root), str(root / "cut")]
    killed = subprocess.run([*program, str(killed_in)], cwd=SOURCE, env={"PYTHONPATH": str(SOURCE)})
    assert killed.returncode == -9
    assert not (root / "cut" / "results.json").exists()

    again = DrawingSandbox()
    play(root, root / "cut", again)

    assert len(again.predicted) == 4 - killed_in
    assert kept(root / "cut") == kept(root / "whole")


def test_a_finished_run_begun_again_predicts_nothing(root: Path) -> None:
    play(root, root / "results", DrawingSandbox())
    before, figures = kept(root / "results"), document_of(root / "results")["results"]
    again = DrawingSandbox()

    play(root, root / "results", again)

    assert again.predicted == []
    assert kept(root / "results") == before
    # Finished chunks keep the time that they took, so not even the times differ.
    assert document_of(root / "results")["results"] == figures


def test_the_metadata_have_every_field_and_no_other(root: Path) -> None:
    play(root, root / "results", DrawingSandbox())

    assert set(document_of(root / "results")["metadata"]) == METADATA


def test_chunks_are_whole_batches_and_cover_the_plan(root: Path) -> None:
    sandbox = DrawingSandbox()

    play(root, None, sandbox, chunk_samples=5)

    assert [job.request.samples for job in sandbox.predicted] == [8, 8, 8, 6]
    assert {job.request.batch_size for job in sandbox.predicted} == {4}


def test_every_chunk_has_a_seed_of_its_own_that_follows_from_the_plans(root: Path) -> None:
    one, same, other = DrawingSandbox(), DrawingSandbox(), DrawingSandbox()
    play(root, None, one)
    play(root, None, same)
    play(root, None, other, seed=7)

    seeds = [[job.request.seed for job in sandbox.predicted] for sandbox in (one, same, other)]
    assert len(set(seeds[0])) == 4
    assert seeds[0] == seeds[1]
    assert not set(seeds[0]) & set(seeds[2])


def test_the_report_names_the_plan_and_scores_all_of_it(root: Path) -> None:
    report = play(root, root / "results", DrawingSandbox())

    document = json.loads((root / "results" / "results.json").read_bytes())
    assert report.plan is not None
    assert report.plan.startswith("sha256:")
    assert document["metadata"]["plan"] == report.plan
    assert report.samples == document["results"]["total_samples"] == 30


def test_a_record_stands_for_each_planned_sample(root: Path) -> None:
    play(root, root / "results", DrawingSandbox())

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    labels = {row.file: (row.label, row.group) for row in read_labels(root / "data").rows}
    assert {row["source_file"]: (row["label"], row["dataset_name"]) for row in records} == labels
    assert [row["iteration_index"] for row in records] == list(range(30))
    assert [row["batch_id"] for row in records] == [number // 4 for number in range(30)]
    assert {row["status"] for row in records} == {"ok"}
    assert len({row["sample_id"] for row in records}) == 30


def test_each_record_is_of_the_picture_that_the_model_saw(root: Path) -> None:
    """The first logit of picture i is (8 i) / 255 above its noise, and the noise is known."""
    sandbox = DrawingSandbox()
    play(root, root / "results", sandbox, chunk_samples=32)

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    noise = np.random.default_rng(sandbox.predicted[0].request.seed).random((30, 100))
    pixels = np.array([8 * int(row["source_file"].split(".")[0]) for row in records])
    logits = (noise + pixels[:, None] / 255).astype(np.float32)
    assert [row["predicted"] for row in records] == logits.argmax(axis=1).tolist()


def test_the_accuracy_is_the_weighted_share_of_correct_records(root: Path) -> None:
    report = play(root, root / "results", DrawingSandbox())

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    weights = [1 + int(row["source_file"].split(".")[0]) % 2 for row in records]
    right = sum(weight for row, weight in zip(records, weights, strict=True) if row["correct"])
    assert report.scores["accuracy"].value == pytest.approx(right / sum(weights))


def test_the_report_and_the_results_break_down_what_was_right(root: Path) -> None:
    report = play(root, root / "results", DrawingSandbox())

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    breakdown = report.breakdown
    assert breakdown is not None
    for name, parts in (("label", breakdown.by_label), ("dataset_name", breakdown.by_group)):
        counted = Counter(str(row[name]) for row in records)
        right = Counter(str(row[name]) for row in records if row["correct"])
        assert {part: (share.samples, share.correct) for part, share in parts.items()} == {
            part: (samples, right[part]) for part, samples in counted.items()
        }
    written = json.loads((root / "results" / "results.json").read_bytes())["breakdown"]
    assert written == json.loads(json.dumps(asdict(breakdown)))


def test_data_without_groups_is_broken_down_by_label_alone(root: Path) -> None:
    (root / "data" / "labels.csv").write_text("file,label\n0.png,0\n1.png,1\n")

    breakdown = play(root, None, DrawingSandbox()).breakdown

    assert breakdown is not None
    assert (set(breakdown.by_label), breakdown.by_group) == ({"0", "1"}, {})


def test_data_that_are_no_classes_are_refused(root: Path) -> None:
    (root / "data" / "labels.csv").write_text("file,mask\n0.png,1.png\n")

    with pytest.raises(Fault, match="scored against classes, but the dataset has masks"):
        play(root, None, DrawingSandbox())


def test_a_track_of_masks_is_refused_to_callers_too(root: Path) -> None:
    with pytest.raises(Fault, match="whose labels are classes"):
        play(root, None, DrawingSandbox(), track=load_track("byom-segmentation").spec)


def test_trouble_with_our_own_files_is_a_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, rows: object, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(chunks, "cut", full)

    with pytest.raises(Fault, match="OSError while reading or writing the samples"):
        play(root, None, DrawingSandbox())


def test_results_that_cannot_be_written_are_a_fault(root: Path) -> None:
    (root / "results" / "summary.txt").mkdir(parents=True)

    with pytest.raises(Fault, match="the results cannot be written"):
        play(root, root / "results", DrawingSandbox())


# --- the latency gate


class GatedSandbox(DrawingSandbox):
    """Answers single samples with the rows that it predicted for them."""

    def run(self, job, *, workdir, tick):  # type: ignore[no-untyped-def]
        run = super().run(job, workdir=workdir, tick=tick)
        if job.request.task is Task.PREDICT:
            earlier = self.scripts.get(Task.LATENCY, [predicted(np.zeros((0, 100)))])[0].outputs
            rows = np.frombuffer(earlier + self.scripts[Task.PREDICT][0].outputs, "<f4").reshape(-1, 100)
            self.scripts = {**self.scripts, Task.LATENCY: [predicted(rows)]}
        return run


def gated(max_ms: float):
    track = uncaptured(load_track(TRACK).spec)
    return replace(track, budgets=replace(track.budgets, max_latency_ms=max_ms))


@pytest.mark.parametrize(("max_ms", "warnings"), [(1e9, []), (1e-9, ["outside_latency_gate"])])
def test_a_gate_is_held_on_the_first_samples_of_the_plan(
    root: Path, max_ms: float, warnings: list[str]
) -> None:
    sandbox = GatedSandbox()

    report = play(root, root / "results", sandbox, track=gated(max_ms))

    performance = json.loads((root / "results" / "results.json").read_bytes())["metrics"]["performance"]
    assert [warning.code for warning in report.warnings] == warnings
    assert report.usage.latency_p50_ms == performance["latency_p50_ms"] > 0
    assert next(job.request.samples for job in sandbox.jobs if job.request.task is Task.LATENCY) == 30


def test_a_run_begun_again_is_timed_again(root: Path) -> None:
    first = GatedSandbox()
    play(root, root / "results", first, track=gated(1e9))
    again = DrawingSandbox(scripts=first.scripts)

    report = play(root, root / "results", again, track=gated(1e9))

    assert [job.request.task for job in again.jobs] == [Task.MEASURE, Task.LATENCY]
    assert report.usage.latency_p50_ms is not None


def test_a_track_without_a_gate_is_not_timed(root: Path) -> None:
    assert play(root, None, DrawingSandbox()).usage.latency_p50_ms is None


# --- what voids a run


def test_a_sample_without_an_outcome_voids_the_run(root: Path) -> None:
    with pytest.raises(Rejected) as caught:
        play(root, root / "results", DrawingSandbox(rows_lost=1))

    assert caught.value.code == "wrong_output_count"
    assert caught.value.findings[0].facts == {"found": 7, "expected": 8}
    assert not any((root / "results" / name).exists() for name in FILES)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"seed": 1}, "plan"), ({"mode": Mode.SMALL}, "plan"), ({"batch_size": 8}, "track")],
)
def test_the_folder_of_another_run_is_refused(root: Path, change: dict[str, object], named: str) -> None:
    play(root, root / "results", DrawingSandbox())

    with pytest.raises(Fault, match=named):
        play(root, root / "results", DrawingSandbox(), **change)


def test_the_folder_is_refused_after_the_data_changed(root: Path) -> None:
    play(root, root / "results", DrawingSandbox())
    (root / "data" / "0.png").write_bytes((root / "data" / "1.png").read_bytes())

    with pytest.raises(Fault, match="dataset"):
        play(root, root / "results", DrawingSandbox())


def test_without_a_folder_nothing_is_kept(root: Path) -> None:
    sandbox = DrawingSandbox()
    play(root, None, sandbox)
    before = len(sandbox.predicted)

    play(root, None, sandbox)

    assert len(sandbox.predicted) == 2 * before


def test_only_planned_samples_enter_the_sandbox(root: Path) -> None:
    rows = ["file,label", *(f"{number}.png,0" for number in range(30))]
    for number in range(30, 110):
        (root / "data" / f"{number}.png").write_bytes((root / "data" / "0.png").read_bytes())
        rows.append(f"{number}.png,0")
    (root / "data" / "labels.csv").write_text("\n".join(rows) + "\n")
    sandbox = DrawingSandbox()

    play(root, None, sandbox, mode=Mode.DEBUG, chunk_samples=1_000)

    (job,) = sandbox.predicted
    assert job.request.task is Task.PREDICT
    assert job.request.samples == 100
