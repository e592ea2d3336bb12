"""YAML of an entry: plain values of a bounded size, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scoring.packages.plain_yaml import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_REPEATED,
    EmptyYaml,
    InvalidYaml,
    read_mapping,
)


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
        (b"a: *x", "not valid YAML: line 1"),
        (b"a: &x [1, *x]", "line 1: a value contains itself"),
        (b"a: &x {b: *x}", "line 1: a value contains itself"),
        (b"? [a, b]\n: 1", "line 1: a list or mapping"),
        (b"a: !!python/object/apply:os.system [ls]", "line 1: tags"),
        (b"a: 1\nb: !!int ''", "line 2: tags"),
        (b"a: !!timestamp x", "line 1: tags"),
        (b"<<: 1", "not valid YAML"),
        (b"<<: {a: 1}\n<<: {b: 1}", "appears twice"),
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


def test_an_alias_stands_for_its_value(tmp_path: Path) -> None:
    found = read(tmp_path, b"usual: &usual {size: [1, 2], kind: x}\na: *usual\nb: {<<: *usual, kind: y}\n")

    assert found["a"] == {"size": [1, 2], "kind": "x"}
    assert found["b"] == {"size": [1, 2], "kind": "y"}


def lists_of_lists(levels: int, *, width: int) -> bytes:
    lines = [f"a0: &a0 [{', '.join('x' * width)}]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]")
    return "\n".join(lines).encode()


@pytest.mark.parametrize(("content", "is_allowed"), [(100, True), (101, False)])
def test_aliases_may_repeat_so_many_values(tmp_path: Path, content: int, is_allowed: bool) -> None:
    """A list of nine values counts as ten."""
    assert MAX_REPEATED == 1_000
    text = b"a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + b"".join(b"b%d: *a\n" % n for n in range(content))

    if is_allowed:
        assert len(read(tmp_path, text)) == content + 1
    else:
        with pytest.raises(InvalidYaml, match="repeat more than 1,000 values"):
            read(tmp_path, text)


@pytest.mark.parametrize(("levels", "width"), [(30, 10), (60, 2), (6, 30)])
def test_aliases_of_aliases_are_refused_at_once(tmp_path: Path, levels: int, width: int) -> None:
    with pytest.raises(InvalidYaml, match=r"repeat more than|nested too deeply"):
        read(tmp_path, lists_of_lists(levels, width=width))


def test_aliases_do_not_lead_deeper_than_is_allowed(tmp_path: Path) -> None:
    half = MAX_DEPTH // 2
    nested = b"[" * half + b"]" * half

    with pytest.raises(InvalidYaml, match="line 2: nested too deeply"):
        read(tmp_path, b"a: &a " + nested + b"\nb: " + b"[" * half + b"*a" + b"]" * half)


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
