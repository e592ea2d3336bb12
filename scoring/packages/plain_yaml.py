"""Reads a hostile YAML file as plain values: no tags, no key twice, bounded in size, depth and what aliases repeat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 50
MAX_REPEATED: Final = 1_000
"""How many values all aliases together may stand for."""
MAX_SHOWN: Final = 120


class InvalidYaml(ValueError):
    """A file is not a YAML mapping of plain values; the text says why."""


class EmptyYaml(InvalidYaml):
    """A file holds no value: nothing, comments, or null."""


def read_mapping(path: Path) -> dict[Any, Any]:
    """Return the file's mapping; raise `InvalidYaml`."""
    if path.stat().st_size > MAX_BYTES:
        raise InvalidYaml(f"longer than {MAX_BYTES:,} bytes")
    try:
        document = _plain_document(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise InvalidYaml("it is not UTF-8 text") from exc
    except yaml.YAMLError as exc:
        raise InvalidYaml(f"not valid YAML: {_one_line(exc)}") from exc
    except (ValueError, OverflowError) as exc:
        if isinstance(exc, InvalidYaml):
            raise
        # A date such as 2001-99-99, or a number with thousands of digits.
        raise InvalidYaml("not valid YAML: it contains a number or date that cannot be read") from exc
    if document is None:
        raise EmptyYaml("it is empty")
    if not isinstance(document, dict):
        raise InvalidYaml("it must be a mapping of fields")
    return document


@dataclass(frozen=True)
class _Extent:
    """How many values a node holds, itself counted, and how many levels deep."""

    values: int
    levels: int


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which stops at the first tag and at the first value that lies too deep."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = self.deepest = self.values = self.repeated = 0
        self.extents: dict[int, _Extent] = {}

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803  PyYAML's name
        # For each token PyYAML looks at every open bracket: 64 KiB of them would take minutes. Composing
        # is too late to count them, for the scanner reads up to 1,024 characters ahead.
        _refuse_depth(self.flow_level + 1, self.get_mark())
        super().fetch_flow_collection_start(TokenClass)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            return self._repeat(super().compose_node(parent, index), event.start_mark)
        if getattr(event, "tag", None) is not None:
            # PyYAML's own constructors fail in many ways on `!!int ''` or `!!timestamp x`.
            raise InvalidYaml(
                f"{_place(event.start_mark)}tags (!name) are not allowed; write the plain value"
            )
        above, values_before = self.deepest, self.values
        self.depth += 1
        self.deepest = self.depth
        self.values += 1
        _refuse_depth(self.depth, event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        self.extents[id(node)] = _Extent(self.values - values_before, self.deepest - self.depth)
        self.deepest = max(above, self.deepest)
        return node

    def _repeat(self, node: yaml.Node | None, mark: Any) -> yaml.Node | None:
        """Count what an alias stands for: a few lines of aliases of aliases expand to more than any memory."""
        extent = self.extents.get(id(node))
        if extent is None:
            raise InvalidYaml(f"{_place(mark)}a value contains itself")
        self.values += extent.values
        self.repeated += extent.values
        self.deepest = max(self.deepest, self.depth + extent.levels)
        _refuse_depth(self.deepest, mark)
        if self.repeated > MAX_REPEATED:
            raise InvalidYaml(
                f"{_place(mark)}aliases (*name) repeat more than {MAX_REPEATED:,} values; write them out"
            )
        return node


def _plain_document(text: str) -> Any:
    loader = _PlainLoader(text)
    root = loader.get_single_node()
    if root is None:
        return None
    _refuse_names(root)
    return loader.construct_document(root)


def _refuse_depth(depth: int, mark: Any) -> None:
    if depth > MAX_DEPTH:
        raise InvalidYaml(f"{_place(mark)}nested too deeply; at most {MAX_DEPTH} levels are allowed")


def _refuse_names(root: yaml.Node) -> None:
    waiting = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            _refuse_twins([key for key, _ in node.value])
            waiting.extend(value for _, value in node.value)


def _refuse_twins(keys: list[yaml.Node]) -> None:
    seen: set[str] = set()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode):
            raise InvalidYaml(f"{_place(key.start_mark)}a list or mapping is used as a name")
        if key.value in seen:
            # Two readers could take different ones.
            raise InvalidYaml(f"“{ascii(key.value[:MAX_SHOWN])[1:-1]}” appears twice")
        seen.add(key.value)


def _one_line(exc: yaml.YAMLError) -> str:
    problem = getattr(exc, "problem", None) or "it cannot be read"
    return f"{_place(getattr(exc, 'problem_mark', None))}{problem}"[:MAX_SHOWN]


def _place(mark: Any) -> str:
    return "" if mark is None else f"line {mark.line + 1}: "
