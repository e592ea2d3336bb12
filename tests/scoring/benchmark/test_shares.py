"""Shares by provenance: the formula, and every metric against data in which copies stand for weights."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from scoring import metrics
from scoring.benchmark.plan import Mode
from scoring.benchmark.shares import Shares, compose, weigh
from scoring.contracts import Metric, OutputKind, metrics_of
from scoring.data.labels import LabelRow
from scoring.errors import Fault
from tests.scoring.benchmark.playing import DrawingSandbox, play

GROUPS = {"celeb": 4, "real-image-holdout-0a1b": 2, "gasstation-1": 2}
OF_LOGITS = metrics_of(OutputKind.LOGITS)


def rows_of(groups: dict[str, int], weights: dict[str, float] | None = None) -> list[LabelRow]:
    names = [group for group, size in groups.items() for _ in range(size)]
    return [
        LabelRow(number=number, file=f"{number}.png", group=group, weight=(weights or {}).get(group, 1.0))
        for number, group in enumerate(names, start=1)
    ]


# --- the formula


def test_a_sample_weighs_its_share_of_all_samples_over_how_many_it_has() -> None:
    weights = weigh(rows_of(GROUPS), Shares(holdout=0.5, gasstation=0.25))

    samples = 8
    expected = [0.25 * samples / 4] * 4 + [0.5 * samples / 2] * 2 + [0.25 * samples / 2] * 2
    assert weights.tolist() == pytest.approx(expected)
    assert weights.mean() == pytest.approx(1)


def test_the_share_of_what_is_absent_goes_to_the_others_in_proportion() -> None:
    weights = weigh(rows_of({"celeb": 6, "gasstation": 2}), Shares(holdout=0.6, gasstation=0.1))

    public, fresh = 0.3 / (0.3 + 0.1), 0.1 / (0.3 + 0.1)
    assert weights.tolist() == pytest.approx([public * 8 / 6] * 6 + [fresh * 8 / 2] * 2)


def test_a_group_of_one_provenance_alone_keeps_its_weights() -> None:
    assert weigh(rows_of({"celeb": 5}), Shares(holdout=0.9)).tolist() == pytest.approx([1] * 5)


def test_own_weights_count_as_copies_among_their_like_and_keep_their_sum() -> None:
    """Two of four public rows weigh 3: they are 3 rows each, so the public ones are 8."""
    rows = rows_of({"celeb": 2, "celeb-b": 2, "a-holdout-1": 4}, {"celeb": 3.0})

    weights = weigh(rows, Shares(holdout=0.75))

    copies = 3 + 3 + 1 + 1
    public, held_out = 0.25 * 12 / copies, 0.75 * 12 / 4
    assert weights.tolist() == pytest.approx([3 * public] * 2 + [public] * 2 + [held_out] * 4)


def test_a_share_of_nothing_weighs_nothing() -> None:
    weights = weigh(rows_of({"celeb": 3, "a-holdout-1": 2}), Shares(holdout=1.0))

    assert weights.tolist() == pytest.approx([0, 0, 0, 2.5, 2.5])


def test_rounding_of_binary_fractions_leaves_the_public_ones_no_crumb() -> None:
    assert min(Shares(holdout=0.7, gasstation=0.3).by_provenance().values()) == 0
    assert min(Shares(holdout=0.9, gasstation=0.1).by_provenance().values()) == 0


def test_shares_that_leave_no_sample_are_a_fault() -> None:
    with pytest.raises(Fault, match="all samples are public"):
        weigh(rows_of({"celeb": 3}), Shares(holdout=0.5, gasstation=0.5))


@pytest.mark.parametrize(
    ("holdout", "gasstation"), [(-0.1, 0), (0, -0.1), (0.6, 0.5), (math.nan, 0), (0, math.nan), (math.inf, 0)]
)
def test_what_is_no_share_is_refused(holdout: float, gasstation: float) -> None:
    with pytest.raises(ValueError, match="at most 1 together"):
        Shares(holdout=holdout, gasstation=gasstation)


def test_the_composition_names_what_is_there() -> None:
    found = compose(rows_of(GROUPS), Shares(holdout=0.5, gasstation=0.25))

    assert {name: (part.samples, part.share, part.mean_weight) for name, part in found.items()} == {
        "public": (4, pytest.approx(0.25), pytest.approx(0.5)),
        "holdout": (2, pytest.approx(0.5), pytest.approx(2)),
        "gasstation": (2, pytest.approx(0.25), pytest.approx(1)),
    }


# --- metrics, against copies


@pytest.mark.parametrize("metric", OF_LOGITS)
def test_a_metric_of_weights_is_that_of_copies(metric: Metric) -> None:
    """Weights 0.5, 2 and 1 are 1, 4 and 2 copies."""
    random = np.random.default_rng(5)
    rows = rows_of({"celeb": 12, "a-holdout-1": 6, "gasstation": 6})
    labels = random.integers(0, 2, len(rows))
    predictions = random.normal(size=(len(rows), 2)).astype(np.float32)
    weights = weigh(rows, Shares(holdout=0.5, gasstation=0.25))
    copies = np.repeat(np.arange(len(rows)), np.rint(weights * 2).astype(int))

    weighed = metrics.score(metric, (), labels, predictions, weights)[str(metric)]
    expanded = metrics.score(metric, (), labels[copies], predictions[copies])[str(metric)]

    assert np.bincount(copies).tolist() == [1] * 12 + [4] * 6 + [2] * 6
    assert weighed.value == pytest.approx(expanded.value, abs=1e-12)


# --- whole runs


@pytest.fixture
def root(root: Path) -> Path:
    """The pictures in groups of three provenances, without weights."""
    groups = ["celeb"] * 10 + ["a-holdout-1"] * 5 + ["gasstation"] * 15
    rows = [f"{number}.png,{number % 5},{group}" for number, group in enumerate(groups)]
    (root / "data" / "labels.csv").write_text("\n".join(["file,label,group", *rows]) + "\n")
    return root


def test_the_accuracy_of_a_run_is_that_of_its_shares(root: Path) -> None:
    shares = Shares(holdout=0.5, gasstation=0.2)

    report = play(root, root / "results", DrawingSandbox(), shares=shares)

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    right = {
        group: np.mean([row["correct"] for row in records if row["dataset_name"] == group])
        for group in ("celeb", "a-holdout-1", "gasstation")
    }
    expected = 0.3 * right["celeb"] + 0.5 * right["a-holdout-1"] + 0.2 * right["gasstation"]
    assert report.scores["accuracy"].value == pytest.approx(expected)


def test_records_and_results_tell_what_counted_how_much(root: Path) -> None:
    play(root, root / "results", DrawingSandbox(), shares=Shares(holdout=0.5))

    document = json.loads((root / "results" / "results.json").read_bytes())
    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    metadata, composition = document["metadata"], document["score_composition"]
    assert (metadata["holdout_share"], metadata["gasstation_share"]) == (0.5, 0.0)
    assert composition["holdout"] == {"samples": 5, "share": 0.5, "mean_weight": pytest.approx(0.5 * 30 / 5)}
    assert composition["gasstation"]["share"] == 0
    weights = [row["weight"] for row in records if row["dataset_name"] == "celeb"]
    assert weights == pytest.approx([0.5 * 30 / 10] * 10)
    assert (
        "holdout counts 0.500000 of the score with 5 samples"
        in (root / "results" / "summary.txt").read_text()
    )


def test_without_shares_nothing_is_told_and_each_sample_counts_once(root: Path) -> None:
    play(root, root / "results", DrawingSandbox())

    document = json.loads((root / "results" / "results.json").read_bytes())
    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    assert document["metadata"]["holdout_share"] is None
    assert document["score_composition"] == {}
    assert {row["weight"] for row in records} == {1.0}


@pytest.mark.parametrize("shares", [None, Shares(holdout=0.4), Shares(holdout=0.5, gasstation=0.1)])
def test_a_run_begun_again_under_other_shares_is_refused(root: Path, shares: Shares | None) -> None:
    play(root, root / "results", DrawingSandbox(), shares=Shares(holdout=0.5))

    with pytest.raises(Fault, match="shares"):
        play(root, root / "results", DrawingSandbox(), shares=shares)


def test_shares_that_leave_nothing_are_told_before_the_entry_runs(root: Path) -> None:
    (root / "data" / "labels.csv").write_text("file,label,group\n0.png,0,celeb\n")
    sandbox = DrawingSandbox()

    with pytest.raises(Fault, match="the shares leave nothing"):
        play(root, None, sandbox, shares=Shares(holdout=1.0), mode=Mode.FULL)

    assert sandbox.jobs == []
