"""What a format declares is whole: each half finds in its modules what it calls there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module

import pytest

from scoring.budget.static import StaticCounter
from scoring.contracts import FORMAT_FACTS, Format, PackageFormat
from scoring.packages import FORMATS
from scoring.sandboxed.__main__ import TaskModule
from scoring.sandboxed.loaders import Loader


def parameters(function: Callable[..., object]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_every_format_is_declared() -> None:
    assert list(FORMAT_FACTS) == list(FORMATS) == list(Format)


@pytest.mark.parametrize("name", Format)
def test_a_format_is_described_in_words(name: Format) -> None:
    facts = FORMAT_FACTS[name]

    assert facts.title
    assert facts.summary
    assert facts.layout.endswith(".")


@pytest.mark.parametrize("name", Format)
def test_what_podium_packs_may_be_uploaded(name: Format) -> None:
    facts = FORMAT_FACTS[name]

    assert facts.packed_as in facts.suffixes


@pytest.mark.parametrize("name", Format)
@pytest.mark.parametrize("function", ["match", "check", "settle"])
def test_the_rules_of_a_format_are_called_as_the_flow_calls_them(name: Format, function: str) -> None:
    own, expected = (getattr(rules, function) for rules in (FORMATS[name], PackageFormat))

    assert parameters(own) == parameters(expected)


@pytest.mark.parametrize("name", [name for name in Format if FORMAT_FACTS[name].counter])
def test_the_counter_of_a_format_is_called_as_the_flow_calls_it(name: Format) -> None:
    counter = import_module(str(FORMAT_FACTS[name].counter))

    assert parameters(counter.count) == parameters(StaticCounter.count)


@pytest.mark.parametrize("name", Format)
def test_the_child_can_load_and_measure_a_format(name: Format) -> None:
    loader, measure = (
        import_module(module) for module in (FORMAT_FACTS[name].loader, FORMAT_FACTS[name].measure)
    )

    assert parameters(loader.load) == parameters(Loader.load)
    assert parameters(measure.run) == parameters(TaskModule.run)


def test_a_format_without_code_is_counted_without_running() -> None:
    assert {name for name in Format if FORMAT_FACTS[name].counter} == {
        name for name in Format if not FORMAT_FACTS[name].has_code
    }
