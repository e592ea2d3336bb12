"""YAML of an entry: plain values of a bounded size, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.packages.plain_yaml import MAX_BYTES, InvalidYaml, read_mapping


def read(folder: Path, content: bytes) -> dict[object, object]:
    (folder / "a.yaml").write_bytes(content)
    return read_mapping(folder / "a.yaml")


def test_a_mapping_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa: {b: [1, 2.5, x, null]}") == {"a": {"b": [1, 2.5, "x", None]}}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "must be a mapping"),
        (b"- a", "must be a mapping"),
        (b"a: 1\na: 2", "“a” is given twice"),
        (b"a: [{b: 1, b: 2}]", "“b” is given twice"),
        (b'"\\e[2J": 1\n"\\e[2J": 2', "x1b[2J” is given twice"),
        (b"a: &x 1\nb: *x", "line 2: an alias"),
        (b"? [a, b]\n: 1", "line 1: a list or a mapping"),
        (b"a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        (b"a: [", "not valid YAML: line 1"),
        (b"a: 1\n---\nb: 1", "not valid YAML"),
        (b"\xff\xfe\xfd", "not UTF-8"),
        (b"a: \x07", "not valid YAML"),
        (b"a: 2001-99-99", "number or date"),
        (b"a: " + b"9" * 5000, "number or date"),
        (b"a: " + b"[" * 5000 + b"]" * 5000, "nested too deeply"),
        (b"#" * (MAX_BYTES + 1), "longer than"),
    ],
)
def test_anything_else_is_refused_with_a_reason(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(InvalidYaml) as caught:
        read(tmp_path, content)

    assert why in str(caught.value)
