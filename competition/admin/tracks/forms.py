"""Forms of the acts of the admin: imports, clones, track documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from competition.tracks.access import Viewer, competitions_of, for_organiser, only_competition_of, sees_all
from competition.tracks.models import Competition, Track
from scoring.tracks import (
    MAX_DOCUMENT_BYTES,
    InvalidTrack,
    TrackDocument,
    load_track,
    parse_track,
    presets,
)

WIDE: Final = forms.TextInput(attrs={"class": "vTextField"})


class ImportForm(forms.Form):
    """A dataset to import: an uploaded zip, or a folder of the server."""

    field_order = ("competition", "name", "archive", "folder")
    competition = forms.ModelChoiceField(
        queryset=Competition.objects.none(), help_text="Its organisers may use the dataset."
    )
    name = forms.CharField(max_length=120, widget=WIDE, help_text="Only organisers see it.")
    archive = forms.FileField(
        required=False,
        label="Zip",
        help_text="labels.csv, the files that it names and, for boxes, annotations.json, at the root of the zip.",
    )
    folder = forms.CharField(required=False, max_length=400, label="Server folder", widget=WIDE)

    def __init__(
        self, *args: Any, viewer: Viewer, competition: Competition | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.viewer, self.of_track = viewer, competition
        own = competitions_of(viewer)
        if competition is not None:
            del self.fields["competition"]
            own = own.filter(pk=competition.pk)
        else:
            _offer(self.fields["competition"], viewer)
        if settings.IMPORT_ROOT and (sees_all(viewer) or own.exclude(server_folder="").exists()):
            self.fields["folder"].help_text = self._folder_help()
        else:
            del self.fields["folder"]
            self.fields["archive"].required = True

    def _folder_help(self) -> str:
        """Say where folders may lie, with an example."""
        if sees_all(self.viewer):
            return (
                f"Instead of a zip: a data folder below {settings.IMPORT_ROOT}, for example “track1/hidden”."
            )
        where = f"“{self.of_track.server_folder}”" if self.of_track else "the competition's server folder"
        return f"Instead of a zip: a data folder in {where}, written from {settings.IMPORT_ROOT}."

    def clean(self) -> dict[str, Any]:
        """Take exactly one source, for one competition."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        cleaned["competition"] = self.of_track or cleaned["competition"]
        if bool(cleaned.get("archive")) == bool(cleaned.get("folder")):
            raise ValidationError("Choose either a zip or a server folder.")
        if cleaned.get("folder"):
            try:
                cleaned["folder"] = self._folder(cleaned["folder"].strip(), cleaned["competition"])
            except ValidationError as exc:
                self.add_error("folder", exc)
        return cleaned

    def _folder(self, given: str, competition: Competition) -> Path:
        """Return the folder, if it lies where the viewer may import from, also after following links."""
        root = Path(settings.IMPORT_ROOT).resolve()
        allowed = root
        if not sees_all(self.viewer):
            if not competition.server_folder:
                raise ValidationError("This competition has no server folder. Upload a zip.")
            allowed = root / competition.server_folder
        folder = (root / given).resolve()
        # Without this, staff could read any file of the server by importing its folder.
        if not all(map(folder.is_relative_to, (root, allowed.resolve()))):
            raise ValidationError(f"The folder must be below {allowed}.")
        if not folder.is_dir():
            raise ValidationError(f"This folder does not exist below {allowed}.")
        return folder


def _offer(field: forms.Field, viewer: Viewer) -> None:
    """Offer the viewer's own competitions; the only one is chosen already."""
    field.queryset = competitions_of(viewer)  # type: ignore[attr-defined]  # a ModelChoiceField
    field.initial = only_competition_of(viewer)


class CloneForm(forms.Form):
    """The address of a track's copy."""

    slug = forms.SlugField(max_length=60, help_text="The copy's address. It must be unique.")

    def clean_slug(self) -> str:
        """Return a slug that is free and as track documents want it."""
        slug = str(self.cleaned_data["slug"])
        if slug != slugify(slug) or "_" in slug:
            raise ValidationError("Use lower-case letters, digits and single hyphens.")
        if Track.objects.filter(slug=slug).exists():
            raise ValidationError("A track with this slug already exists.")
        return slug


class DocumentForm(forms.Form):
    """A track.yaml for one track."""

    file = forms.FileField(label="track.yaml")

    def clean_file(self) -> TrackDocument:
        """Read the document; every finding is shown."""
        upload = self.cleaned_data["file"]
        if upload.size > MAX_DOCUMENT_BYTES:
            raise ValidationError(f"The file is larger than {MAX_DOCUMENT_BYTES:,} bytes.")
        try:
            return parse_track(upload.read().decode("utf-8"))
        except UnicodeDecodeError as exc:
            raise ValidationError("The file is not UTF-8 text.") from exc
        except InvalidTrack as exc:
            raise ValidationError([ValidationError(finding) for finding in exc.findings]) from exc


class NewDocumentForm(DocumentForm):
    """A track.yaml or preset that becomes a new track of a competition."""

    field_order = ("competition", "preset", "file")
    competition = forms.ModelChoiceField(queryset=Competition.objects.none())
    preset = forms.ChoiceField(
        required=False,
        choices=lambda: [("", "none"), *((name, name) for name in presets())],
        help_text="Start from a track that ships with Podium, or choose a file below.",
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        _offer(self.fields["competition"], viewer)
        self.fields["file"].required = False

    def clean_file(self) -> TrackDocument | None:  # type: ignore[override]  # the file may be left out
        """Read the document, if there is one."""
        return super().clean_file() if self.cleaned_data["file"] else None

    def clean(self) -> dict[str, Any]:
        """Take exactly one source, of a track that does not exist yet."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if bool(cleaned.get("file")) == bool(cleaned.get("preset")):
            raise ValidationError("Choose either a preset or a file.")
        document = cleaned.get("file") or load_track(cleaned["preset"])
        taken = Track.objects.filter(slug=document.spec.slug)
        if for_organiser(taken, self.viewer).exists():
            raise ValidationError(
                f"The track “{document.spec.slug}” already exists. On its page you can clone it or upload a file."
            )
        if taken.exists():
            raise ValidationError(f"The slug “{document.spec.slug}” is taken. Choose another in the file.")
        cleaned["document"] = document
        return cleaned
