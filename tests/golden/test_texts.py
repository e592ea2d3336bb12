"""Every text of the table, whole, so that a review sees each change as an entrant will read it."""

from __future__ import annotations

import re

import pytest

from scoring.codes import CODES
from tests.golden.texts import FACTS, TEXTS, texts


def test_every_code_has_an_example() -> None:
    assert list(FACTS) == list(CODES)


def test_the_texts_are_those_that_were_reviewed() -> None:
    assert texts() == TEXTS.read_text("utf-8"), "run `python -m tests.golden.texts` and read what changed"


@pytest.mark.parametrize("paragraph", TEXTS.read_text("utf-8").split("\n\n"))
def test_a_text_reads_as_sentences(paragraph: str) -> None:
    """What was found, then what to do: each of them whole sentences, without the marks of a slip."""
    _, message, hint = paragraph.strip().split("\n")

    assert all(line[0].isupper() or line[0] == "“" or "/" in line or "." in line for line in (message, hint))
    assert re.search(r"  |\.\.$|\. \.|None|[{}]", message + hint) is None
    assert hint.endswith(".")
