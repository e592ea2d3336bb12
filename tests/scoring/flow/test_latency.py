"""The latency gate, played by a fake sandbox: what is refused, repeated and warned of."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import (
    Format,
    InputContract,
    Outcome,
    OutputContract,
    OutputKind,
    Request,
    RunLimits,
    Task,
)
from scoring.errors import Rejected
from scoring.flow import latency
from scoring.sandbox.base import Job
from scoring.sandbox.fake import FakeSandbox, Scripted

WIDTH, SAMPLES = 3, 6
ROWS = np.random.default_rng(0).normal(size=(SAMPLES, WIDTH)).astype(np.float32)


def answered(rows: np.ndarray) -> Scripted:
    reply = json.dumps({"outcome": Outcome.OK, "rows": SAMPLES}).encode()
    return Scripted(reply=reply, outputs=rows.astype("<f4").tobytes())


@pytest.fixture
def job(tmp_path: Path) -> Job:
    np.save(tmp_path / "inputs.npy", np.zeros((SAMPLES, 3, 4, 4), np.uint8))
    request = Request(
        task=Task.PREDICT,
        format=Format.QAIHUB,
        main="model.py",
        input=InputContract(shape=(3, 4, 4)),
        output=OutputContract(kind=OutputKind.LOGITS, width=WIDTH),
        samples=SAMPLES,
        batch_size=32,
        threads=1,
        seed=0,
    )
    return Job(
        request=request, package=tmp_path, inputs=tmp_path / "inputs.npy", timeout_s=60, limits=RunLimits()
    )


@pytest.fixture
def within(job: Job, tmp_path: Path) -> Callable[..., tuple[object, FakeSandbox]]:
    """Return a function that measures against a gate what a sandbox answers."""

    def within(max_ms: float, *answers: np.ndarray) -> tuple[object, FakeSandbox]:
        sandbox = FakeSandbox({Task.LATENCY: [answered(rows) for rows in answers]})
        found = latency.within(max_ms, job, ROWS, sandbox=sandbox, workdir=tmp_path, tick=lambda: None)
        return found, sandbox

    return within


def test_a_fast_entry_gets_no_warning(within: Callable) -> None:
    (_, warnings), sandbox = within(10_000.0, ROWS)

    assert (warnings, len(sandbox.jobs)) == ((), 1)


def test_the_child_is_asked_for_one_sample_at_a_time(within: Callable) -> None:
    _, sandbox = within(10_000.0, ROWS)

    assert [(j.request.task, j.request.batch_size) for j in sandbox.jobs] == [(Task.LATENCY, 1)]


def test_beyond_the_gate_it_is_timed_again_and_warned_of(within: Callable) -> None:
    (found, warnings), sandbox = within(1e-9, ROWS, ROWS)

    assert [finding.code for finding in warnings] == ["outside_latency_gate"]
    assert warnings[0].facts == {"found": found.p50_ms, "allowed": 1e-9}
    assert len(sandbox.jobs) == 2


def test_answers_that_are_not_the_predictions_are_refused(within: Callable) -> None:
    with pytest.raises(Rejected) as refused:
        within(10_000.0, np.zeros_like(ROWS))

    assert refused.value.findings[0].facts == {"found": SAMPLES, "total": SAMPLES}
    assert refused.value.code == "latency_answers_differ"


def test_answers_that_only_round_differently_pass(within: Callable) -> None:
    (_, warnings), _ = within(10_000.0, ROWS * 1.01)

    assert warnings == ()


def test_an_answer_that_is_not_a_number_is_refused(within: Callable) -> None:
    with pytest.raises(Rejected) as refused:
        within(10_000.0, np.full_like(ROWS, np.nan))

    assert refused.value.code == "latency_answers_differ"


def test_a_missing_answer_is_refused(within: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "LAST_ANSWER_S", 0.05)

    with pytest.raises(Rejected) as refused:
        within(10_000.0, ROWS[:-1])

    assert (refused.value.code, refused.value.findings[0].facts["found"]) == (
        "wrong_output_count",
        SAMPLES - 1,
    )
