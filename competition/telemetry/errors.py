"""Errors for Sentry: what is logged as one, with the type and the place of the exception."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint

OF_EVENTS: Final = frozenset(
    {"event_id", "timestamp", "level", "platform", "logger", "release", "environment", "server_name", "sdk"}
)
OF_FRAMES: Final = frozenset(
    {
        "filename",
        "abs_path",
        "function",
        "module",
        "lineno",
        "in_app",
        "context_line",
        "pre_context",
        "post_context",
    }
)
TAGS: Final = frozenset({"reference", "cause", "error", "code", "queue", "submission", "evaluation"})
"""Fields of our log lines that are no words of anybody's."""
OURS: Final = ("competition.", "scoring.")
"""Whose log messages are names of events, with no value in them."""


def tell_errors(dsn: str, transport: Transport | None = None) -> None:
    """Send what is logged as an error, with its traceback, to Sentry.

    Only the log is listened to: each defect and fault has one line there, which bears its reference.
    """
    sentry_sdk.init(
        dsn=dsn,
        transport=transport,
        release=f"podium@{version('podium')}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR)],
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=scrubbed_event,
    )


def scrubbed_event(event: Event, hint: Hint) -> Event:
    """Return what of an event may leave."""
    record = hint.get("log_record")
    plain: Mapping[str, Any] = event
    kept = {name: plain[name] for name in OF_EVENTS if name in plain}
    errors = [_scrubbed_error(error) for error in plain.get("exception", {}).get("values", ())]
    if errors:
        kept["exception"] = {"values": errors}
    kept["logentry"] = {"message": _message(record)}
    kept["tags"] = _tags(record)
    return kept  # type: ignore[return-value]  # a TypedDict whose fields are chosen by name


def _scrubbed_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return type and place of an exception: its message may quote anything."""
    frames = (error.get("stacktrace") or {}).get("frames", ())
    kept = [{name: frame[name] for name in OF_FRAMES if name in frame} for frame in frames]
    return {"type": error.get("type"), "module": error.get("module"), "stacktrace": {"frames": kept}}


def _message(record: logging.LogRecord | None) -> str:
    if record is None:
        return ""
    return str(record.msg) if record.name.startswith(OURS) else record.name


def _tags(record: logging.LogRecord | None) -> dict[str, str]:
    fields = {**getattr(record, "fields", {})}
    reference = getattr(getattr(record, "request", None), "reference", "")
    if reference:  # as on the page and in the log
        fields["reference"] = reference
    return {name: str(fields[name]) for name in TAGS if fields.get(name)}
