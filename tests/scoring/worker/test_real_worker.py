"""A real Celery worker in a process of its own, a real sandbox, a real database: told to stop, killed, forgotten."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import connection
from pytest_django import Settings
from typer.testing import CliRunner

from competition.celery import app
from competition.leaderboard.models import Standing
from competition.submissions import services
from competition.submissions.models import Evaluation, Score, Worker
from competition.tracks.datasets import import_dataset_folder
from competition.tracks.models import Track
from scoring.cli import environments
from scoring.cli.app import app as podium
from scoring.contracts import Stage, Status
from tests.environments import make_with_the_child_s_packages, write_wheel
from tests.examples import new_benchmark, rewrite

ROOT = Path(__file__).parents[3]
DEADLINE_S = 120.0
POLL_S = 0.05
MODEL = """
import time
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.eye(100)[7])

    def forward(self, images):
        time.sleep({pause_s})
        return self.bias.expand(len(images), 100)
"""

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _files_of_the_worker(settings: Settings, tmp_path: Path) -> None:
    """Store files where the worker's process, whose home is this test's folder, looks for them."""
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def real_track(track: Track, tmp_path: Path, settings: Settings) -> Track:
    """A track on four images, three of them of class 7."""
    settings.MEDIA_ROOT = tmp_path / "files"  # where the worker, whose home this folder is, looks for them
    folder = tmp_path / "data"
    folder.mkdir()
    labels = [7, 7, 7, 8]
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((32, 32, 3), 60 * number, dtype=np.uint8))
    rows = [f"{number}.png,{label}" for number, label in enumerate(labels)]
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    track.dataset = import_dataset_folder(name="Four images", folder=folder)
    new_benchmark(track)
    return track


def submit(user: User, track: Track, *, pause_s: float = 0.0, model: str = MODEL) -> Evaluation:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model.py", model.format(pause_s=pause_s))
    upload = ContentFile(packed.getvalue(), name="entry.zip")
    submission = services.accept_submission(participant=user, track=track, upload=upload, name="entry.zip")
    return submission.evaluations.get()


@contextmanager
def worker(home: Path, *options: str, broker: str = "filesystem://") -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker on this test's database and files; on leaving, end it if it still runs."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "PODIUM_HOME": str(home),
        "PODIUM_LEASE_S": "4",
        "PODIUM_SWEEP_S": "0.5",
        "CELERY_BROKER_URL": broker,
    }
    command = [sys.executable, "-m", "celery", "-A", "competition.celery", "worker", "-Q", "cpu", *options]
    with (home / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def alive(home: Path) -> list[int]:
    """Return the processes that run on this test's home and still live."""
    marker = f"PODIUM_HOME={home}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if marker in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def wait_until(condition: Callable[[], bool], home: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail((home / "worker.log").read_text()[-4000:])
        time.sleep(POLL_S)


def is_in(evaluation: Evaluation, **fields: str) -> Callable[[], bool]:
    return lambda: Evaluation.objects.filter(pk=evaluation.pk, **fields).exists()


def test_what_no_message_told_of_is_scored_and_what_a_killed_worker_left_is_taken_up(
    alice: User, real_track: Track, tmp_path: Path
) -> None:
    evaluation = submit(alice, real_track)
    with worker(tmp_path, "--beat") as first:
        wait_until(is_in(evaluation, stage=Stage.PREDICT), tmp_path)
        first.send_signal(signal.SIGKILL)
        first.wait()

    wait_until(lambda: alive(tmp_path) == [], tmp_path)
    with worker(tmp_path, "--beat"):
        wait_until(is_in(evaluation, status=Status.SCORED), tmp_path)
        # The folder goes after the score is recorded.
        wait_until(lambda: list((tmp_path / "work").iterdir()) == [], tmp_path)

    evaluation.refresh_from_db()
    assert evaluation.attempts == 2
    assert {(s.metric, s.value) for s in Score.objects.all()} == {("accuracy", 0.75), ("top5_accuracy", 0.75)}
    assert Standing.objects.get().value == 0.75


def test_what_an_evaluation_used_is_started_ahead_for_the_next_one(
    alice: User, real_track: Track, tmp_path: Path
) -> None:
    def spares() -> set[Path]:
        folder = tmp_path / "spares"
        return set(folder.iterdir()) if folder.exists() else set()

    with worker(tmp_path, "--beat") as running:
        for _ in range(2):
            before = spares()
            wait_until(is_in(submit(alice, real_track), status=Status.SCORED), tmp_path)
            # Each spare has a folder of its own, which goes when it was used.
            wait_until(lambda before=before: bool(spares()) and not spares() & before, tmp_path)
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=DEADLINE_S)

    assert spares() == set()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install an environment with one package that nothing else has, by its command; return its name.

    What our child needs is not downloaded, but linked from Podium's own before pip is asked for it.
    """
    name, wheels, fill = "colourful-1.0", tmp_path / "wheels", environments._fill
    monkeypatch.setenv("PODIUM_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    write_wheel(wheels, "colours", "1.0", source="CLASS = 7")
    # torch names it among what it needs, and runs without it.
    write_wheel(wheels, "setuptools", "99.0")
    pinned = {
        **make_with_the_child_s_packages(tmp_path / "linked"),
        "colours": "1.0",
        "setuptools": "99.0",
    }
    pins = tmp_path / f"{name}.txt"
    pins.write_text("".join(f"{package}=={version}\n" for package, version in pinned.items()))

    def fill_from_what_is_there(home: Path, file: Path) -> None:
        shutil.rmtree(home)
        (tmp_path / "linked").rename(home)
        fill(home, file)

    monkeypatch.setattr(environments, "_fill", fill_from_what_is_there)
    ended = CliRunner().invoke(podium, ["environment", "install", name, "--from", str(pins)])
    assert ended.exit_code == 0, ended.output
    return name


def test_an_entry_of_a_track_with_an_environment_of_its_own_is_claimed_scored_and_ranked(
    alice: User, real_track: Track, installed: str, tmp_path: Path
) -> None:
    new_benchmark(rewrite(real_track, environment=installed))
    with_colours = MODEL.replace("import torch\n", "import colours, torch\n").replace(
        "[7]", "[colours.CLASS]"
    )

    with worker(tmp_path, "--beat"):
        evaluation = submit(alice, real_track, model=with_colours)
        wait_until(is_in(evaluation, status=Status.SCORED), tmp_path)

    assert Standing.objects.get().value == 0.75
    assert f"{installed}.txt" in real_track.benchmark.environment


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The broker of the environment (Redis, RabbitMQ), else the file system; this process sends to it."""
    url = os.environ.get("CELERY_BROKER_URL", "filesystem://")
    folders = {"data_folder_in": "messages", "data_folder_out": "messages", "control_folder": "control"}
    options = {name: str(tmp_path / "broker" / folder) for name, folder in folders.items()}
    for folder in options.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(app.conf, "broker_url", url)
    monkeypatch.setitem(app.conf, "broker_transport_options", options if url == "filesystem://" else {})
    app._after_fork()  # forget pooled connections to another broker
    return url


@pytest.mark.broker
def test_a_message_wakes_a_worker_that_has_no_scheduler(
    alice: User, real_track: Track, tmp_path: Path, broker: str
) -> None:
    with worker(tmp_path, broker=broker):
        evaluation = submit(alice, real_track)

        wait_until(is_in(evaluation, status=Status.SCORED), tmp_path)


def test_a_worker_that_is_asked_to_stop_gives_its_evaluation_back_and_ends(
    alice: User, real_track: Track, tmp_path: Path
) -> None:
    evaluation = submit(alice, real_track, pause_s=60.0)
    with worker(tmp_path, "--beat") as first:
        wait_until(is_in(evaluation, stage=Stage.MEASURE), tmp_path)
        first.send_signal(signal.SIGTERM)
        wait_until(is_in(evaluation, status=Status.QUEUED), tmp_path)
        first.wait(timeout=DEADLINE_S)

    evaluation.refresh_from_db()
    assert evaluation.attempts == 0
    assert Worker.objects.get().state == Worker.State.STOPPED
