"""What the sandbox says of a qaihub package's class and model, and what it provides of the library."""

from __future__ import annotations

from importlib import import_module
from inspect import getattr_static

import pytest
import torch

from scoring.contracts import Format, InputContract, Reader, Task
from scoring.contracts.ai_hub import INSTEAD, METHODS, PROVIDED, SUPPLIED
from scoring.sandboxed import qaihub
from scoring.sandboxed.loaders.qaihub_contract import check_model, only_model, without_effect
from scoring.sandboxed.qaihub.base_model import BaseModel
from scoring.sandboxed.qaihub.imagenet_classifier import ImagenetClassifier
from scoring.sandboxed.qaihub.tensor_spec import TensorSpec
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.torchvision_ops import declare_missing_operators

CONTRACT = InputContract(reader=Reader.IMAGE, shape=(3, 8, 8))
PIXELS = torch.rand((2, 3, 4, 4), generator=torch.Generator().manual_seed(1))
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
SPEC = {"image": ((1, 3, 8, 8), "float32")}


class Good(BaseModel):
    """The happy case, which each test breaks in one way."""

    spec: object = SPEC
    names: object = ("logits",)

    def forward(self, image):
        return image

    @classmethod
    def from_pretrained(cls, weights=None, *more, **others):
        return cls()

    def get_input_spec(self):
        return self.spec

    def get_output_names(self):
        return self.names


class OwnSpec(Good):
    def get_input_spec(self, side):
        return {}

    def _get_input_spec_for_instance(self):
        return SPEC


class OwnNames(Good):
    def get_output_names(self, side):
        return []

    def _get_output_names_for_instance(self):
        return ["logits"]


class Outputs(BaseModel):
    """Names its outputs by a spec, as newer releases do."""

    forward = Good.forward
    from_pretrained = Good.from_pretrained

    def get_input_spec(self):
        return {"image": TensorSpec(shape=(1, 3, 8, 8), dtype="float32")}

    def get_output_spec(self):
        return {"logits": TensorSpec()}


class OwnCall(Good):
    forward = torch.nn.Module.forward

    def __call__(self, image):
        return image


class Untold(Good):
    # A built-in whose signature cannot be read, and which is called all the same.
    from_pretrained = classmethod(type)


class NoForward(Good):
    forward = torch.nn.Module.forward


class Instance(Good):
    def from_pretrained(self):
        return self


class Static(Good):
    @staticmethod
    def from_pretrained():
        return Static()


class Bare(Good):
    @classmethod
    def from_pretrained(cls, weights, *, side):
        return cls()


class Unsized(Good):
    def get_input_spec(self, side):
        return SPEC


class Lacking(BaseModel):
    get_output_names = Good.get_output_names


def why(refused: pytest.ExceptionInfo[Refusal]) -> str:
    return str(refused.value.facts["why"])


@pytest.mark.parametrize("model", [Good, OwnSpec, OwnNames, Outputs, OwnCall])
def test_a_model_that_keeps_the_contract_passes(model):
    built = only_model([model])()

    assert check_model(built, model, CONTRACT) is built


def test_of_a_class_and_its_base_the_class_is_the_model():
    assert only_model([Good, OwnSpec]) is OwnSpec


def test_a_method_that_does_not_tell_its_arguments_is_not_refused():
    assert only_model([Untold]) is Untold


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([], "model.py does not define a subclass of BaseModel"),
        ([OwnSpec, Bare], "model.py defines 2 subclasses of BaseModel instead of one: OwnSpec, Bare"),
        ([Lacking], "class Lacking does not define from_pretrained, get_input_spec"),
        ([Instance], "Instance.from_pretrained is not a classmethod"),
        ([Static], "Static.from_pretrained is not a classmethod"),
        ([Bare], "Bare.from_pretrained has no default for weights, side"),
    ],
)
def test_a_class_that_cannot_be_built_says_why(classes, expected):
    with pytest.raises(Refusal) as refused:
        only_model(classes)

    assert why(refused) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (None, "from_pretrained() returned None; return the model itself, a Good"),
        (
            torch.nn.Identity(),
            "from_pretrained() returned an object of type Identity; return the model itself, a Good",
        ),
        (NoForward(), "class Good does not define forward"),
        (Unsized(), "Good.get_input_spec has no default for side"),
    ],
)
def test_what_is_no_model_is_named(model, expected):
    with pytest.raises(Refusal) as refused:
        check_model(model, Good, CONTRACT)

    assert why(refused) == expected


@pytest.mark.parametrize(
    "spec",
    [
        None,
        [((1, 3, 8, 8), "float32")],
        {"image": (5, "float32")},
        {"image": (1, 3, 8, 8)},
        {"image": 7},
        {"image": ("x" * 100_000, "float32")},
    ],
)
def test_a_spec_of_another_form_is_told_the_form(spec):
    model = Good()
    model.spec = spec

    with pytest.raises(Refusal) as refused:
        check_model(model, Good, CONTRACT)

    assert "return {name: (shape, dtype)}" in why(refused)
    assert len(why(refused)) < 300


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"a": SPEC["image"], "b": SPEC["image"]},
        {"image": ((1, 3, 9, 9), "float32")},
        {"image": ((1, 3, 8, 8), "int32")},
        {"image": ((1, 3, 8, 8), torch.float32)},
        {"x" * 100_000: (("x" * 100_000,), "y" * 100_000)},
    ],
)
def test_a_spec_of_other_inputs_is_told_the_tracks(spec):
    model = Good()
    model.spec = spec

    with pytest.raises(Refusal) as refused:
        check_model(model, Good, CONTRACT)

    assert "this track" in why(refused)
    assert len(why(refused)) < 500


@pytest.mark.parametrize("names", [None, "logits", [3], [""], [], ["a", "b"], ["x" * 100_000, 3]])
def test_other_than_one_output_name_is_refused(names):
    model = Good()
    model.names = names

    with pytest.raises(Refusal) as refused:
        check_model(model, Good, CONTRACT)

    assert why(refused).startswith("get_output_names() returns ")
    assert len(why(refused)) < 200


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ((), (PIXELS - MEAN) / STD),
        ((False,), (PIXELS - MEAN) / STD),
        ((False, False), PIXELS),
        ((True,), 2 * PIXELS - 1),
        ((True, False), PIXELS * STD / 0.5 + (MEAN - 0.5) / 0.5),
    ],
)
def test_an_image_classifier_brings_pixels_to_what_its_network_takes(switches, expected):
    found = ImagenetClassifier(torch.nn.Identity(), *switches)(PIXELS)

    torch.testing.assert_close(found, expected)


def test_torchvisions_own_transform_gives_the_same():
    declare_missing_operators()
    from torchvision.models import Inception3

    network = Inception3(transform_input=True, init_weights=False)

    found = ImagenetClassifier(torch.nn.Identity(), transform_input=True, normalize_input=False)(PIXELS)

    torch.testing.assert_close(found, network._transform_input(PIXELS))


def test_settings_for_devices_are_named_as_without_effect():
    class Set(Good):
        def get_hub_litemp_percentage(self, precision):
            return 10

        @staticmethod
        def get_channel_last_inputs():
            return ["image"]

    assert without_effect(Set) == ["get_channel_last_inputs", "get_hub_litemp_percentage"]
    assert without_effect(Good) == []


def test_both_tables_of_the_library_agree():
    modules = {theirs: import_module(f"{qaihub.__name__}.{ours}") for theirs, ours in qaihub.MODULES.items()}

    assert {theirs: set(module.__all__) for theirs, module in modules.items()} == PROVIDED


@pytest.mark.parametrize("name", SUPPLIED)
def test_a_base_defines_what_it_is_said_to(name):
    places = [theirs for theirs, names in PROVIDED.items() if name in names]
    base = getattr(import_module(f"{qaihub.__name__}.{qaihub.MODULES[places[0]]}"), name)

    defined = {
        method
        for method in METHODS
        if any(
            getattr_static(base, name) is not getattr_static(BaseModel, name)
            for name in (method, *INSTEAD.get(method, ()))
        )
    }

    assert defined == SUPPLIED[name]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "from qai_hub_models.models.templates.yolo.model import Yolo",
            "bring the library's file in the entry",
        ),
        (
            "from qai_hub_models.models.net.external_repos.own import x",
            "external_repos is not in the entry, and nothing is cloned here",
        ),
        ("from qai_hub_models.utils.input_spec import load", "it provides BboxFormat"),
        (
            "from qai_hub_models.datasets.imagenet import D; D()",
            "D of AI Hub Models has no part in running a model",
        ),
        ("from qai_hub_models.models.other.app import App", "as qai_hub_models.models.net"),
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
