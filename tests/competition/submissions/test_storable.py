"""What came out of an entry, as rows can keep it."""

import json
import math
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.submissions import storable


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((1, 2.5, None, True), [1, 2.5, None, True]),
        (math.inf, "inf"),
        (math.nan, "nan"),
        ({1: {"a"}}, {"1": ["a"]}),
        (PurePosixPath("a/b"), "a/b"),
        ("a\x00b", "a\ufffdb"),
        ("\ud800", "?"),
    ],
)
def test_facts_become_plain_json(given: object, kept: object) -> None:
    assert storable.plain(given) == kept


@given(st.text())
def test_any_text_can_be_kept(text: str) -> None:
    kept = storable.text(text)

    assert "\x00" not in kept
    assert json.loads(json.dumps(kept).encode("utf-8")) == kept


def test_a_log_is_cut() -> None:
    assert storable.text("x" * 9, max_characters=4) == "xxxx"
