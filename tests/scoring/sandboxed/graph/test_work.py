"""The work of a graph is that of the dearest batch that runs."""

import pytest
import torch
from torch import nn

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
