"""A track.yaml read, checked and written: every finding at once, in the words of the file.

A track document has two halves: what scoring needs (`TrackSpec`) and what the site needs
(`TrackPage`: texts, window, quota). Organisers' files are trusted to be honest, not to be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from scoring.tracks.document import PLACES_THAT_CHANGE_NO_SCORE, TrackDocument, TrackPage
from scoring.tracks.fields import TRACK_FIELDS, TrackFields, TrackPart, applies, meaning, value_of
from scoring.tracks.schema import DOCUMENT, SPATIAL, Contradiction

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "PLACES_THAT_CHANGE_NO_SCORE",
    "SPATIAL",
    "TRACK_FIELDS",
    "InvalidTrack",
    "TrackDocument",
    "TrackFields",
    "TrackPage",
    "TrackPart",
    "applies",
    "build_track",
    "dump_track",
    "load_track",
    "meaning",
    "parse_track",
    "plain",
    "presets",
    "value_of",
]

MAX_DOCUMENT_BYTES: Final = 256 * 1024


class InvalidTrack(ValueError):
    """A track document breaks its schema; `findings` are sentences that begin with the field.

    `places` names for each finding the field to look at, where it is one of the document's.
    """

    def __init__(self, findings: tuple[str, ...], places: tuple[str, ...] = ()) -> None:
        self.findings = findings
        self.places = places or ("",) * len(findings)
        super().__init__("; ".join(findings))


@cache
def presets() -> tuple[str, ...]:
    """Return the names of the presets that ship with Podium."""
    files = resources.files("scoring.presets").iterdir()
    return tuple(sorted(file.name[: -len(".yaml")] for file in files if file.name.endswith(".yaml")))


def load_track(name_or_path: str) -> TrackDocument:
    """Load a preset by name, or a track.yaml by path.

    Raises InvalidTrack if the preset or file does not exist, or if it breaks the schema.
    """
    if name_or_path in presets():
        return _preset(name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise InvalidTrack(
            (f"“{name_or_path}” is neither a file nor a preset; the presets are {', '.join(presets())}",)
        )
    if path.stat().st_size > MAX_DOCUMENT_BYTES:
        raise InvalidTrack((f"“{path.name}” is larger than {MAX_DOCUMENT_BYTES:,} bytes",))
    return parse_track(path.read_text("utf-8"))


@cache
def _preset(name: str) -> TrackDocument:
    return parse_track(resources.files("scoring.presets").joinpath(f"{name}.yaml").read_text("utf-8"))


def parse_track(text: str) -> TrackDocument:
    """Parse a track.yaml; raises InvalidTrack with every finding."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise InvalidTrack((f"not valid YAML: {exc}",)) from exc
    if not isinstance(raw, dict):
        raise InvalidTrack(("the document must be a mapping of fields",))
    return build_track(raw)


def build_track(raw: Mapping[str, Any]) -> TrackDocument:
    """Check a track given as plain values; raises InvalidTrack with every finding."""
    try:
        return DOCUMENT.validate_python(raw)
    except ValidationError as exc:
        errors = exc.errors()
        raise InvalidTrack(tuple(map(_sentence, errors)), tuple(map(_place, errors))) from exc


def dump_track(document: TrackDocument) -> str:
    """Write a track document as YAML that `parse_track` reads back to an equal one."""
    written: str = yaml.dump(plain(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return written


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines, such as the rules, as its lines."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # Lines that end in other ways would come back changed; they are quoted.
    is_plain = text.splitlines() == text.removesuffix("\n").split("\n")
    style = "|" if "\n" in text and is_plain else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def plain(document: TrackDocument) -> dict[str, Any]:
    """Return the document as plain values, times as datetimes, that `build_track` reads back."""
    return dict(_plain({**asdict(document.spec), **asdict(document.page)}))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value


def _place(error: Mapping[str, Any]) -> str:
    """Return the field that an error is about: “input.shape”, also of one of its items and of a rule's."""
    cause = error.get("ctx", {}).get("error")
    rule = (cause.field,) if isinstance(cause, Contradiction) else ()
    return ".".join(str(part) for part in (*error["loc"], *rule) if not isinstance(part, int))


def _sentence(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "track"
    return f"{place}: {error['msg']}"
