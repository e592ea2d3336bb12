"""The way of an entry through Podium, once for every preset, with its starter kit.

Checked and scored on one's own machine by the command line; then the preset becomes a track of the
site with the kit's sample data as its hidden data, and the packed entry is uploaded by the API,
evaluated by the worker's code and ranked. Both must give the same numbers. One's own machine has the quick
sandbox, and so has the worker but for one preset of each format, which it evaluates in bubblewrap.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework.test import APIClient
from typer.testing import CliRunner

from competition.accounts.tokens import make_token
from competition.submissions.disclosure import SCORE_DECIMALS
from scoring.cli.app import app
from scoring.files.archiving import pack
from scoring.sandbox.base import Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track, presets
from scoring.worker.evaluate import Workplace, drain
from scoring.worker.site import SitePorts
from tests.forked.sandbox import quick_sandbox

KITS = Path(__file__).parents[2] / "docs" / "starter-kits"
IN_BUBBLEWRAP = frozenset(
    (
        "cvpr2022-track1",
        "gasbench-image",
        "gasbench-onnx-image",
        "byom-classification",
        "qaihub-classification",
    )
)
PRESETS = [
    pytest.param(preset, marks=pytest.mark.sandbox if preset in IN_BUBBLEWRAP else ()) for preset in presets()
]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_backends")]


@pytest.fixture
def podium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return a function that runs the command line and returns its report; the exit code must be 0."""
    monkeypatch.setenv("PODIUM_CACHE", str(tmp_path / "own-cache"))

    def run(*arguments: object) -> dict[str, Any]:
        result = CliRunner().invoke(app, [str(argument) for argument in (*arguments, "--json")])
        assert result.exit_code == 0, result.output
        return dict(json.loads(result.stdout))

    return run


def packed_name(preset: str) -> str:
    """Return the name that the kit's README packs its entry under."""
    return "entry.tar.gz" if preset.startswith("byom-") else "entry.zip"


def open_track(preset: str, data: Path) -> None:
    """Make the preset a track of the site, as an organiser does."""
    arguments = ("--competition", "kits", "--data", str(data), "--open")
    call_command("sync_tracks", preset, *arguments, stdout=io.StringIO())


def upload(participant: User, entry: Path, track: str) -> APIClient:
    """Upload the entry by the API; return the participant's client."""
    token = make_token(owner=participant, name="test")
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    with entry.open("rb") as stream:
        answer = client.post(f"/api/tracks/{track}/submissions/", {"entry": stream})
    assert answer.status_code == 201, answer.content
    return client


def work_off_the_queue(folder: Path, sandbox: Sandbox) -> int:
    """Do what a worker does when it is woken; return how many evaluations it worked on."""
    ports = SitePorts(owner="worker", queue="cpu", sandbox=sandbox, cache=folder / "cache")
    return drain(ports, Workplace(work_root=folder / "work", lease_s=600))


@pytest.mark.django_db
@pytest.mark.parametrize("preset", PRESETS)
def test_a_kit_is_checked_scored_uploaded_and_ranked(
    preset: str, podium: Callable[..., dict[str, Any]], alice: User, tmp_path: Path
) -> None:
    entry, data = KITS / preset / "entry", KITS / preset / "sample-data"
    spec = load_track(preset).spec

    checked = podium("check", entry, "--track", preset)
    scored = podium("score", entry, "--track", preset, "--data", data)
    open_track(preset, data)
    client = upload(alice, pack(entry, tmp_path / packed_name(preset)), preset)
    worked_on = work_off_the_queue(
        tmp_path, BubblewrapSandbox() if preset in IN_BUBBLEWRAP else quick_sandbox()
    )
    (row,) = client.get(f"/api/tracks/{preset}/leaderboard/").json()["rows"]

    assert (checked["verdict"], scored["verdict"], worked_on) == ("accepted", "scored", 1)
    assert (row["rank"], row["participant"]) == (1, "alice")
    told = {metric: round(score["value"], SCORE_DECIMALS) for metric, score in scored["scores"].items()}
    assert row["value"] == told[spec.metric]
    assert row["extra"] == {metric: told[metric] for metric in spec.extra_metrics}
