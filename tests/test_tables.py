"""Each table covers its enum, and each code has a sentence."""

import re
import string
from dataclasses import fields
from pathlib import Path

import pytest

from scoring.codes import CODES
from scoring.contracts import (
    BUDGET_RULES,
    FORMAT_FACTS,
    LATENCY_RULE,
    METRIC_FACTS,
    READER_FACTS,
    BudgetRule,
    Budgets,
    Capture,
    Finding,
    Format,
    MacsCounter,
    Metric,
    Reader,
    Usage,
)
from scoring.errors import render
from scoring.metrics import METRICS
from scoring.packages import FORMATS
from scoring.readers import READERS
from scoring.tracks import load_track, presets

SOURCE = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("table", "enum"),
    [
        (FORMATS, Format),
        (FORMAT_FACTS, Format),
        (READERS, Reader),
        (READER_FACTS, Reader),
        (METRICS, Metric),
        (METRIC_FACTS, Metric),
    ],
)
def test_a_table_covers_its_enum(table: dict, enum: type) -> None:
    assert set(table) == set(enum)


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_sentence_and_a_hint(code: str) -> None:
    entry = CODES[code]

    assert entry.message.endswith((".", "}"))
    assert entry.hint.endswith(".")
    assert re.fullmatch(r"[a-z0-9_]+", code)


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_is_filled_from_its_facts(code: str) -> None:
    numbers = (
        "found",
        "allowed",
        "in_float",
        "quantised",
        "_bytes",
        "_s",
        "difference",
        "expected",
        "total",
        "batch",
        "parameters",
    )
    fields = {
        name for text in (CODES[code].message, CODES[code].hint) for _, name, _, _ in _parse(text) if name
    }
    facts = {name: 7 if name.endswith(numbers) else "seven" for name in fields - {"path"}}

    rendered = render(Finding(code=code, path="model.py", facts=facts))

    assert "{" not in rendered.message + rendered.hint


@pytest.mark.parametrize("rule", BUDGET_RULES)
def test_the_sentence_of_an_excess_words_the_limit_as_its_rule_does(rule: BudgetRule) -> None:
    assert f"{rule.limit_words} {{allowed:" in CODES[rule.code].message


@pytest.mark.parametrize("rule", [*BUDGET_RULES, LATENCY_RULE])
def test_a_rule_names_what_is_measured_and_what_bounds_it(rule: BudgetRule) -> None:
    assert rule.usage in {field.name for field in fields(Usage)}
    assert hasattr(Budgets(), rule.budget)
    assert rule.code in CODES


def test_every_code_that_is_raised_stands_in_the_table() -> None:
    pattern = re.compile(r"(?:reject\(|\bFinding\(\s*code=)\s*\"([a-z0-9_]+)\"")
    files = [*SOURCE.glob("scoring/**/*.py"), *SOURCE.glob("competition/**/*.py")]

    raised = {code for file in files for code in pattern.findall(file.read_text("utf-8"))}

    assert raised - set(CODES) == set()


def test_the_presets_are_the_two_of_2022() -> None:
    assert {"cvpr2022-track1", "cvpr2022-track2"} <= set(presets())


@pytest.mark.parametrize(("preset", "width"), [("cvpr2022-track1", 100), ("cvpr2022-track2", 1)])
def test_a_cvpr_preset_states_the_budgets_and_the_input_of_2022(preset: str, width: int) -> None:
    spec = load_track(preset).spec

    assert (spec.budgets.max_parameters, spec.budgets.max_macs) == (30_000_000, 5_000_000_000)
    assert (spec.input.shape, spec.input.channel_order, spec.output.width) == ((3, 224, 224), "bgr", width)


@pytest.mark.parametrize(
    ("preset", "capture"), [("cvpr2022-track1", Capture.REQUIRED), ("cvpr2022-track2", Capture.PREFERRED)]
)
def test_a_cvpr_preset_has_prizes_and_asks_for_graphs_as_far_as_its_rules_let_it(
    preset: str, capture: Capture
) -> None:
    document = load_track(preset)

    assert document.page.prizes
    assert document.spec.budgets.capture is capture
    assert document.spec.budgets.macs_counter is MacsCounter.EXACT


def _parse(text: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return list(string.Formatter().parse(text))
