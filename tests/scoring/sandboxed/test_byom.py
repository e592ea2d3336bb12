"""Loading a .pt: what runs, what is refused, what batches and numbers reach the model and come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from scoring.contracts import Format, InputContract, Outcome, OutputContract, OutputKind, Request, Task
from scoring.sandboxed.counters.macs import count_macs
from scoring.sandboxed.inputs import FloatBatches
from scoring.sandboxed.loaders import byom
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.measures.byom import hidden_values
from scoring.sandboxed.refusal import Refusal

MEAN, STD = (0.5, 0.25, 0.125), (0.5, 2.0, 4.0)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 4), dtype=np.uint8)
CONTRACT = InputContract(shape=(3, 4, 4), mean=MEAN, std=STD)
PLAIN = InputContract(shape=(3, 4, 4))
MEANS = PIXELS.mean((2, 3)) / 255


class Means(nn.Module):
    """Return the mean of each colour."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


class OneAtATime(nn.Module):
    """Hold a batch of one in a reshape: more samples than that are mixed up."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(1, -1)[:, :3] + x.mean()


class WithConstant(nn.Module):
    """Multiply by a tensor that is neither a parameter nor a buffer."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.hidden = [torch.rand(values)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) * self.hidden[0].sum()


def request(
    options: dict[str, Any] | None = None,
    *,
    contract: InputContract = PLAIN,
    kind: OutputKind = OutputKind.LOGITS,
    width: int = 3,
) -> Request:
    return Request(
        task=Task.MEASURE,
        format=Format.BYOM,
        main="model.pt",
        input=contract,
        output=OutputContract(kind=kind, width=width),
        samples=len(PIXELS),
        batch_size=2,
        threads=1,
        seed=0,
        options={"batch": 1, **(options or {})},
    )


def trace(module: nn.Module, folder: Path, batch: int = 1) -> None:
    torch.jit.trace(module.eval(), torch.rand(batch, 3, 4, 4)).save(folder / "model.pt")


def refusal(folder: Path, asked: Request) -> Refusal:
    with pytest.raises(Refusal) as caught:
        byom.load(folder, asked)
    assert caught.value.outcome is Outcome.LOAD_FAILED
    return caught.value


def normalised() -> np.ndarray:
    mean, std = (np.reshape(values, (3, 1, 1)) for values in (MEAN, STD))
    return (PIXELS / 255 - mean) / std


def test_floats_are_normalised_by_mean_and_standard_deviation_of_each_channel():
    np.testing.assert_allclose(FloatBatches(CONTRACT).convert(PIXELS), normalised(), rtol=1e-5, atol=1e-6)


def test_a_torch_entry_receives_the_same_normalised_floats():
    entry = TorchEntry(Means, request(contract=CONTRACT))

    np.testing.assert_allclose(entry.tensor(PIXELS).numpy(), normalised(), rtol=1e-5, atol=1e-6)


def test_normalisation_follows_the_range():
    contract = InputContract(shape=(3, 4, 4), low=-1.0, high=1.0, mean=MEAN, std=STD)
    mean, std = (np.reshape(values, (3, 1, 1)) for values in (MEAN, STD))

    expected = (PIXELS / 255 * 2 - 1 - mean) / std

    np.testing.assert_allclose(FloatBatches(contract).convert(PIXELS), expected, rtol=1e-5, atol=1e-6)


def test_a_trace_runs(tmp_path):
    trace(Means(), tmp_path)

    rows = byom.load(tmp_path, request()).predict(PIXELS)

    np.testing.assert_allclose(rows, MEANS, rtol=1e-5)


def test_a_script_runs(tmp_path):
    torch.jit.script(Means()).save(tmp_path / "model.pt")

    np.testing.assert_allclose(byom.load(tmp_path, request()).predict(PIXELS), MEANS, rtol=1e-5)


def test_a_trace_that_takes_any_batch_is_fed_whole_ones(tmp_path):
    trace(Means(), tmp_path)
    entry = byom.load(tmp_path, request())

    entry.prepare(PIXELS)

    assert entry.fixed_batch is None


def test_a_trace_that_holds_its_batch_is_fed_in_groups(tmp_path):
    trace(OneAtATime(), tmp_path)
    entry = byom.load(tmp_path, request())

    entry.prepare(PIXELS)
    rows = entry.predict(PIXELS)

    expected = PIXELS.reshape(5, -1)[:, :3] / 255 + PIXELS.mean((1, 2, 3))[:, None] / 255
    assert entry.fixed_batch == 1
    np.testing.assert_allclose(rows, expected, rtol=1e-5)


def test_a_short_group_is_filled_up_and_cut_off(tmp_path):
    trace(Means(), tmp_path, batch=2)
    entry = byom.load(tmp_path, request({"batch": 2}))

    np.testing.assert_allclose(entry.predict(PIXELS), MEANS, rtol=1e-5)


def test_a_confidence_of_two_numbers_is_the_softmax_of_the_second(tmp_path):
    first_two = nn.Sequential(Means(), nn.Linear(3, 2))
    trace(first_two, tmp_path)
    asked = request({"columns": 2}, kind=OutputKind.CONFIDENCE, width=1)

    rows = byom.load(tmp_path, asked).predict(PIXELS)

    weight, bias = (parameter.detach().numpy() for parameter in first_two.parameters())
    powers = np.exp(MEANS @ weight.T + bias)
    np.testing.assert_allclose(rows, powers[:, 1:] / powers.sum(1, keepdims=True), rtol=1e-5)


def test_a_confidence_of_one_number_stays_as_it_is(tmp_path):
    trace(nn.Sequential(Means(), nn.Linear(3, 1)), tmp_path)
    plain = byom.load(tmp_path, request({"columns": 1}, kind=OutputKind.LOGITS, width=1)).predict(PIXELS)

    rows = byom.load(tmp_path, request({"columns": 1}, kind=OutputKind.CONFIDENCE, width=1)).predict(PIXELS)

    np.testing.assert_array_equal(rows, plain)


def test_another_number_of_columns_than_stated_is_refused(tmp_path):
    trace(Means(), tmp_path)
    entry = byom.load(tmp_path, request({"columns": 2}, kind=OutputKind.CONFIDENCE, width=1))

    with pytest.raises(Refusal) as caught:
        entry.predict(PIXELS)

    assert caught.value.outcome is Outcome.WRONG_OUTPUT_KIND


def test_a_state_dict_without_an_architecture_is_refused(tmp_path):
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "model.pt")

    assert "model_info.architecture" in str(refusal(tmp_path, request()).facts["why"])


@pytest.mark.parametrize(
    "name",
    [
        "no_such_model",
        "hf_hub:timm/resnet18",
        "resnet18.hf_hub:x",
        "fasterrcnn_resnet50_fpn",
        "ResNet-18",
        "",
    ],
)
def test_an_unknown_architecture_is_refused(tmp_path, name):
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "model.pt")

    assert "neither torchvision nor timm" in str(
        refusal(tmp_path, request({"architecture": name})).facts["why"]
    )


def test_a_state_dict_that_does_not_fit_is_refused_with_counts(tmp_path):
    torch.save({"fc.weight": torch.zeros(1, 1), "other": torch.zeros(1)}, tmp_path / "model.pt")

    why = str(refusal(tmp_path, request({"architecture": "squeezenet1_1", "num_classes": 3})).facts["why"])

    # 25 convolutions and the classifier, each with weight and bias.
    assert "torchvision's squeezenet1_1 lacks 52 keys" in why
    assert "does not know 2 keys (fc.weight, other)" in why


def test_a_state_dict_that_fits_is_loaded(tmp_path):
    import torchvision

    model = torchvision.models.squeezenet1_1(num_classes=3).eval()
    torch.save(model.state_dict(), tmp_path / "model.pt")

    entry = byom.load(tmp_path, request({"architecture": "squeezenet1_1", "num_classes": 3}))

    assert torch.equal(entry.module.state_dict()["classifier.1.weight"], model.classifier[1].weight)
    assert entry.fixed_batch is None


@pytest.mark.parametrize("content", [nn.Linear(3, 3), {"model": nn.Linear(1, 1)}])
def test_pickled_modules_are_never_loaded(tmp_path, content):
    torch.save(content, tmp_path / "model.pt")

    assert "never loaded" in str(refusal(tmp_path, request({"architecture": "resnet18"})).facts["why"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([torch.zeros(1)], "but of type list"),
        (torch.zeros(1), "but of type Tensor"),
        ({0: torch.zeros(1)}, "of type int, not text"),
        ({"state_dict": {"a": torch.zeros(1)}, "epoch": 3}, "torch.save(checkpoint['state_dict'], …)"),
        ({"epoch": 3, "model": {"a": torch.zeros(1)}}, "torch.save(checkpoint['model'], …)"),
        ({"a": torch.zeros(1), "epoch": 3}, "'epoch' is of type int"),
    ],
)
def test_what_is_no_plain_state_dict_is_refused(tmp_path, content, told):
    torch.save(content, tmp_path / "model.pt")

    why = str(refusal(tmp_path, request({"architecture": "resnet18"})).facts["why"])

    assert "not a plain state dict" in why
    assert told in why


def test_a_state_of_nothing_lacks_every_key(tmp_path):
    torch.save({}, tmp_path / "model.pt")

    assert "lacks 52 keys" in str(refusal(tmp_path, request(SQUEEZENET)).facts["why"])


def squeezenet_state() -> dict[str, torch.Tensor]:
    import torchvision

    return dict(torchvision.models.squeezenet1_1(num_classes=3).state_dict())


SQUEEZENET = {"architecture": "squeezenet1_1", "num_classes": 3}


@pytest.mark.parametrize("kind", [torch.int8, torch.bool, torch.complex64])
def test_values_that_are_no_floats_do_not_fit_where_floats_are_wanted(tmp_path, kind):
    state = squeezenet_state()
    state["classifier.1.bias"] = state["classifier.1.bias"].to(kind)
    torch.save(state, tmp_path / "model.pt")

    why = str(refusal(tmp_path, request(SQUEEZENET)).facts["why"])

    assert "non-floating-point values for 1 keys (classifier.1.bias)" in why


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_another_size_fit(tmp_path, kind):
    state = squeezenet_state()
    torch.save({name: value.to(kind) for name, value in state.items()}, tmp_path / "model.pt")

    loaded = byom.load(tmp_path, request(SQUEEZENET)).module.state_dict()

    torch.testing.assert_close(loaded["classifier.1.weight"], state["classifier.1.weight"].to(kind).float())


def test_a_state_of_data_parallel_says_what_to_save(tmp_path):
    state = {f"module.{name}": value for name, value in squeezenet_state().items()}
    torch.save(state, tmp_path / "model.pt")

    assert "save model.module.state_dict()" in str(refusal(tmp_path, request(SQUEEZENET)).facts["why"])


def test_weights_hidden_in_constants_are_counted(tmp_path):
    torch.jit.script(WithConstant(400_000)).save(tmp_path / "model.pt")
    module = byom.load(tmp_path, request()).module

    assert 400_000 <= hidden_values(tmp_path / "model.pt", module) < 410_000


@pytest.mark.parametrize("kind", [torch.int8, torch.float16, torch.float32, torch.int64])
def test_narrow_weights_hidden_in_a_list_count_one_by_one(tmp_path, kind):
    class Hiding(Means):
        def __init__(self):
            super().__init__()
            weights = [torch.full((200_000,), number, dtype=kind) for number in range(2)]
            self.hidden = torch.jit.Attribute(weights, list[torch.Tensor])

        def forward(self, x):
            return x.mean((2, 3)) + self.hidden[0][0]

    torch.jit.script(Hiding()).save(tmp_path / "model.pt")
    values = 400_000 * max(kind.itemsize // 4, 1)

    found = hidden_values(tmp_path / "model.pt", byom.load(tmp_path, request()).module)

    assert values <= found < values + 10_000


@pytest.mark.parametrize("kind", [torch.int8, torch.float16])
def test_narrow_weights_that_are_registered_are_not_counted_twice(tmp_path, kind):
    model = Means()
    model.register_buffer("weights", torch.zeros(1_000_000, dtype=kind))
    trace(model, tmp_path)

    assert hidden_values(tmp_path / "model.pt", byom.load(tmp_path, request()).module) == 0


def test_a_few_constants_are_free(tmp_path):
    torch.jit.script(WithConstant(1_000)).save(tmp_path / "model.pt")

    assert hidden_values(tmp_path / "model.pt", byom.load(tmp_path, request()).module) == 0


def test_registered_weights_are_not_counted_twice(tmp_path):
    trace(nn.Sequential(Means(), nn.Linear(3, 300_000)), tmp_path)

    assert hidden_values(tmp_path / "model.pt", byom.load(tmp_path, request()).module) == 0


def test_counters_that_cannot_hook_into_torchscript_do_not_count_as_failed():
    linear = torch.jit.script(nn.Linear(3, 2))

    assert count_macs(linear, [torch.rand(1, 3)]).by_counter == {"dispatch": 6}
