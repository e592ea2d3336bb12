"""Reads a hostile YAML file as plain values: no aliases, no key twice, no tags, a bounded size."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

MAX_BYTES: Final = 64 * 1024
MAX_SHOWN: Final = 120


class InvalidYaml(ValueError):
    """A file is no YAML mapping of plain values; the text says why."""


def read_mapping(path: Path) -> dict[Any, Any]:
    """Return the file's mapping; raise `InvalidYaml`."""
    if path.stat().st_size > MAX_BYTES:
        raise InvalidYaml(f"longer than {MAX_BYTES:,} bytes")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        _refuse_tricks(text)
        document = yaml.safe_load(text)
    except UnicodeDecodeError as exc:
        raise InvalidYaml("not UTF-8 text") from exc
    except yaml.YAMLError as exc:
        raise InvalidYaml(f"not valid YAML: {_one_line(exc)}") from exc
    except RecursionError as exc:
        raise InvalidYaml("nested too deeply") from exc
    except (ValueError, OverflowError) as exc:
        if isinstance(exc, InvalidYaml):
            raise
        # A date such as 2001-99-99, or a number of thousands of digits.
        raise InvalidYaml("not valid YAML: it has a number or date that cannot be read") from exc
    if not isinstance(document, dict):
        raise InvalidYaml("it must be a mapping of fields")
    return document


def _refuse_tricks(text: str) -> None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            # A few lines of aliases of aliases expand to more than any memory.
            raise InvalidYaml(f"{_place(event.start_mark)}an alias (*name) is used; write the value out")
    waiting = [yaml.compose(text, Loader=yaml.SafeLoader)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            _refuse_twins([key for key, _ in node.value])
            waiting.extend(value for _, value in node.value)


def _refuse_twins(keys: list[yaml.Node]) -> None:
    seen: set[str] = set()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode):
            raise InvalidYaml(f"{_place(key.start_mark)}a list or a mapping stands for a name")
        if key.value in seen:
            # Two readers could take different ones.
            raise InvalidYaml(f"“{ascii(key.value[:MAX_SHOWN])[1:-1]}” is given twice")
        seen.add(key.value)


def _one_line(exc: yaml.YAMLError) -> str:
    problem = getattr(exc, "problem", None) or "it cannot be read"
    return f"{_place(getattr(exc, 'problem_mark', None))}{problem}"[:MAX_SHOWN]


def _place(mark: Any) -> str:
    return "" if mark is None else f"line {mark.line + 1}: "
