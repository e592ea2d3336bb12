"""Log lines as people and machines read them."""

import json
import logging
import sys

import pytest

from competition.logs import formatter


def record(**extra: object) -> logging.LogRecord:
    made = logging.LogRecord("podium.worker", logging.WARNING, __file__, 1, "lost %s", ("it",), None)
    vars(made).update(extra)
    return made


def line(style: str = "logfmt", **extra: object) -> str:
    return formatter(style).format(record(**extra))


def failed() -> logging.LogRecord:
    """Return a record with the traceback of an error that another led to."""
    try:
        try:
            raise KeyError("inner")
        except KeyError as exc:
            raise ValueError("outer") from exc
    except ValueError:
        return record(exc_info=sys.exc_info(), fields={"reference": "ab12cd34"})


def test_a_line_names_level_logger_and_event() -> None:
    assert ' level=warning logger=podium.worker event="lost it"' in line()


def test_fields_stand_beside_the_event() -> None:
    assert line(fields={"submission": "abc", "code": "crashed"}).endswith("submission=abc code=crashed")


def test_json_holds_the_same_fields() -> None:
    found = json.loads(line("json", fields={"submission": "abc", "odd": {1}}))

    assert {name: found[name] for name in ("level", "logger", "event", "submission", "odd")} == {
        "level": "warning",
        "logger": "podium.worker",
        "event": "lost it",
        "submission": "abc",
        "odd": "{1}",
    }


@pytest.mark.parametrize("style", ["logfmt", "json"])
def test_a_line_holds_the_whole_traceback_and_is_one_line_for_every_handler(style: str) -> None:
    made = failed()

    lines = [formatter(style).format(made) for _ in range(2)]

    for text in lines:
        assert "\n" not in text
        assert "traceback object" not in text
        words = (
            "KeyError: 'inner'",
            "ValueError: outer",
            "direct cause",
            "test_logs.py",
            "in failed",
            "ab12cd34",
        )
        assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("style", ["logfmt", "json"])
def test_an_error_that_is_none_has_no_traceback(style: str) -> None:
    assert "exception" not in line(style, exc_info=(None, None, None))


def test_a_style_that_nobody_knows_is_refused() -> None:
    with pytest.raises(KeyError):
        formatter("xml")
