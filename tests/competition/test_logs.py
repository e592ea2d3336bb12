"""Log lines as people and machines read them."""

import logging

from competition.logs import formatter


def line(**extra: object) -> str:
    record = logging.LogRecord("podium.worker", logging.WARNING, __file__, 1, "lost %s", ("it",), None)
    vars(record).update(extra)
    return formatter().format(record)


def test_a_line_names_level_logger_and_event() -> None:
    assert ' level=warning logger=podium.worker event="lost it"' in line()


def test_fields_stand_beside_the_event() -> None:
    assert line(fields={"submission": "abc", "code": "crashed"}).endswith("submission=abc code=crashed")
