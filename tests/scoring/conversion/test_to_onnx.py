"""`podium export onnx` as a whole, without isolation, so that it runs on every machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from scoring.cli.convert import to_onnx
from scoring.cli.ending import EXIT_OK, EXIT_REJECTED, Printing
from scoring.codes import CODES
from scoring.contracts import Format, Task
from scoring.sandbox.fake import FakeSandbox, Scripted
from scoring.tracks import load_track
from tests.forked.sandbox import quick_sandbox
from tests.golden.byom import byom_files
from tests.played import answers, captured, captures

AS_JSON = Printing(as_json=True, with_log=False)
MODEL = """
import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 3)

    def forward(self, images):
        return self.head(images.float().mean((2, 3)))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    return folder


@pytest.mark.slow
def test_a_folder_with_code_becomes_an_entry_of_an_onnx_track(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, track = tmp_path / "detector.onnx", load_track("gasbench-onnx-image").spec

    code = to_onnx(package, track, source=None, output=output, sandbox=quick_sandbox(), printing=AS_JSON)

    told = json.loads(capsys.readouterr().out)
    sides = [side.dim_value for side in onnx.load(output).graph.input[0].type.tensor_type.shape.dim[1:]]
    assert (code, told["verdict"], told["format"]) == (EXIT_OK, "accepted", "onnx")
    assert told["export"]["bytes"] == output.stat().st_size
    assert told["export"]["batch"] is None
    assert told["usage"]["parameters"] == 12
    assert sides == [3, 224, 224]


@pytest.mark.slow
def test_a_model_folder_of_ai_hub_becomes_an_entry_of_an_onnx_track(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(__file__).parents[2] / "golden" / "accepted_qaihub"
    output, preset = tmp_path / "net.onnx", load_track("qaihub-classification").spec
    track = replace(preset, formats=(Format.QAIHUB, Format.ONNX))

    code = to_onnx(folder, track, source=None, output=output, sandbox=quick_sandbox(), printing=AS_JSON)

    told = json.loads(capsys.readouterr().out)
    assert (code, told["verdict"], told["format"]) == (EXIT_OK, "accepted", "onnx")
    assert told["export"]["bytes"] == output.stat().st_size


def refused(entry: Path, output: Path, script: Scripted, capsys: pytest.CaptureFixture[str]) -> str:
    track = load_track("cvpr2022-track1").spec
    sandbox = FakeSandbox({**captures(100), Task.EXPORT: [script]})

    code = to_onnx(entry, track, source=None, output=output, sandbox=sandbox, printing=AS_JSON)

    assert code == EXIT_REJECTED
    assert not output.exists()
    return str(json.loads(capsys.readouterr().out)["code"])


def test_an_onnx_file_is_not_exported_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = tmp_path / "net.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [])), entry)

    assert refused(entry, tmp_path / "out.onnx", Scripted(), capsys) == "export_failed"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"outcome": "export_failed", "facts": {"why": "a branch"}}, "export_failed"),
        ({"outcome": "ok"}, "crashed"),
        ({"outcome": "ok", "rows": 4}, "crashed"),
        (
            {"outcome": "ok", "opset": 18, "samples": 4, "largest_difference": -1, "largest_output": 1},
            "crashed",
        ),
    ],
)
def test_what_the_child_says_is_not_believed_unseen(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], reply: dict[str, object], code: str
) -> None:
    script = Scripted(
        exit_code=0 if reply["outcome"] == "ok" else 1, reply=json.dumps(reply).encode(), outputs=b"onnx"
    )

    assert refused(package, tmp_path / "out.onnx", script, capsys) == code
    assert code in CODES


def test_what_cannot_be_captured_says_why(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure = captured(answers(3), b"", not_captured="it calls numpy")
    track, sandbox = load_track("gasbench-onnx-image").spec, FakeSandbox({Task.MEASURE: [measure]})

    code = to_onnx(package, track, source=None, output=tmp_path / "x.onnx", sandbox=sandbox, printing=AS_JSON)

    told = json.loads(capsys.readouterr().out)
    assert (code, told["code"]) == (EXIT_REJECTED, "export_failed")
    assert "it calls numpy" in told["message"]
    assert [job.request.task for job in sandbox.jobs] == [Task.MEASURE]


def test_an_exported_file_is_checked_like_any_upload(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = {"outcome": "ok", "opset": 18, "samples": 4, "largest_difference": 0.0, "largest_output": 1.0}
    script = Scripted(reply=json.dumps(reply).encode(), outputs=b"no model")

    assert refused(package, tmp_path / "out.onnx", script, capsys) == "unsupported_onnx"


def test_where_two_formats_match_the_source_must_be_named(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, track = tmp_path / "out.onnx", load_track("gasbench-onnx-image").spec
    for name in ("model_config.yaml", "mochi.json"):
        (package / name).write_bytes(b"")
    script = Scripted(exit_code=1, reply=b'{"outcome": "crashed", "facts": {"why": "ValueError"}}')
    sandbox = FakeSandbox({**captures(3), Task.EXPORT: [script]})

    codes = []
    for source in (None, Format.CVPR_ZIP):
        to_onnx(package, track, source=source, output=output, sandbox=sandbox, printing=AS_JSON)
        codes.append(json.loads(capsys.readouterr().out)["code"])

    assert codes == ["ambiguous_format", "crashed"]


def test_a_package_whose_settings_change_the_input_is_told_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in byom_files({}).items():
        file = tmp_path / "package" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    track, sandbox = load_track("byom-classification").spec, FakeSandbox({})

    code = to_onnx(
        tmp_path / "package",
        track,
        source=None,
        output=tmp_path / "x.onnx",
        sandbox=sandbox,
        printing=AS_JSON,
    )

    told = json.loads(capsys.readouterr().out)
    assert (code, told["code"]) == (EXIT_REJECTED, "export_failed")
    assert "std (0.25, 0.25, 0.25) instead of none" in told["message"]
