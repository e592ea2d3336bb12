"""What a child loads before its entry: each heavy package by name, so that none comes back unnoticed.

docs/performance.md says what each of them costs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

from scoring.contracts import Format, Kind, Task
from scoring.sandbox.cage import environment

ROOT = Path(__file__).parents[3]
TORCH = {"torch"}
COUNTERS = {"ptflops", "fvcore"}
COMPILER = {"torch._dynamo", "torch._inductor", "sympy", "networkx"}
"""All that torch.export imports; no way around it was found."""
ONNX = {"onnx", "ml_dtypes", "onnxruntime"}
HEAVY = {
    *(
        *TORCH,
        *COUNTERS,
        *COMPILER,
        *ONNX,
        "onnx2torch",
        "onnxscript",
        "torchvision",
        "timm",
        "safetensors.torch",
    ),
    *(
        "pydantic",
        "yaml",
        "PIL",
        "cv2",
        "av",
        "scipy",
        "sklearn",
        "pycocotools",
        "tabulate",
        "wcwidth",
        "redis",
    ),
    *("huggingface_hub", "onnxruntime.quantization"),
}
GRAPH = TORCH | {"safetensors.torch"}
WITH_CODE = GRAPH | COUNTERS | COMPILER
MAY_LOAD = {
    Kind(task=Task.PREDICT, format=Format.ONNX): {"onnxruntime"},
    Kind(task=Task.LATENCY, format=Format.ONNX): {"onnxruntime"},
    Kind(task=Task.MEASURE, format=Format.ONNX): TORCH | COUNTERS | ONNX | {"onnx2torch"},
    Kind(task=Task.COUNT, format=Format.CVPR_ZIP, captured=True): GRAPH,
    Kind(task=Task.PREDICT, format=Format.CVPR_ZIP, captured=True): GRAPH,
    Kind(task=Task.LATENCY, format=Format.CVPR_ZIP, captured=True): GRAPH,
    Kind(task=Task.PREDICT, format=Format.CVPR_ZIP): TORCH,
    Kind(task=Task.PREDICT, format=Format.GASBENCH): TORCH,
    Kind(task=Task.PREDICT, format=Format.QAIHUB): TORCH,
    Kind(task=Task.PREDICT, format=Format.BYOM): TORCH,
    Kind(task=Task.CALIBRATE, format=Format.CVPR_ZIP): TORCH,
    Kind(task=Task.MEASURE, format=Format.CVPR_ZIP): WITH_CODE,
    Kind(task=Task.MEASURE, format=Format.GASBENCH): WITH_CODE,
    Kind(task=Task.MEASURE, format=Format.QAIHUB): WITH_CODE,
    Kind(task=Task.MEASURE, format=Format.BYOM): WITH_CODE,
}
# Each kind is loaded in a fork of a process that has, by then, what all kinds from there on load anyway.
LIST = """
import json, os, sys
from importlib import import_module
from scoring.contracts import Kind
from scoring.sandboxed.__main__ import preload

def loaded(word):
    reader, writer = os.pipe()
    if os.fork() == 0:
        preload(Kind.from_word(word))
        with open(writer, "w") as pipe:
            json.dump({name: getattr(each, "__file__", None) for name, each in sys.modules.items()}, pipe)
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        found = json.load(pipe)
    os.wait()
    return found

found = {}
for word, shared in json.loads(sys.argv[1]):
    for name in shared:
        import_module(name)
    found[word] = loaded(word)
json.dump(found, sys.stdout)
"""
IMPORT = """
import json, sys
from importlib import import_module

import_module(sys.argv[1])
json.dump(list(sys.modules), sys.stdout)
"""


def run(program: str, argument: str) -> Any:
    """Return what a program of its own prints, in a child's environment."""
    ended = subprocess.run(
        [sys.executable, "-P", "-s", "-c", program, argument],
        env={**environment(threads=1), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def shared_by(kind: Kind) -> list[str]:
    """Return heavy modules that the kind is sure to load, and so do all after it."""
    exporter = ["scoring.sandboxed.graph.capture"] if MAY_LOAD[kind] >= COMPILER else []
    return [*(["torch"] if MAY_LOAD[kind] >= GRAPH else []), *exporter]


def test_a_child_loads_before_its_entry_what_its_task_needs() -> None:
    found = run(LIST, json.dumps([(kind.to_word(), shared_by(kind)) for kind in MAY_LOAD]))

    heavy = {kind: HEAVY & found[kind.to_word()].keys() for kind in MAY_LOAD}
    sources = {
        Path(file) for each in found.values() for file in each.values() if file and file.endswith(".py")
    }
    installed = [path for path in sources if path.is_relative_to(sys.prefix)]
    uncompiled = [path for path in installed if not Path(cache_from_source(str(path))).is_file()]
    assert heavy == MAY_LOAD
    assert (len(installed) > 0, uncompiled) == (True, []), "a child compiles these again in every run"


def test_the_command_line_starts_without_libraries_for_models_or_media() -> None:
    found = set(run(IMPORT, "scoring.cli.app"))

    assert (HEAVY | {"numpy"}) & found == {"pydantic", "yaml"}


@pytest.mark.parametrize("module", ["scoring.cli.check", "scoring.flow.pipeline"])
def test_the_trusted_side_loads_nothing_that_runs_models(module: str) -> None:
    found = set(run(IMPORT, module))

    assert (TORCH | COUNTERS | {"onnxruntime", "onnx2torch", "torchvision", "timm"}) & found == set()
