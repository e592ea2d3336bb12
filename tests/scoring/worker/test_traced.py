"""An evaluation is a span with one for each stage in it, and says how it ended."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from competition.submissions.lifecycle import Lease, LeaseLost
from scoring.contracts import Stage
from scoring.errors import Cause, Fault, reject
from scoring.worker.ports import Work
from scoring.worker.traced import TracedPorts
from tests.examples import scored_report

WORK = Work(lease=Lease(evaluation=7, owner="w", fence=1), submission="f12a0fd5")


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def ports(exporter: InMemorySpanExporter) -> TracedPorts:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    inner = Mock()
    inner.claim.side_effect = [WORK, None]
    return TracedPorts(inner=inner, tracer=provider.get_tracer("t"))


def spans(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def play(ports: TracedPorts, *stages: Stage) -> None:
    def score(assignment: object, *, workdir: Path, note: object) -> object:
        for stage in stages:
            ports.note_stage(WORK, stage)
        return scored_report()

    ports.inner.score.side_effect = score
    ports.claim()
    ports.fetch(WORK, workdir=Path("w"), tick=lambda: None)
    ports.score(None, workdir=Path("w"), note=lambda stage: None)


def test_stages_are_spans_within_the_evaluation_s(ports: TracedPorts, exporter: InMemorySpanExporter) -> None:
    play(ports, Stage.INTAKE, Stage.MEASURE)
    ports.record_scored(WORK, scored_report())

    found = spans(exporter)
    whole = found.pop("evaluation")
    assert set(found) == {"fetch", "intake", "measure"}
    assert {span.parent.span_id for span in found.values()} == {whole.context.span_id}
    assert dict(whole.attributes) == {
        "podium.submission": "f12a0fd5",
        "podium.evaluation": 7,
        "podium.outcome": "scored",
    }


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda ports: ports.record_rejected(WORK, reject("empty_upload")), {"rejected", "empty_upload"}),
        (
            lambda ports: ports.record_fault(WORK, reference="a1b2", detail="secret", cause=Cause.DISK),
            {"fault", "disk", "a1b2"},
        ),
        (lambda ports: ports.record_cancelled(WORK), {"cancelled"}),
        (lambda ports: ports.release(WORK), {"released"}),
        (lambda ports: ports.claim(), {"lease lost"}),
    ],
)
def test_the_span_says_how_the_evaluation_ended(
    ports: TracedPorts, exporter: InMemorySpanExporter, end, told: set[str]
) -> None:
    ports.claim()

    end(ports)

    whole = spans(exporter)["evaluation"]
    assert set(whole.attributes.values()) == {"f12a0fd5", 7} | told


def test_what_the_inner_ports_raise_is_raised(ports: TracedPorts, exporter: InMemorySpanExporter) -> None:
    ports.claim()
    ports.inner.fetch.side_effect = Fault("gone")
    ports.inner.renew.side_effect = LeaseLost("7")

    with pytest.raises(Fault):
        ports.fetch(WORK, workdir=Path("w"), tick=lambda: None)
    with pytest.raises(LeaseLost):
        ports.renew(WORK)

    assert "fetch" in spans(exporter)
