"""The reference pages against the code that they describe."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from scoring.contracts import METRIC_FACTS, Format, Metric
from scoring.tracks import parse_track
from scoring.tracks.fields import TRACK_FIELDS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
ENVIRONMENT = re.compile(r"env\.\w+\(\s*\"([A-Z0-9_]+)\"")


def page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def rows(name: str) -> dict[str, list[str]]:
    """Return the cells of each table row by the name in its first cell."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", page(name), re.MULTILINE)
    return {first: [cell.strip() for cell in rest.split("|")] for first, rest in found}


def test_every_environment_variable_has_a_row() -> None:
    read = set(ENVIRONMENT.findall((ROOT / "competition" / "settings.py").read_text("utf-8")))

    assert set(rows("settings.md")) == read


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", REFERENCE / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_codes_is_what_the_table_gives() -> None:
    assert page("codes.md") == generator().codes_page()


def test_the_tables_of_metrics_are_what_the_metrics_declare() -> None:
    assert page("metrics.md") == generator().metrics_page(page("metrics.md"))


def test_the_tables_of_track_fields_are_what_the_contract_gives() -> None:
    assert page("tracks.md") == generator().tracks_page(page("tracks.md"))


def test_every_field_of_a_track_has_a_row() -> None:
    assert {field.name for field in TRACK_FIELDS.all} <= set(rows("tracks.md"))


def test_every_format_is_named() -> None:
    text = page("tracks.md")

    assert all(f"`{member}`" in text for member in Format)


@pytest.mark.parametrize("metric", METRIC_FACTS)
def test_the_interval_of_every_metric_is_explained(metric: Metric) -> None:
    intervals = page("metrics.md").partition("## Intervals")[2]

    assert f"\n| {METRIC_FACTS[metric].interval} |" in intervals


def test_the_example_track_is_valid() -> None:
    example = re.search(r"```yaml\n(.*?)```", page("tracks.md"), re.DOTALL)

    assert parse_track(example[1]).spec.slug == "cats-or-dogs"


def test_every_dependency_says_why() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[<>=\[ ]", name)[0] for name in wanted}

    first_cells = re.findall(r"^\| ([^|`]+) \|", page("dependencies.md"), re.MULTILINE)
    told = {name.strip() for cell in first_cells for name in cell.split(",")}
    assert names - {project["name"]} <= told
