"""What is said about a field of a track, once.

The schema of the YAML, the admin's form, the API's shapes, the reference page and the track's page are
all made from these facts, and the digest of a benchmark leaves out the fields that change no score; name, type
and default come from the dataclass that holds the field.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints

_KEY: Final = "podium"


class AtDefault:
    """Stands for a field's own default."""


class Unit(StrEnum):
    """What a number counts; forms read and pages write it accordingly."""

    PARAMETERS = "parameters"
    MACS = "MACs"
    BYTES = "bytes"
    SECONDS = "s"
    MILLISECONDS = "ms"
    HOURS = "hours"
    HERTZ = "Hz"
    FRAMES_A_SECOND = "frames a second"
    POINTS = "points"


class Group(StrEnum):
    """Where a field stands that belongs to no section of the document."""

    BASICS = "Basics"
    WINDOW = "Window and quota"
    METRICS = "Metrics"


@dataclass(frozen=True, kw_only=True)
class FieldFacts:
    """What a person, a schema and a page must know of a field beside its name, type and default.

    `empty` says what leaving the field out means. `only` names values of fields beside it that it
    needs to mean anything; `boxes` names, by the reader, the numbers that a list of numbers consists
    of. `is_decision` marks what every organiser decides; the rest has defaults that serve most tracks.
    Bounds of a list are those of its items. `changes_scores` says whether another value can change a
    score or a verdict; of a section, whether any of its fields can. `left_out_at` is the value at which a
    digest leaves the field out. It never changes once the field is released, so it is stated as soon as
    the default is no longer the first one.
    """

    help: str = ""
    label: str = ""
    group: Group = Group.BASICS
    unit: Unit | None = None
    empty: str = ""
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    below: float | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    is_one_line: bool = False
    needs_an_item: bool = False
    is_markdown: bool = False
    only: Mapping[str, tuple[StrEnum, ...]] | None = None
    boxes: Mapping[StrEnum, tuple[str, ...]] | None = None
    is_decision: bool = False
    changes_scores: bool = True
    left_out_at: Any = AtDefault

    def applies(self, section: object) -> bool:
        """Say whether the field means anything in a section, given as the dataclass that holds it."""
        return all(getattr(section, name) in values for name, values in (self.only or {}).items())


def described(help: str, **facts: Any) -> Mapping[str, FieldFacts]:  # noqa: A002 - as Django names it
    """Return the `metadata` of a dataclass field; `FieldFacts` lists what may be told."""
    return {_KEY: FieldFacts(help=help, **facts)}


def facts_of(field: Field[Any]) -> FieldFacts:
    """Return what the contract states of the field; nothing stated means that all facts are usual."""
    facts = field.metadata.get(_KEY, FieldFacts())
    if not isinstance(facts, FieldFacts):
        raise TypeError(f"{field.name} states {facts!r}, which are no facts of a field")
    return facts


@dataclass(frozen=True, kw_only=True)
class TrackField:
    """A field of a track document: where it stands, what it holds, what is said about it.

    `type` leaves out None, which `is_optional` tells of. `default` is MISSING where one must be given.
    """

    section: str
    name: str
    type: Any
    is_optional: bool
    default: Any
    about: FieldFacts
    is_in_optional_section: bool = False

    @property
    def place(self) -> str:
        """Return the field as findings and documents name it: “input.shape”."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def key(self) -> str:
        """Return one name for the field, as forms need it: “input_shape”."""
        return self.place.replace(".", "_")

    @property
    def item(self) -> Any:
        """Return the type of a list's items, None left out; None for a field that is not a list."""
        return plain_type(get_args(self.type)[0])[0] if get_origin(self.type) is tuple else None

    @property
    def has_open_items(self) -> bool:
        """Say whether an item of the list may be None."""
        return get_origin(self.type) is tuple and plain_type(get_args(self.type)[0])[1]

    @property
    def label(self) -> str:
        """Return the field's name for people, without the unit that its name ends with."""
        if self.about.label:
            return self.about.label
        words = self.name
        for ending in ("_bytes", "_ms", "_s"):
            words = words.removesuffix(ending)
        words = words.replace("_", " ")
        return words[:1].upper() + words[1:]


@dataclass(frozen=True, kw_only=True)
class TrackSection:
    """A section of a track document: its fields, and whether the document may do without it."""

    name: str
    contract: type[Any]
    is_optional: bool
    default: Any
    fields: tuple[TrackField, ...]
    about: FieldFacts

    @property
    def title(self) -> str:
        """Return the section's name for people."""
        return self.about.label or self.name.replace("_", " ").capitalize()


def fields_of(contract: type[Any], section: str = "", *, is_optional: bool = False) -> tuple[TrackField, ...]:
    """Return the described fields of a dataclass that are no sections, in their order."""
    return tuple(
        TrackField(
            section=section,
            name=field.name,
            type=kind,
            is_optional=optional,
            default=_default(field),
            about=facts_of(field),
            is_in_optional_section=is_optional,
        )
        for field, kind, optional in _described(cast(Hashable, contract))
        if not _is_section(kind)
    )


def sections_of(contract: type[Any]) -> tuple[TrackSection, ...]:
    """Return the sections of a dataclass: its described fields that are dataclasses themselves."""
    return tuple(
        TrackSection(
            name=field.name,
            contract=kind,
            is_optional=optional,
            default=_default(field),
            fields=fields_of(kind, field.name, is_optional=optional),
            about=facts_of(field),
        )
        for field, kind, optional in _described(cast(Hashable, contract))
        if _is_section(kind)
    )


@cache
def places_that_change_no_score(contract: type) -> frozenset[str]:
    """Return the fields of the contract and of its sections (“output.class_names”) that change no score."""
    return frozenset(place for place, changes in _places(contract, "", changes=True) if not changes)


def _places(contract: type, prefix: str, *, changes: bool) -> Iterator[tuple[str, bool]]:
    for field, kind, _ in _described(cast(Hashable, contract)):
        place, changes_here = prefix + field.name, changes and facts_of(field).changes_scores
        if _is_section(kind):
            yield from _places(kind, f"{place}.", changes=changes_here)
        else:
            yield place, changes_here


def plain_type(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was among what it allows."""
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0], len(kinds) < len(get_args(hint))


def _is_section(kind: Any) -> bool:
    return is_dataclass(kind)


@cache
def _described(contract: Any) -> tuple[tuple[Field[Any], Any, bool], ...]:
    hints = get_type_hints(contract)
    return tuple((field, *plain_type(hints[field.name])) for field in fields(contract))


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
