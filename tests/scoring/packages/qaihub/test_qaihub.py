"""The qaihub format on files alone: what matches, what is refused, what is warned of."""

from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from scoring.contracts import Finding, Mismatch, Package, Unpacked, UnpackedFile
from scoring.errors import Rejected
from scoring.packages import qaihub
from scoring.tracks import load_track

TRACK = load_track("qaihub-classification").spec
MODEL = """from qai_hub_models.utils.base_model import BaseModel
class Net(BaseModel):
    @classmethod
    def from_pretrained(cls, weights=None): return cls()
    @staticmethod
    def get_input_spec(): return {"image": ((1, 3, 224, 224), "float32")}
    @staticmethod
    def get_output_names(): return ["logits"]
"""
INFO = {
    "name": "Net",
    "id": "net_1",
    "status": "public",
    "headline": "A net.",
    "domain": "Computer Vision",
    "description": "A net.",
    "use_case": "Image Classification",
    "tags": [],
    "applicable_scenarios": [],
    "related_models": [],
    "form_factors": [],
    "has_static_banner": True,
    "has_animated_banner": False,
    "technical_details": {
        "Model checkpoint": "none",
        "Input resolution": "224x224",
        "Number of parameters": "1M",
        "Model size (float)": "4 MB",
    },
    "license_type": "mit",
}

Check = Callable[..., tuple[Finding, ...]]


def unpacked(root: Path, files: dict[str, str]) -> Unpacked:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    listed = tuple(UnpackedFile(path=path, size=len(text)) for path, text in sorted(files.items()))
    return Unpacked(root=root, files=listed, package_bytes=sum(file.size for file in listed))


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that matches and checks a package; None leaves a file out."""

    def check(
        *, model: str = MODEL, info: object = INFO, requirements: str | None = None
    ) -> tuple[Finding, ...]:
        files = {"model.py": model}
        if info is not None:
            files["info.yaml"] = info if isinstance(info, str) else yaml.safe_dump(info)
        if requirements is not None:
            files["requirements.txt"] = requirements
        package = qaihub.match(unpacked(tmp_path, files))
        assert isinstance(package, Package)
        return qaihub.check(package, TRACK)

    return check


def reasons(refused: pytest.ExceptionInfo[Rejected]) -> list[str]:
    return [str(finding.facts["why"]) for finding in refused.value.findings]


def test_a_whole_folder_passes_without_a_warning(check: Check) -> None:
    assert check(requirements="# nothing\n\n") == ()


def test_the_id_names_the_folder(tmp_path: Path) -> None:
    package = qaihub.match(unpacked(tmp_path, {"model.py": MODEL, "info.yaml": yaml.safe_dump(INFO)}))

    assert qaihub.settle(package, TRACK).options == {"model_id": "net_1"}


@pytest.mark.parametrize("model_id", ["../x", "os.path", "", 7, "A"])
def test_an_id_that_is_no_plain_name_is_not_used(tmp_path: Path, model_id: object) -> None:
    info = yaml.safe_dump({**INFO, "id": model_id})
    package = qaihub.match(unpacked(tmp_path, {"model.py": MODEL, "info.yaml": info}))

    assert qaihub.settle(package, TRACK).options == {"model_id": "entry"}


@pytest.mark.parametrize(
    ("folder", "info", "expected"),
    [
        ("resnet18", None, "resnet18"),
        ("resnet18", {"name": "Net"}, "resnet18"),
        ("resnet18", {"id": "net_1"}, "net_1"),
        ("resnet18", {"id": " "}, "resnet18"),
        ("ResNet-18", {"name": "Net"}, "entry"),
        ("common", {"name": "Net"}, "entry"),
    ],
)
def test_the_folders_name_stands_in_for_an_id(
    tmp_path: Path, folder: str, info: object, expected: str
) -> None:
    files = {f"{folder}/model.py": MODEL}
    if info is not None:
        files[f"{folder}/info.yaml"] = yaml.safe_dump(info)
    package = qaihub.match(unpacked(tmp_path, files))

    assert qaihub.settle(package, TRACK).options == {"model_id": expected}
    assert {finding.code for finding in qaihub.check(package, TRACK)} == {"incomplete_info"}


@pytest.mark.parametrize("model_id", ["common", "_shared"])
def test_an_id_that_would_hide_a_part_of_the_library_is_refused(check: Check, model_id: str) -> None:
    with pytest.raises(Rejected) as refused:
        check(info={**INFO, "id": model_id})

    assert [finding.path for finding in refused.value.findings] == ["info.yaml"]
    assert model_id in reasons(refused)[0]


@pytest.mark.parametrize(
    "files", [{"net.py": MODEL}, {"model.py": "class Model: ..."}, {"a/b/model.py": MODEL}]
)
def test_something_else_does_not_match(tmp_path: Path, files: dict[str, str]) -> None:
    assert isinstance(qaihub.match(unpacked(tmp_path, files)), Mismatch)


@pytest.mark.parametrize(
    ("found", "instead", "words"),
    [
        ("(BaseModel)", "", "not define a subclass of BaseModel"),
        ("class Net", "class Other(BaseModel): ...\nclass Net", "2 subclasses of BaseModel"),
        ("@classmethod", "@staticmethod", "not a classmethod"),
        ("weights=None", "weights", "no default for weights"),
        ("weights=None", "*, weights", "no default for weights"),
        ("def get_input_spec", "def input_spec", "does not define get_input_spec"),
        ("def get_output_names", "def output_names", "does not define get_output_names"),
    ],
)
def test_a_model_that_could_not_run_is_refused(check: Check, found: str, instead: str, words: str) -> None:
    with pytest.raises(Rejected) as refused:
        check(model=MODEL.replace(found, instead, 1))

    assert any(words in why for why in reasons(refused))


def test_an_import_that_cannot_work_names_the_library(check: Check) -> None:
    with pytest.raises(Rejected) as refused:
        check(model=f"from numba.core import types\n{MODEL}")

    (finding,) = refused.value.findings
    assert finding.code == "not_installed"
    assert "numba" in str(dict(finding.facts))


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("(BaseModel)", "(base_model.BaseModel)"),
        ("(BaseModel)", "(mixins()[0], BaseModel)"),
        ("import BaseModel\nclass Net(BaseModel)", "import BaseModel as Base\nclass Net(Base)"),
        ("@classmethod", "@functools.cache\n    @classmethod"),
    ],
)
def test_the_base_class_may_be_written_in_other_ways(check: Check, found: str, instead: str) -> None:
    model = MODEL.replace(found, instead, 1)

    assert found in MODEL
    assert check(model=model) == ()


@pytest.mark.parametrize("base", ["CollectionModel", "BasePrecompiledModel", "PrecompiledWorkbenchModel"])
def test_another_base_of_the_library_is_named(check: Check, base: str) -> None:
    with pytest.raises(Rejected) as refused:
        check(model=MODEL.replace("import BaseModel", f"import {base}").replace("(BaseModel)", f"({base})"))

    assert reasons(refused) == [
        f"it does not define a subclass of BaseModel; Net is a {base}, and a track scores one PyTorch model: enter "
        "the part that answers as a BaseModel of its own"
    ]


def test_a_class_without_from_pretrained_is_told_that_alone(check: Check) -> None:
    with pytest.raises(Rejected) as refused:
        check(model=MODEL.replace("def from_pretrained", "def pretrained", 1))

    assert reasons(refused) == ["class Net does not define from_pretrained"]


@pytest.mark.parametrize("place", ["net.py", "net/__init__.py", "net/part.py"])
def test_a_module_of_the_folder_may_be_imported(tmp_path: Path, place: str) -> None:
    files = {"model.py": f"import net\n{MODEL}", place: "", "info.yaml": yaml.safe_dump(INFO)}
    package = qaihub.match(unpacked(tmp_path, files))

    assert qaihub.check(package, TRACK) == ()


@pytest.mark.parametrize(
    "line",
    [
        "import torch, json",
        "from . import app",
        "try:\n    import numba\nexcept ImportError:\n    numba = None",
        "def later():\n    import numba",
        "from qai_hub_models.models.net_1.app import App",
    ],
)
def test_an_import_that_may_work_is_left_to_the_sandbox(check: Check, line: str) -> None:
    assert check(model=f"{line}\n{MODEL}") == ()


@pytest.mark.parametrize(
    "line",
    [
        "torch",
        "torch>=2",
        "torch==2.*",
        "torch==2.1,!=2.2",
        "git+https://example.com/x.git",
        "x @ git+https://example.com/x.git",
        "-r other.txt",
        "--index-url https://example.com",
        "torch==",
    ],
)
def test_a_line_that_pins_nothing_is_a_warning_with_its_number(check: Check, line: str) -> None:
    (found,) = check(requirements=f"# first\n{line}\n")

    assert (found.code, str(found.facts["why"])[:8]) == ("unpinned_requirement", "line 2: ")


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("(" * 3_000, id="thousands of brackets"),
        pytest.param('python_version ~= "abc"', id="no version"),
        pytest.param('extras == "x"', id="no such name"),
    ],
)
def test_a_condition_that_cannot_be_told_is_a_warning(check: Check, condition: str) -> None:
    (found,) = check(requirements=f"PyYAML==6.0; {condition}\n")

    assert (found.code, found.path) == ("unpinned_requirement", "requirements.txt")


def test_findings_have_an_end_and_no_control_characters(check: Check) -> None:
    found = check(requirements="\x1b[2J\n" * 5_000)

    assert len(found) == 100
    assert "\x1b" not in str(found)


def test_a_pin_of_another_version_is_a_warning(check: Check) -> None:
    found = check(requirements="PyYAML==0.0.1  # old\n")

    assert [(finding.code, finding.facts["asked"]) for finding in found] == [("pins_differ", "PyYAML==0.0.1")]


def test_a_pin_of_the_version_that_entries_run_with_says_nothing(check: Check) -> None:
    assert check(requirements=f"PyYAML=={metadata.version('PyYAML')}\n") == ()


def test_a_pin_of_what_entries_run_without_says_so(check: Check) -> None:
    (found,) = check(requirements="no-such-package-anywhere==1.0\n")

    assert dict(found.facts) == {"asked": "no-such-package-anywhere==1.0", "found": "without it"}


def test_a_manifest_is_read_as_newer_releases_have_it(tmp_path: Path) -> None:
    manifest = yaml.safe_dump(
        {**INFO, "id": "net_2", "status": "published", "supported_precisions": ["float"]}
    )
    package = qaihub.match(unpacked(tmp_path, {"model.py": MODEL, "manifest.yaml": manifest}))

    assert qaihub.check(package, TRACK) == ()
    assert qaihub.settle(package, TRACK).options == {"model_id": "net_2"}


def test_a_pin_for_another_system_is_none(check: Check) -> None:
    assert check(requirements='PyYAML==0.0.1; sys_platform == "cp/m"\n') == ()


@pytest.mark.parametrize("text", ["name: [", "- a list", "", "!!python/object/apply:os.system [ls]", "\t"])
def test_a_malformed_info_is_refused(check: Check, text: str) -> None:
    with pytest.raises(Rejected) as refused:
        check(info=text)

    assert [finding.path for finding in refused.value.findings] == ["info.yaml"]


def test_an_info_of_merges_that_double_is_refused_at_once(check: Check) -> None:
    lines = ["a0: &a0 {k: 1}", *(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 60))]

    with pytest.raises(Rejected) as refused:
        check(info="\n".join(lines))

    assert [finding.path for finding in refused.value.findings] == ["info.yaml"]


@pytest.mark.parametrize("field", INFO)
def test_each_missing_field_is_named(check: Check, field: str) -> None:
    found = check(info={name: value for name, value in INFO.items() if name != field})

    assert [finding.code for finding in found] == ["incomplete_info"]
    assert field in str(found[0].facts["why"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headline", "No full stop"),
        ("status", "secret"),
        ("related_models", ["a", "b", "c", "d"]),
        ("tags", "one"),
        ("has_static_banner", "yes, it has"),
        ("technical_details", {**INFO["technical_details"], "Input resolution": " "}),
        ("technical_details", {**INFO["technical_details"], "Input resolution": "abc"}),
        ("technical_details", {**INFO["technical_details"], "Input resolution": 224}),
        ("technical_details", {**INFO["technical_details"], "Number of parameters": -5}),
        ("technical_details", {**INFO["technical_details"], "Number of parameters": [1, 2]}),
        ("technical_details", {**INFO["technical_details"], "Model size (float)": True}),
        ("name", "  "),
        ("headline", 7),
        ("dataset", "imagenet"),
        ("research_paper", 7),
        ("research_paper", "a paper"),
        ("source_repo", "github.com/x/y"),
        ("status_reason", []),
    ],
)
def test_each_malformed_field_is_named(check: Check, field: str, value: object) -> None:
    found = check(info={**INFO, field: value})

    assert [finding.code for finding in found] == ["incomplete_info"]
    assert field in str(found[0].facts["why"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("technical_details", {**INFO["technical_details"], "Input resolution": "3 x 720 x 1280"}),
        ("technical_details", {**INFO["technical_details"], "Number of parameters": 11_689_512}),
        ("technical_details", {**INFO["technical_details"], "Number of parameters": "1.07 billion"}),
        ("dataset", ["imagenet-1k"]),
        ("research_paper", "https://arxiv.org/abs/1512.03385"),
        ("license", None),
        ("status_reason", ""),
    ],
)
def test_a_field_in_order_says_nothing(check: Check, field: str, value: object) -> None:
    assert check(info={**INFO, field: value}) == ()


def test_a_missing_info_is_a_warning(check: Check) -> None:
    assert [finding.code for finding in check(info=None)] == ["incomplete_info"]


def test_all_problems_are_told_at_once(check: Check) -> None:
    with pytest.raises(Rejected) as refused:
        check(model=MODEL.replace("weights=None", "weights"), info="[", requirements="torch\n")

    assert {finding.path for finding in refused.value.findings} == {
        "model.py",
        "info.yaml",
    }
    assert [finding.path for finding in refused.value.warnings] == ["requirements.txt"]
