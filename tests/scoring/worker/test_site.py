"""The worker's real ports, where the faults' tests do not reach."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery.concurrency import prefork, solo
from django.db import OperationalError, connection
from pytest_django import Settings

from competition.submissions.models import Evaluation
from scoring.environment import entry_environment, installed_environment, used_in
from scoring.sandbox.fake import FakeSandbox
from scoring.worker.self_check import refuse_unfit_worker, unfit_pool, unfit_sandbox
from scoring.worker.site import SitePorts

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ports(settings: Settings, now: datetime, tmp_path: Path) -> SitePorts:
    return SitePorts(owner="w", queue="cpu", sandbox=FakeSandbox(scripts={}), cache=tmp_path, now=lambda: now)


@dataclass
class Outage:
    """The database is away."""

    queries: int = 0

    def __call__(self, execute: Callable[..., object], *arguments: object) -> object:
        self.queries += 1
        raise OperationalError("server closed the connection unexpectedly")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sign", ["check", "renew"])
def test_a_run_outlasts_an_outage_of_the_database(
    evaluation: Evaluation, ports: SitePorts, sign: str, caplog: pytest.LogCaptureFixture
) -> None:
    work = ports.claim()
    outage = Outage()

    with connection.execute_wrapper(outage):
        getattr(ports, sign)(work)

    getattr(ports, sign)(work)
    assert outage.queries == 1
    assert caplog.messages == ["database_unreachable"]


def test_a_worker_with_other_packages_says_what_it_does_not_score(
    evaluation: Evaluation, ports: SitePorts, caplog: pytest.LogCaptureFixture
) -> None:
    torch = installed_environment()["torch"]
    upgraded = replace(ports, environment=lambda: {**installed_environment(), "torch": "99.1"})

    assert upgraded.claim() is None

    (record,) = caplog.records
    assert record.message == "not_scored_here"
    assert record.fields == {
        "benchmark": "track-one v1",
        "why": f"The environment changed since version 1: torch {torch} -> 99.1.",
    }


def test_a_worker_without_an_environment_says_how_to_install_it(
    evaluation: Evaluation, ports: SitePorts, caplog: pytest.LogCaptureFixture, own_environment: str
) -> None:
    version = evaluation.benchmark
    version.environment = used_in(own_environment, entry_environment())
    version.save()

    assert ports.claim() is None

    (record,) = caplog.records
    assert record.message == "not_scored_here"
    assert record.fields["why"] == (
        f"the environment “{own_environment}” is not installed on this machine: "
        f"run `podium environment install {own_environment}`"
    )


def test_an_idle_worker_says_nothing(db: None, ports: SitePorts, caplog: pytest.LogCaptureFixture) -> None:
    assert ports.claim() is None
    assert caplog.records == []


def test_a_worker_whose_packages_are_not_those_of_env_txt_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env.txt").write_text("numpy==0.0.1\n")
    monkeypatch.setattr("scoring.environment.ENV_FILE", tmp_path / "env.txt")
    monkeypatch.setattr("scoring.worker.self_check.trial_failure", lambda name: "")
    fit = SimpleNamespace(concurrency=1, pool_cls="solo", prefetch_multiplier=1)

    with pytest.raises(SystemExit, match=r"^env\.txt pins numpy 0\.0\.1; .* is installed; install with"):
        refuse_unfit_worker(fit, sandbox="bubblewrap")


def test_the_worker_has_not_loaded_torch() -> None:
    program = (
        "import sys, django, competition.celery; django.setup(); import scoring.worker.tasks\n"
        "print([name for name in ('torch', 'torchvision', 'timm', 'onnxruntime') if name in sys.modules])"
    )

    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("concurrency", "pool", "prefetch"),
    [(2, solo.TaskPool, 1), (1, prefork.TaskPool, 1), (1, solo.TaskPool, 4)],
)
def test_a_pool_that_does_not_suit_evaluations_is_refused(
    concurrency: int, pool: type, prefetch: int
) -> None:
    assert len(unfit_pool(concurrency, pool, prefetch)) == 1


def test_one_evaluation_at_a_time_suits() -> None:
    assert unfit_pool(1, solo.TaskPool, 1) == ()


@pytest.mark.parametrize("name", ["unconfined", "none"])
def test_a_worker_does_not_start_where_entries_would_not_be_isolated(name: str) -> None:
    assert len(unfit_sandbox(name)) == 1


@pytest.mark.sandbox
def test_a_worker_starts_where_its_sandbox_works() -> None:
    assert unfit_sandbox("bubblewrap") == ()
