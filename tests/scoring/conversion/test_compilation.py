"""`podium compile`: which targets there are, what is written, and what the child is not believed."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from scoring.cli.compile import compile_for_targets
from scoring.cli.ending import EXIT_FAULT, EXIT_OK, EXIT_REJECTED, Printing
from scoring.contracts import Format, Task
from scoring.conversion.compilation import TARGETS, X86_64_CPU, refuse_target
from scoring.errors import render
from scoring.sandbox.base import ExitStatus
from scoring.sandbox.fake import FakeSandbox, Scripted
from scoring.tracks import load_track
from tests.forked.sandbox import quick_sandbox
from tests.golden.byom import byom_files
from tests.played import answers, captured, captures

AS_JSON = Printing(as_json=True, with_log=False)
ON_PAPER = Printing(as_json=False, with_log=True)
TRACK = load_track("byom-classification").spec
REPLY = {
    "outcome": "ok",
    "opset": 18,
    "batch": None,
    "samples": 4,
    "graph_bytes": 2_000,
    "largest_difference": 0.25,
    "largest_output": 2.0,
    "numbers": 40,
    "differing": 3,
    "torch_ms": 1.5,
    "compiled_ms": 0.5,
}
WIDTH = 10
Told = Callable[[], dict]


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return write(tmp_path / "entry", None)


@pytest.fixture(autouse=True)
def x86(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these tests run on other processors too; only the fake sandbox compiles there."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    return lambda: json.loads(capsys.readouterr().out)


def write(folder: Path, model: str | None) -> Path:
    for name, content in byom_files({"model": model}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def compile_with(
    script: Scripted, entry: Path, output: Path, *targets: str, printing: Printing = AS_JSON
) -> int:
    return compile_for_targets(
        entry,
        TRACK,
        targets=targets or (X86_64_CPU,),
        source=None,
        output=output,
        sandbox=FakeSandbox({**captures(WIDTH), Task.COMPILE: [script]}),
        printing=printing,
    )


def replied(**changes: object) -> Scripted:
    return Scripted(reply=json.dumps({**REPLY, **changes}).encode(), outputs=b"compiled")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["traced", "scripted"])
def test_a_package_is_compiled_and_its_file_runs(tmp_path: Path, told: Told, kind: str) -> None:
    output = tmp_path / "out.onnx"

    code = compile_for_targets(
        write(tmp_path / "entry", kind),
        TRACK,
        targets=(X86_64_CPU,),
        source=None,
        output=output,
        sandbox=quick_sandbox(),
        printing=AS_JSON,
    )

    (result,) = told()["targets"]
    session = onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": np.zeros((3, 3, 32, 32), np.float32)})
    assert (code, result["verdict"], result["format"]) == (EXIT_OK, "compiled", "byom")
    assert found.shape == (3, 10)
    # Four sample pictures, ten numbers each.
    assert (result["samples"], result["numbers"], result["differing"]) == (4, 40, 0)
    assert result["compiled_bytes"] == output.stat().st_size


def test_the_difference_is_told_beside_the_largest_output(entry: Path, tmp_path: Path, told: Told) -> None:
    code = compile_with(replied(), entry, tmp_path / "out.onnx")

    (result,) = told()["targets"]
    assert code == EXIT_OK
    assert (result["largest_difference"], result["relative_difference"]) == (0.25, 0.125)
    assert result["model_bytes"] == len(byom_files({})["export_artifacts/model.pt"])
    assert (tmp_path / "out.onnx").read_bytes() == b"compiled"


def test_a_model_that_answers_only_zeros_differs_by_no_share(entry: Path, tmp_path: Path, told: Told) -> None:
    compile_with(replied(largest_output=0.0, largest_difference=0.0), entry, tmp_path / "out.onnx")

    assert told()["targets"][0]["relative_difference"] == 0.0


def test_each_target_is_reported_on_its_own(entry: Path, tmp_path: Path, told: Told) -> None:
    code = compile_with(replied(), entry, tmp_path / "out.onnx", "x86_64-cuda", X86_64_CPU, "toaster")

    results = {each["target"]: each for each in told()["targets"]}
    assert code == EXIT_REJECTED
    assert results["x86_64-cuda"]["code"] == "target_unavailable"
    assert results[X86_64_CPU]["verdict"] == "compiled"
    assert results["toaster"]["code"] == "unknown_target"


def test_a_target_named_twice_is_compiled_once(entry: Path, tmp_path: Path, told: Told) -> None:
    compile_with(replied(), entry, tmp_path / "out.onnx", X86_64_CPU, X86_64_CPU)

    assert [each["target"] for each in told()["targets"]] == [X86_64_CPU]


def test_people_read_sentences(entry: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = compile_with(
        replied(batch=4), entry, tmp_path / "out.onnx", X86_64_CPU, "arm64-cpu", printing=ON_PAPER
    )

    text = capsys.readouterr().out
    assert code == EXIT_REJECTED
    assert "batches of 4" in text
    assert "0.25 (0.12 of the largest output, 2)" in text
    assert "3 of 40 numbers" in text
    assert "target_unavailable" in text


@pytest.mark.parametrize("target", [name for name in TARGETS if name != X86_64_CPU])
def test_other_targets_of_the_guide_are_known_and_say_what_is_available(target: str) -> None:
    refused = refuse_target(target, "x86_64")

    assert refused is not None
    assert refused.code == "target_unavailable"
    assert render(refused.findings[0]).hint == "Available here: x86_64-cpu."


def test_another_processor_cannot_compile_for_this_one() -> None:
    refused = refuse_target(X86_64_CPU, "aarch64")

    assert refused is not None
    assert refused.findings[0].facts["available"] == "none"


@pytest.mark.parametrize("machine", ["x86_64", "AMD64"])
def test_both_names_of_the_processor_are_known(machine: str) -> None:
    assert refuse_target(X86_64_CPU, machine) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"opset": 0},
        {"batch": 0},
        {"differing": -1},
        {"torch_ms": float("inf")},
        {"more": 1},
        {"samples": None},
    ],
)
def test_a_compilation_that_no_child_reports_is_refused(
    entry: Path, tmp_path: Path, told: Told, changes: dict[str, object]
) -> None:
    code = compile_with(replied(**changes), entry, tmp_path / "out.onnx")

    assert (code, told()["targets"][0]["code"]) == (EXIT_REJECTED, "crashed")
    assert not (tmp_path / "out.onnx").exists()


def test_what_the_child_could_not_compile_is_told_with_its_log(
    entry: Path, tmp_path: Path, told: Told
) -> None:
    reply = {"outcome": "export_failed", "facts": {"why": "no operator for it"}}
    script = Scripted(exit_code=1, reply=json.dumps(reply).encode(), log="a traceback")

    code = compile_with(script, entry, tmp_path / "out.onnx")

    (result,) = told()["targets"]
    assert (code, result["code"], result["log"]) == (EXIT_REJECTED, "compilation_failed", "a traceback")
    assert "no operator for it" in result["message"]


def test_what_cannot_be_captured_is_not_compiled(entry: Path, tmp_path: Path, told: Told) -> None:
    measure = captured(answers(WIDTH), b"", not_captured="it calls numpy")
    sandbox = FakeSandbox({Task.MEASURE: [measure]})

    code = compile_for_targets(
        entry,
        TRACK,
        targets=(X86_64_CPU,),
        source=None,
        output=tmp_path / "out.onnx",
        sandbox=sandbox,
        printing=AS_JSON,
    )

    (result,) = told()["targets"]
    assert (code, result["code"], result["log"]) == (EXIT_REJECTED, "compilation_failed", "said")
    assert "it calls numpy" in result["message"]
    assert [job.request.task for job in sandbox.jobs] == [Task.MEASURE]


def test_trouble_of_ours_is_a_fault(entry: Path, tmp_path: Path, told: Told) -> None:
    script = Scripted(status=ExitStatus.CRASHED, exit_code=-9, reply=b"")

    code = compile_with(script, entry, tmp_path / "out.onnx")

    assert (code, told()["targets"][0]["verdict"]) == (EXIT_FAULT, "fault")


def test_an_onnx_entry_is_not_compiled(tmp_path: Path, told: Told) -> None:
    entry = tmp_path / "net.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [])), entry)

    code = compile_for_targets(
        entry,
        load_track("cvpr2022-track1").spec,
        targets=(X86_64_CPU,),
        source=None,
        output=tmp_path / "out.onnx",
        sandbox=FakeSandbox({}),
        printing=AS_JSON,
    )

    assert (code, told()["targets"][0]["code"]) == (EXIT_REJECTED, "compilation_failed")


def test_a_package_with_code_counts_as_a_whole(tmp_path: Path, told: Told) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "model.py").write_text("class Model: pass\n")

    compile_for_targets(
        folder,
        load_track("cvpr2022-track1").spec,
        targets=(X86_64_CPU,),
        source=Format.CVPR_ZIP,
        output=tmp_path / "out.onnx",
        sandbox=FakeSandbox({**captures(100), Task.COMPILE: [replied()]}),
        printing=AS_JSON,
    )

    assert told()["targets"][0]["model_bytes"] == len("class Model: pass\n")


def test_the_file_is_named_after_entry_and_target_by_default(
    entry: Path, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    compile_for_targets(
        entry,
        TRACK,
        targets=(X86_64_CPU,),
        source=None,
        output=None,
        sandbox=FakeSandbox({**captures(WIDTH), Task.COMPILE: [replied()]}),
        printing=AS_JSON,
    )

    assert told()["targets"][0]["path"] == "entry.x86_64-cpu.onnx"
    assert (tmp_path / "entry.x86_64-cpu.onnx").read_bytes() == b"compiled"
