"""Log lines as fields: one logfmt line each, for people and for machines."""

import structlog
from structlog.typing import EventDict, WrappedLogger

_RENDERER = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"])
_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)


def formatter() -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter that settings name; given one processor alone, structlog would hide the record."""
    return structlog.stdlib.ProcessorFormatter(processors=[render])


def render(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Render one record of the standard library's logging as a logfmt line."""
    record = event.pop("_record", None)
    event.pop("_from_structlog", None)
    if record is not None:
        event["level"] = record.levelname.lower()
        event["logger"] = record.name
        event.update(getattr(record, "fields", {}))
        reference = getattr(getattr(record, "request", None), "reference", "")
        if reference:  # set where the answer to a defect of ours is made, so that both name it alike
            event["reference"] = reference
        if record.exc_info:
            event["exc_info"] = record.exc_info
            event = structlog.processors.format_exc_info(logger, name, event)
    return str(_RENDERER(logger, name, _STAMP(logger, name, event)))
