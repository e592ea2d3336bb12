"""The page of the five source contracts: every file, test and golden entry that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PAGE = (ROOT / "docs" / "reference" / "contracts.md").read_text("utf-8")
SOURCES = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = [row for part in SOURCES.values() for row in ROW.findall(part) if row[0] != "Requirement (section)"]
NAME = re.compile(r"`([^`]+)`")


def exists(shown_by: str) -> bool:
    """Say whether a golden entry, or a test in a file, is there under its name."""
    file, _, test = shown_by.partition("::")
    if not test:
        return file.startswith("golden/") and (TESTS / file / "case.yaml").is_file()
    path = TESTS / file
    return path.is_file() and re.search(rf"^def {test}\(", path.read_text("utf-8"), re.MULTILINE) is not None


def test_the_page_has_the_five_sources() -> None:
    assert list(SOURCES) == [
        "CVPR 2022 AI-Safety challenge",
        "GASBench safetensors",
        "GASBench ONNX",
        "Qualcomm AI Hub Models",
        "Edge CV portal BYOM",
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_every_line_of_a_table_is_a_row_of_three_cells(source: str) -> None:
    lines = [line for line in SOURCES[source].splitlines() if line.startswith("|")]

    assert len(ROW.findall(SOURCES[source])) == len(lines) - 1 > 10


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_files_that_exist(row: tuple[str, str, str]) -> None:
    files = NAME.findall(row[1])

    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_tests_that_exist(row: tuple[str, str, str]) -> None:
    shown_by = NAME.findall(row[2])

    assert shown_by
    assert [name for name in shown_by if not exists(name)] == []


def test_golden_entries_named_in_the_text_exist() -> None:
    named = re.findall(r"`(golden/[a-z]+_\w+)`", PAGE)

    assert [name for name in named if not exists(name)] == []
