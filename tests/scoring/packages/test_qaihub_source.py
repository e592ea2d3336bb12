"""What of a model.py is refused without running it, and what is left to the sandbox."""

import ast
from pathlib import Path

import pytest

from scoring.packages import qaihub_source

BASE = "from qai_hub_models.utils.base_model import BaseModel\n"
PRETRAINED = """
    @classmethod
    def from_pretrained(cls): return cls()
"""
SPEC = """
    @staticmethod
    def get_input_spec(): return {}
"""
NAMES = """
    @staticmethod
    def get_output_names(): return []
"""
ALL = PRETRAINED + SPEC + NAMES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").touch()
    return tmp_path


def reasons(text: str, folder: Path) -> list[str]:
    return [str(found.facts["why"]) for found in qaihub_source.problems(ast.parse(text), folder, "net")]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("import qai_hub_models.utils.asset_loaders as a", "qai_hub_models.utils.asset_loaders"),
        ("from qai_hub_models.utils import asset_loaders", "qai_hub_models.utils.asset_loaders"),
        ("from qai_hub_models.datasets import x", "qai_hub_models.datasets"),
        ("from qai_hub_models.models.other.model import x", "qai_hub_models.models.other.model"),
        ("from qai_hub_models.utils.input_spec import a, InputSpec", "qai_hub_models.utils.input_spec.a"),
        ("import qai_hub", "qai_hub"),
    ],
)
def test_what_the_library_lacks_here_is_told_with_its_line(line: str, missing: str, folder: Path) -> None:
    (found,) = reasons(f"import json\n{line}\n{BASE}class N(BaseModel):{ALL}", folder)

    assert found.startswith(f"line 2 imports {missing},")


@pytest.mark.parametrize(
    "line",
    [
        "import qai_hub_models",
        "import qai_hub_models.models.net.app",
        "from qai_hub_models.models import net",
        "from qai_hub_models.utils import input_spec",
        "from qai_hub_models.utils.input_spec import *",
        "from qai_hub_models.models.net.app import App",
        "import mine",
        "from . import mine",
    ],
)
def test_an_import_that_is_there_is_not_told(line: str, folder: Path) -> None:
    assert reasons(f"{line}\n{BASE}class N(BaseModel):{ALL}", folder) == []


def test_advice_is_given_once(folder: Path) -> None:
    lines = "from qai_hub_models.datasets import x\nfrom qai_hub_models.labels import y\n"

    first, second = reasons(f"{lines}{BASE}class N(BaseModel):{ALL}", folder)

    assert ("it provides" in first, "it provides" in second) == (True, False)
