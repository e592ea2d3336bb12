"""What is told of an exception, in one line."""

from __future__ import annotations

import pytest

from scoring.sandboxed.failures import MAX_WHY_LENGTH, one_line

CAUSE, CURE = "The file holds a whole module. ", "Save its state_dict instead. "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("two\n  lines.", "ValueError: two lines"),
        ("", "ValueError"),
        ("no file \udcff", r"ValueError: no file \udcff"),
        (CAUSE * 7 + CURE * 7, ("ValueError: " + CAUSE * 7 + CURE * 2).rstrip(". ")),
        ("word " * 100, f"ValueError: {'word ' * 57}".rstrip() + "…"),
        ("x" * 400, f"ValueError: {'x' * (MAX_WHY_LENGTH - 13)}…"),
    ],
)
def test_a_long_text_is_cut_between_sentences_or_words(text: str, told: str) -> None:
    assert one_line(ValueError(text)) == told
    assert len(told) <= MAX_WHY_LENGTH
