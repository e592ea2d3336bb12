"""What the sandbox provides of the library, and what it says of the rest."""

from __future__ import annotations

from importlib import import_module

import pytest

from scoring.contracts import Format, Task
from scoring.contracts.ai_hub import PROVIDED
from scoring.sandboxed import qaihub


def test_both_tables_of_the_library_agree():
    modules = {theirs: import_module(f"{qaihub.__name__}.{ours}") for theirs, ours in qaihub.MODULES.items()}

    assert {theirs: set(module.__all__) for theirs, module in modules.items()} == PROVIDED


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from qai_hub_models.utils.asset_loaders import load", "put the weights beside model.py"),
        ("from qai_hub_models.utils.input_spec import load", "it provides InputSpec"),
        ("from qai_hub_models.models.other.app import App", "as qai_hub_models.models.net"),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_an_import_that_fails_while_the_model_is_built_is_explained(child, line, expected):
    child.write(
        "model.py",
        "from qai_hub_models.utils.base_model import BaseModel\n"
        "class Net(BaseModel):\n"
        "    @classmethod\n"
        f"    def from_pretrained(cls):\n        {line}\n        return cls()\n"
        "    @staticmethod\n"
        "    def get_input_spec(): return {}\n"
        "    @staticmethod\n"
        "    def get_output_names(): return []\n",
    )

    ended = child.run(Task.MEASURE, Format.QAIHUB, options={"model_id": "net"})

    assert ended.reply["outcome"] == "load_failed"
    assert expected in ended.reply["facts"]["why"]
