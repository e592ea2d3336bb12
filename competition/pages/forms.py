"""The upload form and that for a new access token."""

from __future__ import annotations

from django import forms


class EntryForm(forms.Form):
    """One file. Emptiness and size are judged by the service, which has a code for each."""

    entry = forms.FileField(label="Entry file", allow_empty_file=True, max_length=255)


class TokenForm(forms.Form):
    """What a new access token is called, so that its owner knows it again."""

    name = forms.CharField(label="Name", max_length=60, help_text="Where you will use it: “laptop”, “CI”.")
