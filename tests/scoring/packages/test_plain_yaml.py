"""YAML of an entry: plain values of a bounded size, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scoring.packages.plain_yaml import MAX_BYTES, MAX_DEPTH, EmptyYaml, InvalidYaml, read_mapping


def read(folder: Path, content: bytes) -> dict[object, object]:
    (folder / "a.yaml").write_bytes(content)
    return read_mapping(folder / "a.yaml")


def test_a_mapping_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa: {b: [1, 2.5, x, null]}") == {"a": {"b": [1, 2.5, "x", None]}}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"- a", "must be a mapping"),
        (b"a: 1\na: 2", "“a” appears twice"),
        (b"a: [{b: 1, b: 2}]", "“b” appears twice"),
        (b'"\\e[2J": 1\n"\\e[2J": 2', "x1b[2J” appears twice"),
        (b"a: &x 1\nb: *x", "line 2: aliases"),
        (b"? [a, b]\n: 1", "line 1: a list or mapping"),
        (b"a: !!python/object/apply:os.system [ls]", "line 1: tags"),
        (b"a: 1\nb: !!int ''", "line 2: tags"),
        (b"a: !!timestamp x", "line 1: tags"),
        (b"<<: {a: 1}\na: 2", "line 1: merge keys"),
        (b"a: [", "not valid YAML: line 1"),
        (b"a: 1\n---\nb: 1", "not valid YAML"),
        (b"\xff\xfe\xfd", "not UTF-8"),
        (b"a: \x07", "not valid YAML"),
        (b"a: 2001-99-99", "number or date"),
        (b"a: " + b"9" * 5000, "number or date"),
        (b"#" * (MAX_BYTES + 1), "longer than"),
    ],
)
def test_anything_else_is_refused_with_a_reason(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(InvalidYaml) as caught:
        read(tmp_path, content)

    assert why in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"null", b"---\n...\n"])
def test_a_file_without_a_value_is_empty(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(EmptyYaml):
        read(tmp_path, content)


def test_names_and_brackets_in_quotes_and_comments_are_plain_text(tmp_path: Path) -> None:
    brackets = b"[" * 200
    content = b"# " + brackets + b"\na: '" + brackets + b"'\nb: x" + brackets + b"\n'<<': 1\n"

    assert read(tmp_path, content) == {"a": "[" * 200, "b": "x" + "[" * 200, "<<": 1}


def test_values_may_lie_as_deep_as_is_allowed(tmp_path: Path) -> None:
    lists = MAX_DEPTH - 2

    found = read(tmp_path, b"a: " + b"[" * lists + b"1" + b"]" * lists)["a"]

    assert str(found) == "[" * lists + "1" + "]" * lists


@pytest.mark.parametrize(
    "open_bracket", [b"[", b"{", b"[ ", b"- ", b"? ", b"? [", b"{a: ", b"&a [", b" [\n", b"[[],"]
)
def test_what_lies_too_deep_is_refused_before_much_is_read(
    tmp_path: Path, open_bracket: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_by_scanner = []
    fetch = yaml.SafeLoader.fetch_more_tokens
    monkeypatch.setattr(
        yaml.SafeLoader, "fetch_more_tokens", lambda self: (read_by_scanner.append(1), fetch(self))[1]
    )

    with pytest.raises(InvalidYaml, match="nested too deeply"):
        read(tmp_path, (open_bracket * MAX_BYTES)[:MAX_BYTES])

    # Each level takes the scanner a few steps; the text holds thousands of levels.
    assert 0 < len(read_by_scanner) < 10 * MAX_DEPTH
