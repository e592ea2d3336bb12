"""The upload form and the filter of one's own submissions."""

from __future__ import annotations

from django import forms


class EntryForm(forms.Form):
    """One file. Emptiness and size are judged by the service, which has a code for each."""

    entry = forms.FileField(label="Entry file", allow_empty_file=True, max_length=255)
