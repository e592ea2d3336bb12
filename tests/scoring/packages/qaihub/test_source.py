"""What of a model.py is refused without running it, and what is left to the sandbox."""

import ast
from pathlib import Path

import pytest

from scoring.contracts.ai_hub import METHODS
from scoring.packages.qaihub import source

BASE = "from qai_hub_models.utils.base_model import BaseModel\n"
SHARED = "from qai_hub_models.models._shared.imagenet_classifier.model import "
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
    return [str(found.facts["why"]) for found in source.problems(ast.parse(text), folder, "net")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f"{SHARED}ImagenetClassifierWithModelBuilder as C\nclass N(C): x = 1", id="by a builder"
        ),
        pytest.param(f"{SHARED}ImagenetClassifier\nclass N(ImagenetClassifier):{PRETRAINED}", id="by itself"),
        pytest.param(f"from mine import Base\nclass N(Base):{PRETRAINED}", id="base of a sibling"),
        pytest.param(f"from .mine import Base\nclass N(Base):{PRETRAINED}", id="base of a relative import"),
        pytest.param(f"from mine import *\nclass N(Base):{PRETRAINED}", id="base of a star"),
        pytest.param(f"try:\n    {BASE}except ImportError:\n    raise\nclass N(BaseModel):{ALL}", id="try"),
        pytest.param(f"{BASE}BaseModel = BaseModel\nclass N(BaseModel): x = 1", id="bound twice"),
        pytest.param(f"{BASE}if True:\n  class N(BaseModel): x = 1", id="class in a block"),
        pytest.param(f"{BASE}def make():\n  class N(BaseModel): x = 1\n  return N", id="class in a function"),
        pytest.param(f"{BASE}class N(mixed(BaseModel)): x = 1", id="computed base"),
        pytest.param(f"{BASE}class N(mixed(BaseModel).Part): x = 1", id="part of a computed base"),
        pytest.param("class N(qai_hub_models.utils.base_model.BaseModel): x = 1", id="base by its path"),
        pytest.param(
            "from qai_hub_models.x import Base\nclass N(Base): x = 1", id="unknown base of the library"
        ),
        pytest.param(
            f"{BASE}class N(BaseModel):{SPEC}{NAMES}\n    @built(1)\n    def from_pretrained(x): 1",
            id="decorator that is called",
        ),
        pytest.param("class N(metaclass=made): x = 1", id="metaclass"),
        pytest.param(f"{BASE}from timm import Mixed\nclass N(Mixed, BaseModel): x = 1", id="foreign mixin"),
        pytest.param(f"{BASE}@complete\nclass N(BaseModel): x = 1", id="decorated class"),
        pytest.param(f"{BASE}class M:{SPEC + NAMES}\nclass N(M, BaseModel):{PRETRAINED}", id="own mixin"),
        pytest.param(
            f"{BASE}class N(BaseModel):{PRETRAINED}{SPEC}    get_output_names = staticmethod(list)", id="set"
        ),
        pytest.param(
            f"{BASE}class N(BaseModel):{PRETRAINED}{SPEC}\nN.get_output_names = list", id="set later"
        ),
        pytest.param(
            f"{BASE}class N(BaseModel):{PRETRAINED}{SPEC}\nsetattr(N, 'get_output_names', list)", id="setattr"
        ),
        pytest.param(
            f"{BASE}class N(BaseModel):{SPEC}{NAMES}\n    async def from_pretrained(cls): 1", id="async"
        ),
        pytest.param(f"{BASE}class N(BaseModel):{ALL}\nclass N(BaseModel):{ALL}", id="defined again"),
        pytest.param(
            f"{BASE}class N(BaseModel):{SPEC}{NAMES}\n    @built\n    def from_pretrained(x): 1",
            id="decorator",
        ),
        pytest.param(
            f"{BASE}class N(BaseModel):{SPEC}{NAMES}\n    def from_pretrained(cls, x): 1\n"
            "    from_pretrained = classmethod(from_pretrained)",
            id="classmethod by hand",
        ),
        pytest.param(
            f"{BASE}from typing import Generic, T\nclass N(BaseModel, Generic[T]):{ALL}", id="generic"
        ),
    ],
)
def test_what_may_run_is_left_to_the_sandbox(text: str, folder: Path) -> None:
    found = [why for why in reasons(text, folder) if "imports" not in why]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = 1", id="no class"),
        pytest.param("class N: x = 1", id="no base"),
        pytest.param("class E(ValueError): x = 1", id="builtin"),
        pytest.param(f"from pydantic import BaseModel\nclass N(BaseModel):{ALL}", id="another BaseModel"),
        pytest.param("import torch.nn as nn\nclass N(nn.Module): x = 1", id="module of torch"),
        pytest.param("class P: x = 1\nclass N(P): x = 1", id="by another class of the file"),
        pytest.param(
            "from qai_hub_models.evaluators.base_evaluators import BaseEvaluator\n"
            "class N(BaseEvaluator): x = 1",
            id="evaluator",
        ),
    ],
)
def test_a_file_that_cannot_hold_a_model_is_refused(text: str, folder: Path) -> None:
    assert reasons(text, folder) == ["it does not define a subclass of BaseModel"]


def test_what_another_class_derives_from_is_no_model_of_its_own(folder: Path) -> None:
    text = f"{BASE}class P(BaseModel):{ALL}\nclass N(P): x = 1"

    assert reasons(text, folder) == []


def test_two_models_of_one_base_are_two(folder: Path) -> None:
    text = f"{BASE}class P(BaseModel):{ALL}\nclass N(P): x = 1\nclass M(P): x = 1"

    assert reasons(text, folder) == [
        "it defines 2 subclasses of BaseModel instead of one: N (line 12), M (line 13)"
    ]


def test_models_that_are_parts_of_another_are_told_so(folder: Path) -> None:
    text = (
        "from qai_hub_models.utils.base_collection_model import WorkbenchModelCollection\n"
        f"{BASE}class P(BaseModel):{ALL}\nclass N(BaseModel):{ALL}\nclass C(WorkbenchModelCollection): x = 1"
    )

    assert reasons(text, folder) == [
        "it defines 2 subclasses of BaseModel instead of one: P (line 3), N (line 13); C is a "
        "WorkbenchModelCollection, and a track scores one PyTorch model: enter the part that answers as a BaseModel "
        "of its own"
    ]


@pytest.mark.parametrize("method", ["get_output_spec", "_get_output_names_for_instance"])
def test_outputs_may_be_named_in_either_way(method: str, folder: Path) -> None:
    text = f"{BASE}class N(BaseModel):{PRETRAINED}{SPEC}    def {method}(self): return {{}}"

    assert reasons(text, folder) == []


@pytest.mark.parametrize("extra", ["", "\nimport abc\nclass M(abc.ABC): x = 1\nclass O(M): x = 1"])
def test_every_missing_method_is_named(extra: str, folder: Path) -> None:
    text = f"{BASE}class N(BaseModel): x = 1{extra}"

    assert reasons(text, folder) == [f"class N does not define {name}" for name in METHODS]


def test_an_image_classifier_lacks_from_pretrained_alone(folder: Path) -> None:
    text = f"{SHARED}ImagenetClassifier\nclass N(ImagenetClassifier): x = 1"

    assert reasons(text, folder) == ["class N does not define from_pretrained"]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("def from_pretrained(cls): 1", ["not a classmethod"]),
        ("@staticmethod\n    def from_pretrained(x): 1", ["not a classmethod", "no default for x"]),
        ("@staticmethod\n    def from_pretrained(x=1): 1", ["not a classmethod"]),
        ("@classmethod\n    def from_pretrained(cls, x, *, y): 1", ["no default for x, y"]),
    ],
)
def test_from_pretrained_is_a_classmethod_that_needs_nothing(
    method: str, expected: list[str], folder: Path
) -> None:
    found = reasons(f"{BASE}class N(BaseModel):{SPEC}{NAMES}\n    {method}", folder)

    assert [words in why for words, why in zip(expected, found, strict=True)] == [True] * len(expected)


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        (
            "import qai_hub_models.models.templates.yolo.model as a",
            "qai_hub_models.models.templates.yolo.model",
        ),
        ("from qai_hub_models.models.templates import yolo", "qai_hub_models.models.templates.yolo"),
        ("from qai_hub_models.models._shared.detr import x", "qai_hub_models.models._shared.detr"),
        ("import qai_hub_models.models.net.external_repos.r", "qai_hub_models.models.net.external_repos.r"),
        ("from qai_hub_models.models.other.model import x", "qai_hub_models.models.other.model"),
        ("from qai_hub_models.utils.input_spec import a, InputSpec", "qai_hub_models.utils.input_spec.a"),
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
        "import qai_hub",
        "from qai_hub.client import Device",
        "from qai_hub_models import Precision, TargetRuntime",
        "from qai_hub_models.datasets.imagenet import ImagenetDataset",
        "from qai_hub_models.utils import labels",
        "from qai_hub_models.utils.asset_loaders import CachedWebModelAsset, load_torch",
        "from qai_hub_models.models.templates.imagenet_classifier.model import TEST_IMAGENET_IMAGE",
        "from qai_hub_models.models._shared.imagenet_classifier.model import normalize_image_torchvision",
    ],
)
def test_an_import_that_is_there_is_not_told(line: str, folder: Path) -> None:
    assert reasons(f"{line}\n{BASE}class N(BaseModel):{ALL}", folder) == []


def test_advice_is_given_once(folder: Path) -> None:
    lines = "from qai_hub_models.utils.input_spec import x\nfrom qai_hub_models.utils.input_spec import y\n"

    first, second = reasons(f"{lines}{BASE}class N(BaseModel):{ALL}", folder)

    assert ("it provides" in first, "it provides" in second) == (True, False)


def test_what_the_entry_brings_of_the_library_is_there(folder: Path) -> None:
    shared = folder / "qai_hub_models" / "models" / "templates" / "yolo"
    (shared / "external_repos" / "r").mkdir(parents=True)
    (shared / "patches.py").touch()
    (folder / "external_repos" / "own").mkdir(parents=True)
    lines = (
        "from qai_hub_models.models.templates.yolo.patches import x\n"
        "from qai_hub_models.models.templates.yolo.external_repos.r.net import y\n"
        "from qai_hub_models.models.net.external_repos.own.net import z\n"
    )

    assert reasons(f"{lines}{BASE}class N(BaseModel):{ALL}", folder) == []


def test_a_clone_that_is_missing_is_told_with_what_to_do(folder: Path) -> None:
    line = "from qai_hub_models.models.net.external_repos.own.net import z\n"

    (found,) = reasons(f"{line}{BASE}class N(BaseModel):{ALL}", folder)

    assert found.endswith(
        "external_repos/own is not in the entry, and nothing is cloned here: run `podium pack`, or put the clone there"
    )
