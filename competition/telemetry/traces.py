"""Traces for OpenTelemetry: a span for each request and task, with attributes that hold no value of anybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

OF_SPANS: Final = frozenset(
    {
        "http.method",
        "http.request.method",
        "http.route",
        "http.status_code",
        "http.response.status_code",
        "celery.action",
        "celery.state",
        "celery.task_name",
        "messaging.destination",
        "messaging.destination.name",
    }
)
OWN: Final = "podium."
"""How our own attributes of spans begin."""
MACHINES: Final = "healthz,readyz,metrics"
"""Addresses that are asked too often to be traced."""


def tracing(part: str, exporter: SpanExporter | None = None) -> TracerProvider:
    """Return what makes spans; they go to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names."""
    about = {"service.name": f"podium-{part}", "service.version": version("podium")}
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(Scrubbing(exporter or OTLPSpanExporter())))
    if exporter is None:
        trace.set_tracer_provider(provider)
    return provider


def trace_requests_and_tasks(provider: TracerProvider) -> None:
    """Make a span of each request and task; call it before Django loads its middleware."""
    DjangoInstrumentor().instrument(tracer_provider=provider, excluded_urls=MACHINES)
    CeleryInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]  # untyped there


@dataclass(frozen=True)
class Scrubbing(SpanExporter):
    """An exporter of spans that lets another one have what may leave."""

    inner: SpanExporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them on."""
        return self.inner.export([scrubbed_span(span) for span in spans])

    def shutdown(self) -> None:
        """Send no more."""
        self.inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self.inner.force_flush(timeout_millis)


def scrubbed_span(span: ReadableSpan) -> ReadableSpan:
    """Return a span with the attributes that may leave; of exceptions, the type."""
    events = [
        Event(event.name, {"exception.type": event.attributes["exception.type"]}, event.timestamp)
        for event in span.events
        if event.attributes and "exception.type" in event.attributes
    ]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={
            name: value
            for name, value in (span.attributes or {}).items()
            if name in OF_SPANS or name.startswith(OWN)
        },
        events=events,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
