"""TorchScript is captured as other modules are; what it cannot be played for says why."""

import io
import warnings

import pytest
import torch
from torch import Tensor, nn

from scoring.sandboxed.graph.capture import NotCaptured, capture
from scoring.sandboxed.graph.document import Graph
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.loaders.torch_entry import OneOutput
from tests.scoring.sandboxed.graph.modules import PATIENCE_S, WIDTH, images

BATCH = 4


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Conv2d(3, WIDTH, 3)
        self.weights = [torch.rand(WIDTH), torch.rand(WIDTH)]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        if x.dim() != 4:
            raise ValueError(f"{x.dim()} dimensions")
        if x.shape[2] > 4:
            x = self.net(x)
        sums: list[Tensor] = []
        for weight in self.weights:
            sums.append(x.mean([2, 3]) * weight)
        for place in range(x.shape[2] // 2):
            sums.append(x[:, :, place].mean(2))
        return {"out": torch.stack(sums).sum(0), "aux": x}


class Sizes(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        batch, _, high, wide = x.shape
        x = nn.functional.interpolate(x, scale_factor=0.7, recompute_scale_factor=True)
        x = nn.functional.pad(x, (0, (5 - wide % 5) % 5, 0, 0))
        return x.reshape(batch, 3, -1)[:, :, : high // 2].mean(2) * 2.5


class Steps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.LSTM(8, WIDTH, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        states, (_, _) = self.net(x.mean(1))
        return states[:, -1]


class Attends(nn.Module):
    def __init__(self, *, norm_first: bool) -> None:
        super().__init__()
        self.net = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.mean(1)).mean(1)


class ManyTimes(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        rows: list[Tensor] = []
        for place in range(x.shape[0]):
            rows.append(x[place].mean([1, 2]))
        return torch.stack(rows)


class OneByOne(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(1, 3, 64).mean(2)


class ByValues(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if bool(x.mean() > 0.5):
            return x.mean([2, 3])
        return x.amax([2, 3])


class UntilSmall(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        while bool(x.sum() > 1):
            x = x / 2
        return x.mean([2, 3])


class Remembers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen = self.seen + 1
        return x.mean([2, 3]) + self.seen


class Refuses(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] == 3:
            raise ValueError("no colours")
        return x.mean([2, 3])


class Quantised(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        small = torch.quantize_per_tensor(x, 0.1, 0, torch.quint8)
        return torch.dequantize(small).mean([2, 3])


def scripted(module: nn.Module) -> torch.jit.ScriptModule:
    return saved(torch.jit.script(module.eval()))


def frozen(module: nn.Module) -> torch.jit.ScriptModule:
    return saved(torch.jit.freeze(torch.jit.script(module.eval())))


def traced(module: nn.Module, batch: int = 1) -> torch.jit.ScriptModule:
    with torch.no_grad():
        return saved(torch.jit.trace(module.eval(), images(batch), strict=False))


def saved(script: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    """Return the script as it comes out of a file, where its names are others."""
    buffer = io.BytesIO()
    torch.jit.save(script, buffer)
    buffer.seek(0)
    loaded: torch.jit.ScriptModule = torch.jit.load(buffer)
    return loaded.eval()


def answer_of(answer):  # type: ignore[no-untyped-def]
    return answer["out"] if isinstance(answer, dict) else answer


def graph_of(module: nn.Module, batch: int = BATCH) -> Graph:
    whole = OneOutput(module, answer_of).eval()
    return capture(whole, images(), images(batch), seconds=PATIENCE_S)


MODULES = {
    "branches": Branches,
    "sizes": Sizes,
    "steps": Steps,
    "attention": lambda: Attends(norm_first=False),
    "attention of norms": lambda: Attends(norm_first=True),
    "normalised": lambda: nn.Sequential(
        nn.Conv2d(3, WIDTH, 3, padding="same"),
        nn.BatchNorm2d(WIDTH),
        nn.Dropout(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ),
}
WAYS = {"scripted": scripted, "frozen": frozen, "traced": traced}


@pytest.fixture(autouse=True)
def quiet():  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODULES)
def test_a_graph_answers_as_its_script_at_every_batch(name: str, way: str) -> None:
    torch.manual_seed(0)
    script = WAYS[way](MODULES[name]())

    graph = graph_of(script)

    assert graph.batch is None
    followed = GraphModule(graph)
    for batch in (1, 2, 5):
        with torch.no_grad():
            expected = answer_of(script(images(batch)))
            assert torch.allclose(followed(images(batch)), expected, atol=1e-5)


def test_a_script_inside_another_module_is_captured_too() -> None:
    script = scripted(Steps())

    followed = GraphModule(graph_of(nn.Sequential(nn.Softmax(1), script)))

    with torch.no_grad():
        assert torch.allclose(followed(images(3)), script(images(3).softmax(1)), atol=1e-5)


@pytest.mark.parametrize("module", [OneByOne, ManyTimes])
def test_a_script_for_one_batch_is_captured_for_that_batch(module: type[nn.Module]) -> None:
    batch = 1 if module is OneByOne else BATCH
    script = scripted(module())

    graph = graph_of(script, batch)

    assert graph.batch == batch
    assert torch.allclose(GraphModule(graph)(images(batch)), script(images(batch)), atol=1e-5)


def test_without_an_example_only_the_one_batch_is_captured() -> None:
    graph = capture(scripted(Steps()), None, images(BATCH), seconds=PATIENCE_S)

    assert graph.batch == BATCH


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (ByValues, "branches on a tensor's values"),
        (UntilSmall, "branches on a tensor's values"),
        (Remembers, "changes seen, which the module keeps for later"),
        (Refuses, "the script stops with: no colours"),
        (Quantised, "quantised numbers"),
    ],
)
def test_what_a_graph_cannot_hold_says_why(module: type[nn.Module], why: str) -> None:
    with pytest.raises(NotCaptured, match=why):
        graph_of(scripted(module()))
