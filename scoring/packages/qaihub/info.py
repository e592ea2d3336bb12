"""info.yaml of a qaihub package, manifest.yaml in newer ones: malformed files reject the entry, missing fields warn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scoring.contracts import Finding
from scoring.contracts.ai_hub import TAKEN_IDS
from scoring.packages.plain_yaml import InvalidYaml, read_mapping

NAMES: Final = ("info.yaml", "manifest.yaml")
MAX_RELATED: Final = 3
STATUSES: Final = ("public", "private", "proprietary", "published", "unpublished", "pending")
# The name that the folder's files import each other by, where neither info.yaml nor the folder gives one.
DEFAULT_ID: Final = "entry"
ID: Final = re.compile(r"[a-z][a-z0-9_]{0,79}")
TEXTS: Final = ("name", "status", "headline", "domain", "description", "use_case", "license_type")
LISTS: Final = ("tags", "applicable_scenarios", "related_models", "form_factors")
SWITCHES: Final = ("has_static_banner", "has_animated_banner")
OPTIONAL_TEXTS: Final = ("research_paper_title", "status_reason")
ADDRESSES: Final = ("research_paper", "source_repo", "license")
TECHNICAL: Final = ("Model checkpoint", "Input resolution", "Number of parameters", "Model size (float)")
FORMS: Final = {
    "Input resolution": (re.compile(r"\d+( ?[x×] ?\d+)+"), "224x224"),
    "Number of parameters": (re.compile(r"\d[\d.,_]*( ?[A-Za-z]+)?"), "11.7M"),
}


@dataclass(frozen=True)
class Info:
    """What the file says of the model's name, and what is wrong with the rest."""

    model_id: str = DEFAULT_ID
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def read(root: Path, folder: str = "") -> Info:
    """Read the file if there is one; the folder that wraps it gives the id if the file does not."""
    path = next((root / name for name in NAMES if (root / name).is_file()), root / NAMES[0])
    fallback = folder if _is_usable(folder) else DEFAULT_ID
    if not path.is_file():
        return Info(model_id=fallback, warnings=(_warning(path.name, f"it is missing; {_named(fallback)}"),))
    try:
        fields = read_mapping(path)
    except InvalidYaml as exc:
        return _malformed(path.name, str(exc), fallback)
    model_id = fields.get("id")
    if isinstance(model_id, str) and model_id in TAKEN_IDS:
        taken = f"id “{model_id}” is the name of a part of AI Hub Models; use the folder's own name"
        return _malformed(path.name, taken, fallback)
    found = str(model_id) if _is_usable(model_id) else fallback
    return Info(
        model_id=found, warnings=tuple(_warning(path.name, why) for why in _shortcomings(fields, found))
    )


def _is_usable(model_id: object) -> bool:
    return isinstance(model_id, str) and bool(ID.fullmatch(model_id)) and model_id not in TAKEN_IDS


def _named(model_id: str) -> str:
    return f"the folder's files import each other by the id “{model_id}”"


def _shortcomings(fields: Mapping[object, object], model_id: str) -> Iterator[str]:
    yield from _texts(fields)
    yield from _optional(fields)
    if fields.get("id") != model_id:
        wrong = (
            "is missing"
            if _is_blank(fields.get("id"))
            else "may contain only lower-case letters, digits and underscores"
        )
        yield f"id {wrong}; {_named(model_id)}"
    for name in LISTS:
        if not _are_texts(fields.get(name)):
            yield f"{name} must be a list of texts"
    related = fields.get("related_models")
    if isinstance(related, list) and len(related) > MAX_RELATED:
        yield f"related_models lists {len(related)} models; at most {MAX_RELATED} are allowed"
    for name in SWITCHES:
        if not isinstance(fields.get(name), bool):
            yield f"{name} must be true or false"
    details = fields.get("technical_details")
    if not isinstance(details, dict):
        yield f"technical_details must give {', '.join(TECHNICAL)}"
        return
    for name in TECHNICAL:
        yield from _detail(name, details.get(name))


def _detail(name: str, value: object) -> Iterator[str]:
    if _is_blank(value):
        yield f"technical_details lacks “{name}”"
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        yield f"technical_details: “{name}” must be a text or a number"
    elif name in FORMS:
        form, example = FORMS[name]
        if not form.fullmatch(str(value).strip()):
            yield f"technical_details: “{name}” must be like {example}"


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _texts(fields: Mapping[object, object]) -> Iterator[str]:
    for name in TEXTS:
        value = fields.get(name)
        if _is_blank(value):
            yield f"{name} is missing"
        elif not isinstance(value, str):
            yield f"{name} must be a text"
    headline, status = fields.get("headline"), fields.get("status")
    if isinstance(headline, str) and headline.strip() and not headline.endswith("."):
        yield "headline must end with “.”"
    if isinstance(status, str) and status.strip() and status not in STATUSES:
        yield f"status must be one of {', '.join(STATUSES)}"


def _optional(fields: Mapping[object, object]) -> Iterator[str]:
    for name in (*OPTIONAL_TEXTS, *ADDRESSES):
        value = fields.get(name)
        if _is_blank(value):
            continue
        if not isinstance(value, str):
            yield f"{name} must be a text"
        elif name in ADDRESSES and not value.startswith(("http://", "https://")):
            yield f"{name} must be an address that starts with https://"
    if not _are_texts(fields.get("dataset", [])):
        yield "dataset must be a list of texts"


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _warning(path: str, why: str) -> Finding:
    return Finding(code="incomplete_info", path=path, facts={"why": why})


def _malformed(path: str, why: str, model_id: str) -> Info:
    return Info(model_id=model_id, problems=(Finding(code="invalid_config", path=path, facts={"why": why}),))
