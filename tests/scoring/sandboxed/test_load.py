from __future__ import annotations

import pytest

from scoring.contracts import Task


def test_siblings_and_own_files_are_found(child):
    child.write("parts.py", "SCALE = 2.0\n")
    child.write("bias.txt", "0.5")
    child.write(
        "model.py",
        "import torch, pathlib\nfrom parts import SCALE\n"
        "BIAS = float((pathlib.Path(__file__).parent / 'bias.txt').read_text())\n"
        "class Model(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return torch.full((len(x), 3), SCALE + BIAS)\n",
    )

    ended = child.run(Task.PREDICT)

    assert ended.rows.tolist() == [[2.5, 2.5, 2.5]] * 5


OWN_MODULES = (
    "timm",
    "scoring",
    "utils",
    "models",
    "torch_utils",
    "yaml",
    "tqdm",
    "tabulate",
    "profile",
    "model_parts",
)


@pytest.mark.parametrize("task", [Task.MEASURE, Task.PREDICT])
def test_modules_of_its_own_are_its_own_in_every_run(child, task):
    for name in OWN_MODULES:
        (child.package / name).mkdir()
        child.write(f"{name}/__init__.py", "from . import inner\n")
        child.write(f"{name}/inner.py", "OWN = True\n")
    child.write(
        "model.py",
        "import torch\n"
        f"for name in {OWN_MODULES!r}:\n"
        "    assert __import__(f'{name}.inner').inner.OWN, name\n"
        "class Model(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        import timm, scoring\n"
        "        assert timm.inner.OWN and scoring.inner.OWN\n"
        "        return x.mean((2, 3))\n",
    )

    ended = child.run(task)

    assert ended.reply["outcome"] == "ok", ended.log


def test_a_folder_without_code_hides_no_module(child):
    (child.package / "torchvision").mkdir()
    child.write("torchvision/weights.txt", "1")
    child.write("model.py", "import torch, torchvision\nassert torchvision.__file__\nclass Model: pass")

    ended = child.run(Task.PREDICT)

    assert "AssertionError" not in ended.log


def test_a_module_of_its_own_changes_nothing_in_ours(child):
    for name in ("numpy.py", "json.py", "os.py", "traceback.py", "typing.py"):
        child.write(name, "MINE = True\n")
    child.write(
        "model.py",
        "import torch, json, numpy, os\n"
        "assert json.MINE and numpy.ndarray and not hasattr(os, 'MINE')\n"
        "class Model(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return x.mean((2, 3))\n",
    )

    ended = child.run(Task.PREDICT)

    assert ended.reply == {"outcome": "ok", "rows": 5}, ended.log


@pytest.mark.slow
def test_timm_and_torchvision_can_be_imported(model):
    child = model("x.mean((2, 3))", head="import timm, torchvision")

    ended = child.run(Task.PREDICT)

    assert ended.reply == {"outcome": "ok", "rows": 5}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("class Net: pass", "model.py does not define class Model"),
        ("class Model: pass", "Model() is a Model, not a torch.nn.Module"),
        ("class Model(:", "SyntaxError: invalid syntax (model.py, line 1)"),
    ],
)
def test_packages_that_cannot_be_loaded_say_why_in_measure(child, text, why):
    child.write("model.py", text)

    ended = child.run(Task.MEASURE)

    assert ended.reply == {"outcome": "load_failed", "facts": {"why": why}}


BY_ANOTHER = """
try:
    import no_such_module.part
except ImportError as error:
    raise RuntimeError("cannot be used") from error
"""
DONE_WITHOUT = """
try:
    import no_such_module
except ImportError:
    raise ValueError("something else")
"""


@pytest.mark.parametrize("text", ["import no_such_module", "from no_such_module.part import x", BY_ANOTHER])
def test_a_library_that_is_not_there_is_told(child, text):
    child.write("model.py", text)

    ended = child.run(Task.MEASURE)

    assert ended.reply == {"outcome": "not_installed", "facts": {"found": "no_such_module"}}


@pytest.mark.parametrize(
    "text", ["import torch.no_such_part", "import own.part", "import sys.part", DONE_WITHOUT]
)
def test_other_imports_that_fail_speak_for_themselves(child, text):
    child.write("model.py", text)
    child.write("own.py", "")

    assert child.run(Task.MEASURE).reply["outcome"] == "load_failed"


def test_of_hidden_data_no_librarys_name_is_told(child):
    child.write("model.py", "import no_such_module")

    assert child.run(Task.PREDICT).reply == {"outcome": "not_installed", "facts": {}}


def test_failing_to_load_in_predict_shows_no_text_of_the_entry(child):
    child.write("model.py", "raise RuntimeError('pixel 17 is red')")

    ended = child.run(Task.PREDICT)

    assert ended.reply == {"outcome": "load_failed", "facts": {"why": "RuntimeError"}}
