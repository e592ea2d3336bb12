"""The work of a graph is that of the dearest batch that runs."""

import sys

import pytest
import torch
from torch import nn

from scoring.sandboxed.graph import work
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.graph.values import unpacking
from scoring.sandboxed.graph.work import count_work, sizes, steady
from tests.scoring.sandboxed.graph.modules import graph_of, images

PRODUCTS = 3 * 8 * 8 * 3


def test_a_linear_layer_costs_its_weights_a_sample() -> None:
    graph = graph_of(lambda m, x: m.net(x.flatten(1)), net=nn.Linear(192, 3))

    assert count_work(graph, images(), {1, 32}).macs == PRODUCTS


def test_work_that_only_a_larger_batch_does_is_counted() -> None:
    def gated(m, x):
        first = max(2 - x.shape[0], 0)
        return m.net(x[first:].flatten(1)).sum() + x.mean((2, 3))

    graph = graph_of(gated, net=nn.Linear(192, 3), batch=32)

    assert count_work(graph, images(), {graph.batch or 32}).macs >= PRODUCTS


def test_work_that_is_done_once_a_batch_counts_whole_at_a_batch_of_one() -> None:
    graph = graph_of(
        lambda m, x: x.flatten(1) @ (m.one @ m.two), one=torch.rand(192, 50), two=torch.rand(50, 3)
    )

    assert count_work(graph, images(), {1, 8}).macs == 192 * 50 * 3 + PRODUCTS
    assert count_work(graph, images(), {8}).macs == 192 * 50 * 3 // 8 + PRODUCTS


def test_recurrent_cells_are_counted_without_running_them() -> None:
    graph = graph_of(lambda m, x: m.net(x.mean(1))[0][:, -1, :3], net=nn.LSTM(8, 4, batch_first=True))

    assert count_work(graph, images(), {1, 5}).macs == 8 * 4 * (8 + 4) * 4


KINDS = {
    "convolution": (lambda m, x: m.net(x).mean((2, 3)), nn.Conv2d(3, 3, 3)),
    "transposed": (lambda m, x: m.net(x).mean((2, 3)), nn.ConvTranspose2d(3, 3, 2)),
    "depthwise": (lambda m, x: m.net(x).relu().mean((2, 3)), nn.Conv2d(3, 3, 3, groups=3)),
    "linear": (lambda m, x: m.net(x.flatten(1)), nn.Linear(192, 3)),
    "lstm": (lambda m, x: m.net(x.mean(1))[0][:, -1, :3], nn.LSTM(8, 4, batch_first=True)),
    "gru": (lambda m, x: m.net(x.mean(1))[0][:, -1, :3], nn.GRU(8, 4, batch_first=True)),
    "attention": (
        lambda m, x: m.net(*[x.flatten(2).mT] * 3, need_weights=False)[0].mean(1),
        nn.MultiheadAttention(3, 3, batch_first=True),
    ),
    "transformer": (
        lambda m, x: m.net(x.flatten(2).mT).mean(1),
        nn.TransformerEncoderLayer(3, 1, 8, batch_first=True),
    ),
    "normalised": (lambda m, x: nn.functional.gelu(m.net(x)).mean((2, 3)), nn.BatchNorm2d(3)),
    "layer norm": (lambda m, x: m.net(x).mean((2, 3)), nn.LayerNorm(8)),
    "resized": (
        lambda m, x: nn.functional.interpolate(m.net(x), size=(13, 13), mode="bilinear").mean((2, 3)),
        nn.MaxPool2d(2),
    ),
    "transformed": (lambda m, x: torch.fft.rfft2(m.net(x)).abs().mean((2, 3)), nn.Identity()),
    "fused attention": (
        lambda m, x: nn.functional.scaled_dot_product_attention(x, m.net(x), x).mean((2, 3)),
        nn.Softmax(-1),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_running_a_small_graph_counts_what_tensors_without_values_do(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, net = KINDS[kind]
    graph = graph_of(forward, net=net)
    run = count_work(graph, images(), {1, 5}), sizes(graph, images(1))

    monkeypatch.setattr(work, "FEW", -1)

    assert (count_work(graph, images(), {1, 5}), sizes(graph, images(1))) == run


def test_a_large_graph_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(lambda m, x: m.net(x.flatten(1)), net=nn.Linear(192, 3))
    ran: list[torch.device] = []
    monkeypatch.setattr(work, "FEW", PRODUCTS * 31)
    monkeypatch.setattr(
        GraphModule,
        "forward",
        lambda module, x, of=GraphModule.forward: (of(module, x), ran.append(x.device)),
    )

    found = count_work(graph, images(), {32})

    assert (found.macs, ran) == (PRODUCTS, [work.EMPTY])


@pytest.mark.parametrize("hidden", [False, True])
def test_what_no_input_changes_is_found(hidden: bool) -> None:
    def unpacked(m, x):
        packed = m.packed + 0 * x.sum() if hidden else m.packed
        return (x.flatten(1) @ torch.floor(packed / 256)) + torch.floor(x).mean((2, 3))

    graph = graph_of(unpacked, packed=torch.rand(192, 3) * 65536)
    module, places = GraphModule(graph), unpacking(graph)

    found = steady(module, [images(1), images(1) + 1], places)

    assert len(places) == 2
    assert [sizes(graph, images(1))[place] for place in found] == [192 * 3]


def test_counting_without_values_leaves_torch_s_compiler_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(lambda m, x: m.net(x.relu() + 1).mean((2, 3)), net=nn.Conv2d(3, 4, 3))
    monkeypatch.setattr(work, "FEW", 0)
    monkeypatch.setattr(torch, "_dynamo", sys.modules["torch._dynamo"])
    monkeypatch.delitem(sys.modules, "torch._dynamo")

    macs = count_work(graph, images(1), {1, 4}).macs

    assert macs == 4 * 6 * 6 * 27
    assert "torch._dynamo" not in sys.modules
