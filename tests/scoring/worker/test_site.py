"""The worker's real ports, where the faults' tests do not reach."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from celery.concurrency import prefork, solo
from django.db import OperationalError, connection
from pytest_django import Settings

from competition.submissions.models import Evaluation
from scoring.sandbox.fake import FakeSandbox
from scoring.worker.self_check import unfit_pool
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
