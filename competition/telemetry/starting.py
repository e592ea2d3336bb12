"""Begins to tell what the settings say. The packages for it are an extra, and loaded only then."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ERRORS: Final = "competition.telemetry.errors"
TRACES: Final = "competition.telemetry.traces"


def start(part: str) -> None:
    """Tell errors and traces of this process; `part` is “site” or “worker”."""
    if settings.SENTRY_DSN:
        _loaded(ERRORS).tell_errors(settings.SENTRY_DSN)
    if settings.OTLP_ENDPOINT:
        traces = _loaded(TRACES)
        traces.trace_requests_and_tasks(traces.tracing(part))


def _loaded(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as exc:
        raise ImproperlyConfigured(f"SENTRY_DSN and OTEL_… need podium[telemetry]: {exc}") from exc
