"""What a contract states of its fields beside name, type and default; stated once, at the field itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any, Final, get_args, get_type_hints

_KEY: Final = "podium"


@dataclass(frozen=True, kw_only=True)
class FieldFacts:
    """What is to be known of one field of a contract.

    `changes_scores`: whether another value can change a score or a verdict; of a section, whether any
    of its fields can.
    """

    changes_scores: bool = True


def stated(facts: FieldFacts) -> Mapping[str, FieldFacts]:
    """Return the facts as the `metadata` of a dataclass field."""
    return {_KEY: facts}


def facts_of(field: Field[Any]) -> FieldFacts:
    """Return what the contract states of the field; nothing stated means that all facts are usual."""
    facts = field.metadata.get(_KEY, FieldFacts())
    if not isinstance(facts, FieldFacts):
        raise TypeError(f"{field.name} states {facts!r}, which are no facts of a field")
    return facts


def section_of(contract: type, name: str) -> type | None:
    """Return the contract of a field that is a section of its own, also an optional one, else None."""
    hint = get_type_hints(contract)[name]
    return next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), None)


def places_that_change_no_score(contract: type) -> frozenset[str]:
    """Return the fields of the contract and of its sections (“output.class_names”) that change no score."""
    return frozenset(place for place, changes in _places(contract, "", changes=True) if not changes)


def _places(contract: type, prefix: str, *, changes: bool) -> Iterator[tuple[str, bool]]:
    for field in fields(contract):
        place, changes_here = prefix + field.name, changes and facts_of(field).changes_scores
        section = section_of(contract, field.name)
        if section is None:
            yield place, changes_here
        else:
            yield from _places(section, f"{place}.", changes=changes_here)
