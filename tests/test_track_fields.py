"""Every field of a track is known wherever it must be: in the YAML, the form, the API, the docs and on the page."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rest_framework import serializers

from competition.admin.tracks.form_fields import document_fields
from competition.admin.tracks.track_fieldsets import fieldsets
from competition.admin.tracks.track_form import TrackForm
from competition.api.spec_shapes import document_outputs
from competition.api.track_shapes import TrackDetailOutput
from competition.tracks.field_words import document_in_words
from competition.tracks.models import Track
from scoring.contracts import AtDefault, OutputKind, Quantisation, Reader, RunLimits, TrackSpec
from scoring.contracts.fields import TrackField, described
from scoring.tracks import TRACK_FIELDS, TrackDocument, TrackFields, load_track
from scoring.tracks.schema import DOCUMENT, document_schema

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "tracks.md"
NOTHING = object()
"""What no field takes."""


@dataclass(frozen=True, kw_only=True)
class ToyRunLimits(RunLimits):
    """Limits with one field more."""

    toys: int = field(default=3, metadata=described("How many toys a run may have.", at_least=1))


@dataclass(frozen=True, kw_only=True)
class ToySpec(TrackSpec):
    """The contract with a toy in one of its sections."""

    run_limits: ToyRunLimits = field(
        default_factory=ToyRunLimits, metadata=described("Bounds on a run.", label="Limits on runs")
    )


TOYS = TrackFields(ToySpec)
TOY = next(field for field in TOYS.all if field.name == "toys")


def tables(described_fields: TrackFields) -> str:
    """Return the reference page with tables made from these fields."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "reference" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.tracks_page(PAGE.read_text("utf-8"), described_fields)


def in_yaml(schema: Any, known: TrackField) -> bool:
    """Say whether a document may name the field: a wrong value is refused as wrong, not as unknown."""
    given = {known.section: {known.name: NOTHING}} if known.section else {known.name: NOTHING}
    with pytest.raises(ValidationError) as refused:
        schema.validate_python(given)
    place = tuple(known.place.split("."))
    kinds = [error["type"] for error in refused.value.errors() if error["loc"][: len(place)] == place]
    return bool(kinds) and "extra_forbidden" not in kinds


def in_form(form_fields: Mapping[str, Any], sets: list[Any], known: TrackField) -> bool:
    """Say whether the form asks for the field once, with a name and an explanation."""
    keys = [
        key
        for _, options in sets
        for row in options["fields"]
        for key in (row if isinstance(row, tuple) else (row,))
    ]
    found = form_fields.get(known.key)
    return keys.count(known.key) == 1 and found is not None and bool(found.label and found.help_text)


def in_api(shown: Mapping[str, serializers.Field], known: TrackField) -> bool:
    """Say whether the API shows the field."""
    return known.name in (shown[known.section].fields if known.section else shown)


def in_docs(page: str, known: TrackField) -> bool:
    """Say whether the reference has a row for the field, in the table of its section."""
    table = page.partition(f"<!-- fields: {known.section or known.about.group} -->")[2]
    return re.search(rf"^\| `{known.name}` \|", table.partition("<!-- end")[0], re.MULTILINE) is not None


def on_page(parts: Callable[[TrackDocument], Any], document: TrackDocument, known: TrackField) -> bool:
    """Say whether the track's page tells the field; the rules are a text of their own."""
    labels = {row.label for part in parts(document) for row in part.rows}
    return known.label in labels or known.about.is_markdown


@dataclass(frozen=True, kw_only=True)
class Homes:
    """The five places, each as made from one set of fields."""

    schema: Any
    form: Mapping[str, Any]
    sets: list[Any]
    api: Mapping[str, Any]
    docs: str
    page: Callable[[TrackDocument], Any]

    def forgetting(self, known: TrackField, document: TrackDocument) -> set[str]:
        """Return the places that do not know the field."""
        knows = {
            "yaml": in_yaml(self.schema, known),
            "form": in_form(self.form, self.sets, known),
            "api": in_api(self.api, known),
            "docs": in_docs(self.docs, known),
            "page": on_page(self.page, document, known),
        }
        return {name for name, known_there in knows.items() if not known_there}


@pytest.fixture(scope="module")
def real() -> Homes:
    """The places as they are shipped."""
    return Homes(
        schema=DOCUMENT,
        form=TrackForm(instance=Track()).fields,
        sets=fieldsets(None),
        api=TrackDetailOutput().fields,
        docs=PAGE.read_text("utf-8"),
        page=document_in_words,
    )


@pytest.fixture(scope="module")
def toys() -> Homes:
    """The places as they would be with the toy."""
    return Homes(
        schema=document_schema(ToySpec),
        form=document_fields(TOYS),
        sets=fieldsets(None, TOYS),
        api=document_outputs(TOYS),
        docs=tables(TOYS),
        page=lambda document: document_in_words(document, TOYS),
    )


def document_with(known: TrackField) -> TrackDocument:
    """Return a document in which the field means something."""
    document = load_track("cvpr2022-track1")
    spec = replace(document.spec, quantisation=Quantisation())
    for name, values in (known.about.only or {}).items():
        section = replace(getattr(spec, known.section), **{name: values[0]})
        spec = replace(spec, **{known.section: section})
    return replace(document, spec=spec)


@pytest.mark.parametrize("known", TRACK_FIELDS.all, ids=lambda known: known.place)
def test_every_field_is_known_in_all_places(known: TrackField, real: Homes) -> None:
    assert real.forgetting(known, document_with(known)) == set()


@pytest.mark.parametrize("known", TRACK_FIELDS.all, ids=lambda known: known.place)
def test_every_field_says_what_it_means_and_what_leaving_it_out_does(known: TrackField) -> None:
    assert known.about.help.endswith(".")
    assert known.about.empty or known.default not in (None, "", ())


@pytest.mark.parametrize(
    "known", [known for known in TRACK_FIELDS.all if known.is_optional], ids=lambda known: known.place
)
def test_a_field_that_may_be_nothing_is_nothing_where_a_document_leaves_it_out(known: TrackField) -> None:
    # Documents are stored and written without what is nothing, so another default would come back in its place.
    assert known.default is None
    assert known.about.left_out_at in (AtDefault, None)


def toy_document() -> TrackDocument:
    document = load_track("cvpr2022-track1")
    limits = ToyRunLimits(**vars(document.spec.run_limits))
    return replace(document, spec=ToySpec(**{**vars(document.spec), "run_limits": limits}))


def test_a_new_field_is_known_everywhere_by_its_description_alone(toys: Homes) -> None:
    assert toys.forgetting(TOY, toy_document()) == set()


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("yaml", ["schema"]),
        ("form", ["form", "sets"]),
        ("api", ["api"]),
        ("docs", ["docs"]),
        ("page", ["page"]),
    ],
)
def test_a_place_that_forgets_a_field_is_named(
    place: str, parts: list[str], real: Homes, toys: Homes
) -> None:
    forgetful = replace(toys, **{part: getattr(real, part) for part in parts})

    assert forgetful.forgetting(TOY, toy_document()) == {place}


def test_names_of_form_fields_are_all_different() -> None:
    keys = [known.key for known in TRACK_FIELDS.all]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("section", "name", "meant", "meaningless"),
    [
        ("input", "frame_rate", {"reader": Reader.VIDEO}, {"reader": Reader.IMAGE}),
        ("input", "sample_rate", {"reader": Reader.AUDIO}, {"reader": Reader.VIDEO}),
        ("input", "mean", {"reader": Reader.IMAGE}, {"reader": Reader.AUDIO}),
        ("output", "width", {"kind": OutputKind.LOGITS}, {"kind": OutputKind.BOXES}),
        ("output", "classes", {"kind": OutputKind.CLASS_MAP}, {"kind": OutputKind.CONFIDENCE}),
    ],
)
def test_the_page_leaves_out_what_means_nothing(
    section: str, name: str, meant: dict[str, Any], meaningless: dict[str, Any]
) -> None:
    document = load_track("cvpr2022-track1")
    known = next(known for known in TRACK_FIELDS.all if known.place == f"{section}.{name}")

    def told(values: dict[str, Any]) -> bool:
        part = replace(getattr(document.spec, section), **values)
        changed = replace(document, spec=replace(document.spec, **{section: part}))
        return on_page(document_in_words, changed, known)

    assert (told(meant), told(meaningless)) == (True, False)
