"""What lines of honest models come to, and where a run that was broken off goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import bench_honest_models as honest_models


def line(model: str = "timm:a", **changed: Any) -> dict[str, Any]:
    return {
        "model": model,
        "parameters": 1_000,
        "true_parameters": 1_000,
        "dispatch": 5_000,
        "exact": 5_000,
        "graph": 5_000,
        "any_batch": True,
        "farthest": 0.0,
        "share_of_values": 0.1,
        "ptflops": 5_000,
        "fvcore": None,
    } | changed


def missed(*lines: dict[str, Any]) -> set[str]:
    """Return which figures miss their bounds, except how many models there are."""
    return {
        figure.name
        for figure in honest_models.figures(lines)
        if figure.met is False and not figure.name.startswith("models of")
    }


def test_models_that_are_counted_right_miss_no_bound() -> None:
    assert missed(line(), line("torchvision:b", published_gmacs=0.000005)) == set()


@pytest.mark.parametrize(
    ("changed", "figure"),
    [
        ({"parameters": 1_001}, "models with another number of parameters"),
        ({"graph": 5_026}, "MACs that bind, off the exact count: farthest"),
        ({"graph": 4_974}, "MACs that bind, off the exact count: farthest"),
        ({"graph": 5_001}, "graphs that count otherwise than the run"),
        ({"share_of_values": 0.26}, "work on each value, as a share of the products: most"),
        ({"published_gmacs": 1.0}, "models counted otherwise than torchvision publishes"),
    ],
)
def test_a_wrong_count_misses_its_bound(changed: dict[str, Any], figure: str) -> None:
    assert figure in missed(line(**changed))


@pytest.mark.parametrize(
    ("exact", "graph", "refused"),
    [
        (4_999_000_000, 5_000_000_000, True),
        (4_999_000_000, 4_999_999_999, False),
        (5_000_000_000, 5_001_000_000, False),
    ],
)
def test_a_model_below_its_limit_that_is_refused_is_named(exact: int, graph: int, refused: bool) -> None:
    found = missed(line(exact=exact, dispatch=graph, graph=graph))

    assert ("models refused that are below their limits" in found) is refused


def test_of_a_hundred_models_three_may_stay_without_a_graph() -> None:
    lost = {"not_captured": "forward() leaves torch for numpy"}
    without = [{**line(f"timm:{number}"), **lost} for number in range(4)]
    for each in without:
        del each["graph"]
    captured = [line(f"torchvision:{number}") for number in range(97)]

    assert "models captured as a graph" not in missed(*captured, *without[:3])
    assert "models captured as a graph" in missed(*captured[:96], *without)


def test_every_model_without_a_graph_is_named() -> None:
    lost = line(not_captured="forward() leaves torch for numpy")
    del lost["graph"]

    notes = {figure.name: figure.note for figure in honest_models.figures([line("timm:b"), lost])}

    assert notes["models captured as a graph"] == "1 of 2. timm:a: forward() leaves torch for numpy"


def test_a_model_that_could_not_be_run_misses_a_bound() -> None:
    assert "models that could not be run" in missed(line(), {"model": "timm:b", "error": "OSError: no"})


def test_lines_of_a_run_that_was_broken_off_are_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"model": "timm:a"}\n{"model": "timm:b"}\n{"mod')

    assert [each["model"] for each in honest_models.read(path)] == ["timm:a", "timm:b"]


def test_a_first_run_has_no_lines(tmp_path: Path) -> None:
    assert honest_models.read(tmp_path / "lines.jsonl") == []


MODULES = (("a1", "a2", "a3"), ("b1",), ("c1", "c2"))


def test_models_are_taken_from_the_modules_in_turn() -> None:
    names = list(honest_models.in_turn([], MODULES, ["vgg"]))

    assert names == [*(f"timm:{plain}" for plain in ("a1", "b1", "c1", "a2", "c2", "a3")), "torchvision:vgg"]


def test_models_that_have_a_line_are_left_out() -> None:
    done = [line("timm:b1"), {"model": "timm:a2", "too_large": 31_000_000}, line("torchvision:vgg")]

    names = list(honest_models.in_turn(done, MODULES, ["vgg"]))

    assert names == ["timm:a1", "timm:c1", "timm:c2", "timm:a3"]


def test_models_that_are_too_large_do_not_count_as_models_of_timm() -> None:
    done = [line(f"timm:{number}") for number in range(honest_models.OF_TIMM - 1)]
    large = {"model": "timm:large", "too_large": 31_000_000}

    assert next(honest_models.in_turn([*done, large], MODULES, ["vgg"])) == "timm:a1"
    assert list(honest_models.in_turn([*done, line("timm:last")], MODULES, ["vgg"])) == ["torchvision:vgg"]
