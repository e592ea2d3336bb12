"""Reads a package's YAML and JSON as hostile text: small, plain, with the place of what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NoReturn

from scoring.contracts import Finding
from scoring.packages.plain_yaml import MAX_DEPTH, EmptyYaml, InvalidYaml, read_mapping

CONFIG: Final = "config.yaml"
MOCHI: Final = "mochi.json"
MANIFEST: Final = "export_artifacts/manifest.json"
MAX_DOCUMENT_BYTES: Final = 64 * 1024
MAX_SHOWN: Final = 80
MAX_SHOWN_ITEMS: Final = 8

Mapping = dict[str, Any]


class InvalidDocument(Exception):
    """A document cannot be used; the text says why, in words that may be shown."""


def read_document(root: Path, path: str) -> Mapping:
    """Return the mapping that a YAML or JSON file holds, or raise `InvalidDocument`."""
    name = Path(path).name
    raw = (root / path).read_bytes()[: MAX_DOCUMENT_BYTES + 1]
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise InvalidDocument(f"{name} is longer than {MAX_DOCUMENT_BYTES:,} bytes")
    if not raw.strip():
        raise InvalidDocument(f"{name} is empty")
    content = _read_yaml(root / path) if name.endswith(".yaml") else _parse_json(raw, name)
    if content in ({}, None):
        raise InvalidDocument(f"{name} is empty")
    if not isinstance(content, dict):
        raise InvalidDocument(f"{name} must be a mapping, not {shown(content)}")
    _list_names(content.get("dataset"))
    return content


def _list_names(dataset: object) -> None:
    """Bring names that are written by number (`0: good`), as some training tools do, into their order."""
    if not isinstance(dataset, dict) or not isinstance(dataset.get("class_names"), dict):
        return
    names: Mapping = dataset["class_names"]
    by_number = {str(number): name for number, name in names.items()}
    if by_number.keys() == {str(number) for number in range(len(names))}:
        dataset["class_names"] = [by_number[str(number)] for number in range(len(names))]


def problem(path: str, why: str) -> Finding:
    """Build the finding of something wrong in a document."""
    return Finding(code="invalid_config", path=path, facts={"why": why})


def shown(value: object) -> str:
    """Return a hostile value in a short form that is safe to print, however large or nested it is."""
    if isinstance(value, list):
        items = [_scalar(item) for item in value[:MAX_SHOWN_ITEMS]]
        return f"[{', '.join([*items, '…'] if len(value) > MAX_SHOWN_ITEMS else items)}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > MAX_SHOWN:
        # Python refuses to print integers of thousands of digits.
        return "a huge number"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    if not isinstance(value, str):
        return type(value).__name__
    text = "".join(char if char.isprintable() else "�" for char in value[:MAX_SHOWN])
    return f"“{text}{'…' if len(value) > MAX_SHOWN else ''}”"


def _read_yaml(path: Path) -> object:
    try:
        return read_mapping(path)
    except EmptyYaml:
        return None
    except InvalidYaml as exc:
        why = str(exc).removeprefix("not valid YAML: ")
        raise InvalidDocument(f"Invalid YAML in {path.name}: {why}") from exc


def _parse_json(raw: bytes, name: str) -> object:
    try:
        content = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno}, column {exc.colno}"
        raise InvalidDocument(f"Invalid JSON in {name}: {place}: {exc.msg}") from exc
    except InvalidDocument as exc:
        raise InvalidDocument(f"Invalid JSON in {name}: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise InvalidDocument(f"Invalid JSON in {name}: byte {exc.start + 1} is not valid UTF-8") from exc
    except ValueError as exc:
        raise InvalidDocument(f"Invalid JSON in {name}: a number is too long") from exc
    except (RecursionError, MemoryError) as exc:
        # Brackets nested thousands of levels deep, meant to break the parser.
        raise InvalidDocument(f"Invalid JSON in {name}: too deeply nested") from exc
    if _is_deep(content):
        raise InvalidDocument(f"Invalid JSON in {name}: too deeply nested")
    return content


def _is_deep(content: object) -> bool:
    """Say whether values lie so deep that comparing two of them could exhaust Python's stack."""
    level = [content]
    for _ in range(MAX_DEPTH):
        level = [each for value in level for each in _children(value)]
    return bool(level)


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _unique(pairs: list[tuple[str, Any]]) -> Mapping:
    found: Mapping = {}
    for key, value in pairs:
        if key in found:
            # Readers disagree on which of the two counts.
            raise InvalidDocument(f"the key {shown(key)} appears twice")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidDocument(f"{name} is not a JSON number")
