"""What stands in the lists to choose from of a track's form."""

from __future__ import annotations

import pytest
from django import forms

from competition.admin.tracks.form_fields import document_fields

CHOICES = {
    key: field
    for key, field in document_fields().items()
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.MultipleChoiceField)
}


@pytest.mark.parametrize("key", CHOICES)
def test_an_option_shows_no_marks_of_code(key: str) -> None:
    assert not [title for _, title in CHOICES[key].choices if "`" in str(title)]


def test_an_optional_choice_says_what_leaving_it_open_means() -> None:
    assert CHOICES["breakdown"].choices[0] == ("", "off on tracks with prizes, otherwise full")
