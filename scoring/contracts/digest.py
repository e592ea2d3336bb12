"""The digest of a contract: over what decides a score, and of that only over what is not as usual.

A field at its default is left out, so a field that is added tomorrow moves no digest of today. The value
at which a field is left out is fixed for good when the field is released: whoever changes a default later
states the old one at the field as `left_out_at`, and every stored track keeps its digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, cast, get_type_hints

from scoring.contracts.fields import AtDefault, facts_of, plain_type


def digest_of(facts: object) -> str:
    """Return "sha256:…" of plain facts, whatever the order of their names."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def digest_form(contract: Any) -> dict[str, Any]:
    """Return what the digest of a contract covers: plain values, sections nested."""
    form: dict[str, Any] = {}
    for field in _deciding(contract):
        value = getattr(contract, field.name)
        if not is_dataclass(value):
            if value != left_out_value(field):
                form[field.name] = _plain(value)
        # An optional section says something by being there, even if all of it is as usual.
        elif (section := digest_form(value)) or left_out_value(field) is None:
            form[field.name] = section
    return form


def values_that_score(contract: Any, prefix: str = "") -> dict[str, Any]:
    """Return all that decides a score by its place (“run_limits.seed”), also what a digest leaves out.

    Two specs have the same digest exactly if these are equal. An optional section that is not there
    has no places.
    """
    values: dict[str, Any] = {}
    for field in _deciding(contract):
        value, place = getattr(contract, field.name), prefix + field.name
        if is_dataclass(value):
            values |= values_that_score(value, f"{place}.")
        elif _section_of(cast(Hashable, type(contract)), field.name) is None:
            values[place] = _plain(value)
    return values


def left_out_value(field: Field[Any]) -> Any:
    """Return the value at which a digest leaves the field out, MISSING if there is none."""
    stated = facts_of(field).left_out_at
    if stated is not AtDefault:
        return stated
    return field.default if field.default_factory is MISSING else field.default_factory()


def completed(stored: Mapping[str, Any], contract: type) -> dict[str, Any]:
    """Return a stored document with the fields that are younger than it and whose default has changed since.

    They take the value of the time before there was a choice; plain defaults are left to the schema.
    """
    whole = dict(stored)
    for field in fields(contract):
        section = _section_of(contract, field.name)
        stated = facts_of(field).left_out_at
        if stated is not AtDefault:
            whole.setdefault(field.name, stated)
        elif section is not None and (field.name in stored or left_out_value(field) is not None):
            whole[field.name] = completed(stored.get(field.name) or {}, section)
    return whole


@cache
def _section_of(contract: Any, name: str) -> Any:
    """Return the contract of a field that is a section, also an optional one, else None."""
    kind, _ = plain_type(get_type_hints(contract)[name])
    return kind if is_dataclass(kind) else None


def _deciding(contract: Any) -> Iterator[Field[Any]]:
    return (field for field in fields(contract) if facts_of(field).changes_scores)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    # 5 and 5.0 are equal, so they must look the same.
    return int(value) if isinstance(value, float) and value.is_integer() else value
