"""Entries of different environments, through the real flow: each imports what its track's list pins, and no more."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scoring.contracts import TrackSpec, Verdict
from scoring.errors import Fault, Rejected
from scoring.flow import pipeline
from scoring.packages.qaihub import source
from scoring.sandbox.base import Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.fake import FakeSandbox
from scoring.sandbox.trial import trial_job
from scoring.sandbox.unconfined import UnconfinedSandbox
from scoring.tracks import load_track
from tests.environments import make_with_the_child_s_packages, write_wheel
from tests.forked.sandbox import quick_sandbox
from tests.tiny import write_data

pytestmark = [pytest.mark.slow]

NAME = "colourful-1.0"
MODEL = """
import colours, torch
try:
    import django
except ImportError:
    django = None
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        assert django is None, "the site's packages can be imported"
        self.head = torch.nn.Linear(colours.CHANNELS, 100)
    def forward(self, x):
        return self.head(x.mean(dim=(2, 3)))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one environment: what our child needs, and one package that nothing else has."""
    made = tmp_path_factory.mktemp("environments")
    pinned = make_with_the_child_s_packages(made / NAME)
    wheel = write_wheel(made / "wheels", "colours", "1.0", source="CHANNELS = 3\n")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        made / NAME / "bin" / "python",
    ]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], check=True)
    lines = [f"{name}=={version}" for name, version in {**pinned, "colours": "1.0"}.items()]
    (made / f"{NAME}.txt").write_text("\n".join(lines))
    return made


@pytest.fixture(autouse=True)
def _known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_ENVIRONMENTS", str(folder))


@pytest.fixture
def track() -> TrackSpec:
    return replace(load_track("cvpr2022-track1").spec, environment=NAME)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    path = tmp_path / "entry.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.py", MODEL)
    return path


@pytest.fixture
def check(entry: Path, tmp_path: Path) -> Callable[[TrackSpec, Sandbox], Verdict]:
    def run(track: TrackSpec, sandbox: Sandbox) -> Verdict:
        workdir = tmp_path / "work"
        workdir.mkdir()
        found = pipeline.check(entry, track, sandbox=sandbox, workdir=workdir, note=lambda stage: None)
        return found.verdict

    return run


@pytest.mark.sandbox
def test_an_entry_is_scored_with_the_packages_of_its_track(
    track: TrackSpec, entry: Path, tmp_path: Path
) -> None:
    data = write_data(tmp_path / "data", values=range(0, 100, 10), labels=range(10))
    (tmp_path / "work").mkdir()

    report = pipeline.score(
        entry,
        track,
        data=data,
        benchmark="sha256:none",
        cache=tmp_path / "cache",
        sandbox=BubblewrapSandbox(),
        workdir=tmp_path / "work",
        note=lambda stage: None,
    )

    assert report.verdict is Verdict.SCORED
    assert report.usage.parameters == 3 * 100 + 100
    assert report.usage.captured


def test_an_entry_of_another_track_cannot_import_them(
    track: TrackSpec, check: Callable[[TrackSpec, Sandbox], Verdict]
) -> None:
    with pytest.raises(Rejected) as refused:
        check(replace(track, environment="default"), quick_sandbox())

    assert refused.value.code == "not_installed"
    assert refused.value.findings[0].facts == {
        "module": "colours",
        "at": "",
        "why": "they can import what env.txt lists (tracks with the environment colourful-1.0 have colours 1.0)",
    }


def test_without_isolation_the_packages_are_the_same(
    track: TrackSpec, check: Callable[[TrackSpec, Sandbox], Verdict]
) -> None:
    assert check(track, quick_sandbox()) is Verdict.ACCEPTED


def test_where_the_environment_is_missing_the_command_is_named(
    track: TrackSpec, check: Callable[[TrackSpec, Sandbox], Verdict], own_environment: str
) -> None:
    with pytest.raises(Fault, match=f"run `podium environment install {own_environment}`"):
        check(replace(track, environment=own_environment), FakeSandbox(scripts={}))


@pytest.mark.parametrize("sandbox", [BubblewrapSandbox, UnconfinedSandbox])
def test_no_sandbox_starts_without_the_packages_of_its_job(
    own_environment: str, tmp_path: Path, sandbox: Callable[[], Sandbox]
) -> None:
    job = trial_job(tmp_path)
    elsewhere = replace(job, request=replace(job.request, environment=own_environment))

    with pytest.raises(Fault, match=f"run `podium environment install {own_environment}`"):
        sandbox().run(elsewhere, workdir=tmp_path / "work", tick=lambda: None)


def test_a_qaihub_package_may_import_what_its_environment_has(
    folder: Path, tmp_path: Path, track: TrackSpec
) -> None:
    tree = ast.parse("import colours, nowhere")

    found = source.problems(tree, tmp_path, "id", track.environment)

    assert [
        (finding.facts["module"], finding.facts["at"]) for finding in found if finding.code == "not_installed"
    ] == [("nowhere", " in line 1")]
