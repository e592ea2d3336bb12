"""Log lines as fields: one line each, as logfmt for people or as JSON for machines, tracebacks included."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from structlog.typing import EventDict, WrappedLogger

_LOGFMT = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"])
_JSON = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)
_TRACEBACK = structlog.processors.ExceptionRenderer()


def formatter(style: str = "logfmt") -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter that settings name; given one processor alone, structlog would hide the record."""
    render = {"logfmt": render_logfmt, "json": render_json}[style]
    # Else structlog would take the traceback from the record before it is rendered here.
    return structlog.stdlib.ProcessorFormatter(processors=[render], keep_exc_info=True, keep_stack_info=True)


def render_logfmt(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Render one record of the standard library's logging as a logfmt line."""
    return str(_rendered(_LOGFMT, logger, name, event))


def render_json(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Render one record of the standard library's logging as a JSON object on a line."""
    return str(_rendered(_JSON, logger, name, event))


def _rendered(
    renderer: Callable[[WrappedLogger, str, EventDict], str | bytes],
    logger: WrappedLogger,
    name: str,
    event: EventDict,
) -> str | bytes:
    record = event.pop("_record", None)
    event.pop("_from_structlog", None)
    if record is not None:
        event["level"] = record.levelname.lower()
        event["logger"] = record.name
        event.update(getattr(record, "fields", {}))
        reference = getattr(getattr(record, "request", None), "reference", "")
        if reference:  # set where the answer to a defect of ours is made, so that both name it alike
            event["reference"] = reference
        if record.exc_info and record.exc_info[0] is not None:
            event["exc_info"] = record.exc_info
        # It stands in a field: else the standard library's formatter would add it as lines of its own.
        record.exc_info = record.exc_text = record.stack_info = None
    return renderer(logger, name, _STAMP(logger, name, _TRACEBACK(logger, name, event)))
