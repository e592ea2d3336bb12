"""What Sentry and OpenTelemetry are told: enough to find a fault, and nothing that people entered."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_django import Settings
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from competition.telemetry import errors, starting, traces

SECRETS = ("alice@example.org", "my-secret-net.zip", "5ec4e75ec4e7", "hidden label 7")
DSN = "https://key@sentry.example.org/1"


# --- errors --------------------------------------------------------------------------------------


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent += [item.payload.json for item in envelope.items if item.payload.json]


@pytest.fixture
def sentry() -> Iterator[Kept]:
    before = sentry_sdk.get_global_scope().client
    transport = Kept()
    errors.tell_errors(DSN, transport)
    yield transport
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(before)


def fail(secrets: tuple[str, ...] = SECRETS) -> None:
    raise ValueError(f"cannot read {secrets}")


def log_failure(name: str, message: str, *args: object, **extra: object) -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger(name).error(message, *args, exc_info=True, extra=extra)


def test_a_fault_is_told_with_its_reference_type_and_place(sentry: Kept) -> None:
    log_failure("scoring.worker.evaluate", "fault", fields={"reference": "a1b2c3d4", "cause": "disk"})

    (event,) = sentry.sent
    (error,) = event["exception"]["values"]
    assert event["tags"] == {"reference": "a1b2c3d4", "cause": "disk"}
    assert event["logentry"]["message"] == "fault"
    assert (error["type"], error["stacktrace"]["frames"][-1]["function"]) == ("ValueError", "fail")


def test_a_defect_of_a_page_bears_the_reference_that_the_page_shows(sentry: Kept) -> None:
    request = SimpleNamespace(reference="d4c3b2a1", path="/accounts/5ec4e75ec4e7/")

    log_failure("django.request", "Internal Server Error: %s", request.path, request=request, status_code=500)

    (event,) = sentry.sent
    assert (event["tags"], event["logentry"]["message"]) == ({"reference": "d4c3b2a1"}, "django.request")


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("scoring.worker.evaluate", {"fields": {"entry_name": SECRETS[1], "e-mail": SECRETS[0]}}),
        ("competition.accounts", {"user": SECRETS[0], "token": SECRETS[2]}),
        ("django.request", {"request": SimpleNamespace(path=f"/{SECRETS[2]}/", body=SECRETS[3])}),
        ("allauth", {}),
    ],
)
def test_nothing_that_people_entered_leaves(sentry: Kept, name: str, extra: dict[str, object]) -> None:
    message = "fault" if name.startswith(errors.OURS) else f"failed for {SECRETS[0]}"

    log_failure(name, message, **extra)

    (event,) = sentry.sent
    told = json.dumps(event)
    # The source that the traceback shows names the constant, not its values.
    assert [secret for secret in SECRETS if secret in told] == []
    assert "vars" not in told


def test_what_is_no_error_is_not_told(sentry: Kept) -> None:
    logging.getLogger("competition.submissions").warning("resting")

    assert sentry.sent == []


# --- traces --------------------------------------------------------------------------------------


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> Iterator[TracerProvider]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(traces.Scrubbing(exporter)))
    yield provider
    provider.shutdown()


@pytest.mark.django_db
def test_a_request_is_a_span_that_names_its_route_and_no_value_of_it(
    provider: TracerProvider, exporter: InMemorySpanExporter, settings: Settings
) -> None:
    settings.MIDDLEWARE = list(settings.MIDDLEWARE)
    traces.trace_requests_and_tasks(provider)
    try:
        client = Client(headers={"user-agent": SECRETS[0]})
        client.get("/healthz")
        client.get(f"/accounts/password/reset/key/1-{SECRETS[2]}/?login={SECRETS[0]}")
    finally:
        DjangoInstrumentor().uninstrument()
        CeleryInstrumentor().uninstrument()

    (span,) = exporter.get_finished_spans()
    assert span.name.startswith("GET accounts/password/reset/key/(?P<uidb36>")
    assert set(span.attributes) <= traces.OF_SPANS
    assert [secret for secret in SECRETS if secret in span.to_json()] == []


def test_of_an_exception_a_span_tells_the_type(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    with (
        pytest.raises(ValueError, match="cannot read"),
        provider.get_tracer("t").start_as_current_span(
            "s", attributes={"podium.queue": "cpu", "e": SECRETS[0]}
        ),
    ):
        fail()

    (span,) = exporter.get_finished_spans()
    assert span.attributes == {"podium.queue": "cpu"}
    assert [dict(event.attributes) for event in span.events] == [{"exception.type": "ValueError"}]
    assert (span.status.is_ok, span.status.description) == (False, None)


# --- by the environment --------------------------------------------------------------------------


def test_without_settings_nothing_is_loaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SENTRY_DSN = settings.OTLP_ENDPOINT = ""
    monkeypatch.setattr(starting, "import_module", fail)

    starting.start("site")


@pytest.mark.parametrize(("dsn", "endpoint"), [(DSN, ""), ("", "http://collector:4318")])
def test_where_the_packages_lack_the_settings_are_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, dsn: str, endpoint: str
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    settings.SENTRY_DSN, settings.OTLP_ENDPOINT = dsn, endpoint
    monkeypatch.setattr(starting, "import_module", missing)

    with pytest.raises(ImproperlyConfigured, match=r"podium\[telemetry\]"):
        starting.start("site")
