"""The runner of benchmarks, on toy benchmarks: what it chooses, what ends as a row, what it writes, how it exits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import run
from tests.benchmarks.figures import Report

HEAD = "from tests.benchmarks.figures import Figure\n\ndef bench():\n"
MET = '    yield Figure(name="speed", value=2.0, at_least=1.5, rounds=3, note="4 s and 2 s")\n'
MISSED = '    yield Figure(name="memory", value=500.0, unit="MB", at_most=400)\n'
CRASH = '    raise OSError("no space")\n'
KILLED = "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"
PRINTS = '    print("not a figure")\n'

Bench = Callable[..., int]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Bench:
    """Return a runner of toy benchmarks: names with bodies, and what to choose of them."""
    root = Path(__file__).parents[2]
    package = f"toys_{abs(hash(request.node.name))}"
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(run, "is_busy", lambda cores: cores > 100)  # whatever else runs on this machine

    def start(*names: str, **bodies: str) -> int:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "entries.py").touch()
        for name, body in bodies.items():
            (tmp_path / package / f"bench_{name}.py").write_text(HEAD + body)
        return run.main([*names, "--package", package, "--json", str(tmp_path / "figures.json")])

    return start


@pytest.fixture
def written(tmp_path: Path) -> Callable[[], Any]:
    return lambda: json.loads((tmp_path / "figures.json").read_text())


def test_benchmarks_that_keep_their_bounds_pass(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    status = bench(engine=MET)

    assert status == 0
    assert "engine: speed  2 x       at least 1.5 x  yes  3" in capsys.readouterr().out


def test_all_run_though_the_first_one_misses_its_bound(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    status = bench(first=MISSED, second=MET)

    assert status == 1
    out = capsys.readouterr().out
    assert "first: memory  500 MB    at most 400 MB  NO   1" in out
    assert "second: speed" in out


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (CRASH, "OSError: no space"),
        (KILLED, "ended by signal 9"),
        ("    yield from ()\n    raise SystemExit(4)\n", "ended with exit status 4"),
        ("    return nothing\n", "NameError: name 'nothing' is not defined"),
    ],
)
def test_one_that_breaks_is_a_row_and_the_rest_runs(
    bench: Bench, capsys: pytest.CaptureFixture[str], body: str, why: str
) -> None:
    status = bench(broken=body, sound=MET)

    assert status == 1
    out = capsys.readouterr().out
    assert f"broken: failed: {why}" in out
    assert "sound: speed" in out


def test_figures_before_a_crash_are_kept(bench: Bench, written: Callable[[], Any]) -> None:
    bench(broken=MET + CRASH)

    (outcome,) = written()["outcomes"]
    assert [figure["name"] for figure in outcome["figures"]] == ["speed"]
    assert outcome["failed"] == "OSError: no space"


def test_what_a_benchmark_prints_is_no_figure(bench: Bench, written: Callable[[], Any]) -> None:
    status = bench(loud=PRINTS + MET)

    assert status == 0
    assert len(written()["outcomes"][0]["figures"]) == 1


@pytest.mark.parametrize(
    ("beginnings", "ran"),
    [
        ([], ["onnx_engine", "zip_engine", "zip_memory"]),
        (["zip"], ["zip_engine", "zip_memory"]),
        (["zip_m", "onnx"], ["onnx_engine", "zip_memory"]),
    ],
)
def test_beginnings_of_names_choose(
    bench: Bench, written: Callable[[], Any], beginnings: list[str], ran: list[str]
) -> None:
    bench(*beginnings, zip_engine=MET, zip_memory=MET, onnx_engine=MET)

    assert [outcome["bench"] for outcome in written()["outcomes"]] == ran


def test_a_beginning_of_no_name_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        bench("zip", "onyx", zip_engine=MET)

    assert raised.value.code == 2
    assert "no benchmark begins with onyx; there are zip_engine" in capsys.readouterr().err


def test_the_json_names_machine_load_and_every_figure(bench: Bench, written: Callable[[], Any]) -> None:
    bench(engine=MET)

    found = written()
    assert found["machine"].keys() == {
        "processor",
        "cores",
        "memory_gb",
        "system",
        "versions",
        "revision",
    }
    assert found["machine"]["cores"] >= 1
    assert {"python", "torch", "onnxruntime"} <= found["machine"]["versions"].keys()
    assert found["load"] >= 0
    assert found["outcomes"][0]["figures"] == [
        {
            "name": "speed",
            "value": 2.0,
            "unit": "x",
            "at_most": None,
            "at_least": 1.5,
            "rounds": 3,
            "note": "4 s and 2 s",
            "met": True,
        }
    ]


def test_the_json_reads_back_as_the_same_report(bench: Bench, written: Callable[[], Any]) -> None:
    bench(first=MISSED, second=MET + CRASH)

    report = Report.from_json(written())
    assert json.loads(json.dumps(report.to_json())) == written()
    assert not report.passed


def test_progress_goes_to_standard_error(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench(first=MISSED, second=MET)

    told = capsys.readouterr().err
    assert "[1/2] first\n  memory: 500 MB, at most 400 MB (MISSED)\n[2/2] second\n" in told


def test_a_busy_machine_is_told(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "load", lambda: 1_000.0)

    bench(engine=MET)

    assert "The machine is busy (load average 1000.0)" in capsys.readouterr().err


def test_pressing_ctrl_c_ends_the_run_with_what_there_is(
    bench: Bench, written: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(child: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_lines", interrupted)

    status = bench(first=MET, second=MET)

    assert status == 1
    assert [(each["bench"], each["failed"]) for each in written()["outcomes"]] == [("first", "interrupted")]
