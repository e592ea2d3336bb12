"""A worker bounds its cache after each evaluation, however that ended, and keeps what it has just used."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from competition.submissions.models import Evaluation
from competition.tracks.models import Dataset
from scoring.contracts import Status
from scoring.worker.cache_size import trim_cache
from scoring.worker.evaluate import Workplace, drain
from tests.faults.conftest import DiskFull, FailingPorts, PlayedPorts


@pytest.fixture
def data(ports: PlayedPorts, dataset: Dataset) -> Path:
    """The evaluation's dataset on this machine."""
    folder = ports.cache / "datasets" / dataset.digest.removeprefix("sha256:")
    (folder / "labels.csv").write_bytes(bytes(100))
    return folder


@pytest.fixture
def unused(ports: PlayedPorts) -> Path:
    path = ports.cache / f"{'f' * 40}.npy"
    path.write_bytes(bytes(100))
    return path


@pytest.fixture
def place(place: Workplace, ports: PlayedPorts) -> Workplace:
    return replace(place, trim=partial(trim_cache, ports.cache, max_bytes=0))


@pytest.mark.parametrize("rejects", [False, True], ids=["scored", "rejected"])
def test_what_the_evaluation_used_stays_and_the_rest_goes(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, data: Path, unused: Path, rejects: bool
) -> None:
    drain(replace(ports, rejects=rejects), place)

    evaluation.refresh_from_db()
    assert evaluation.status == (Status.REJECTED if rejects else Status.SCORED)
    assert (data.exists(), unused.exists()) == (True, False)


def test_a_full_disk_that_failed_an_evaluation_is_relieved(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, unused: Path
) -> None:
    drain(FailingPorts(ports=ports, failing_call=2, error=DiskFull, after=False), place)

    evaluation.refresh_from_db()
    assert evaluation.status == Status.QUEUED
    assert not unused.exists()


def test_after_the_evaluation_its_data_may_go(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, data: Path
) -> None:
    drain(ports, place)

    place.trim()

    assert not data.exists()
