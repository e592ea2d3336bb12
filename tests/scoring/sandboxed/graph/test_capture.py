"""What can be followed is captured and answers alike at any batch; what cannot says why."""

import time
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from scoring.sandboxed.graph.capture import NotCaptured, capture
from scoring.sandboxed.graph.module import GraphModule
from tests.scoring.sandboxed.graph.modules import WIDTH, Answering, graph_of, images


def linear() -> nn.Linear:
    return nn.Linear(3 * 8 * 8, WIDTH)


def without_gradients(m, x):
    with torch.no_grad():
        x = x.flatten(1)
    with torch.enable_grad():
        return m.net(x)


def narrowed(m, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return m.net(x.flatten(1)).float()


def narrowed_elsewhere(m, x):
    with warnings.catch_warnings(action="ignore"), torch.autocast("cuda", dtype=torch.float16):
        return m.net(x.flatten(1))


def steps_of(m, x):
    states, _ = m.net(x.mean(1))
    return states[:, -1, :WIDTH]


FOLLOWED = {
    "linear": (lambda m, x: m.net(x.flatten(1)), {"net": linear()}),
    "convolution": (lambda m, x: m.net(x).mean((2, 3)), {"net": nn.Conv2d(3, WIDTH, 3)}),
    "normalised": (
        lambda m, x: m.net(x).mean((2, 3)),
        {"net": nn.Sequential(nn.Conv2d(3, WIDTH, 3), nn.BatchNorm2d(WIDTH))},
    ),
    "dropout": (lambda m, x: m.net(x.flatten(1)), {"net": nn.Sequential(nn.Dropout(), linear())}),
    "attention": (
        lambda m, x: m.net(*[x.flatten(2).mT] * 3)[0].mean(1),
        {"net": nn.MultiheadAttention(WIDTH, 1, batch_first=True)},
    ),
    "recurrent": (steps_of, {"net": nn.LSTM(8, 8, batch_first=True)}),
    "reshaped by its batch": (lambda m, x: x.reshape(x.shape[0], 3, -1).mean(2), {}),
    "by places": (lambda m, x: x.flatten(1)[:, m.places], {"places": torch.tensor([3, 1, 2])}),
    "no gradients": (without_gradients, {"net": linear()}),
    "autocast": (narrowed, {"net": linear()}),
    "autocast elsewhere": (narrowed_elsewhere, {"net": linear()}),
    "checkpoint": (lambda m, x: checkpoint(m.net, x.flatten(1), use_reentrant=False), {"net": linear()}),
    "Fourier": (lambda m, x: torch.fft.rfft2(x).abs().mean((2, 3)), {}),
    "in place": (lambda m, x: x.clone().mul_(2).add_(1).mean((2, 3)), {}),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_graph_answers_as_its_module_at_every_batch(name: str) -> None:
    forward, parts = FOLLOWED[name]
    module = Answering(forward, **parts).eval()

    graph = graph_of(forward, **parts)
    followed = GraphModule(graph)

    assert graph.batch is None
    for batch in (1, 2, 5):
        with torch.no_grad():
            assert torch.allclose(followed(images(batch)), module(images(batch)), atol=1e-5)


def through_numpy(m, x):
    return torch.from_numpy(np.asarray(x.numpy()).mean((2, 3)))


def by_values(m, x):
    return x.mean((2, 3)) if x.sum() > 0 else x.amax((2, 3))


REFUSED = {
    "numpy": (through_numpy, "numpy"),
    "a branch on values": (by_values, "branches on a tensor's values"),
    "a value as a number": (lambda m, x: x.mean((2, 3)) * x.sum().item(), "values"),
    "what is found by values": (lambda m, x: x.flatten()[x.flatten() > 0.5][:3].expand(len(x), 3), "values"),
    "random numbers": (lambda m, x: x.mean((2, 3)) + torch.rand(3), "rand"),
    "dropout that drops": (lambda m, x: nn.functional.dropout(x, training=True).mean((2, 3)), "random"),
    "another device": (lambda m, x: x.to("meta").mean((2, 3)), "meta"),
    "no tensor": (lambda m, x: {"logits": x.mean((2, 3)), "more": x}, "one tensor"),
    "an exception": (lambda m, x: x.no_such_thing(), "no_such_thing"),
    "memory as it was found": (lambda m, x: x.mean((2, 3)) + torch.empty(3), "empty"),
    "reinterpreted memory": (lambda m, x: x.as_strided((2, 3), (1, 1)), "as_strided"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_says_why(name: str) -> None:
    forward, words = REFUSED[name]

    with pytest.raises(NotCaptured, match=words):
        graph_of(forward)


def test_a_model_of_one_batch_is_captured_for_that() -> None:
    graph = graph_of(lambda m, x: x.reshape(4, 3, 64).mean(2), batch=4)

    assert graph.batch == 4


def test_a_model_that_mixes_the_samples_of_larger_batches_is_captured_for_one() -> None:
    graph = graph_of(lambda m, x: x.reshape(1, 3, -1).mean(2), batch=1)

    assert graph.batch == 1


def test_weights_that_are_one_are_kept_once() -> None:
    shared = nn.Parameter(torch.rand(192, 192))

    graph = graph_of(lambda m, x: (x.flatten(1) @ m.one @ m.other)[:, :3], one=shared, other=shared)

    assert [weight.shape for weight in graph.weights.values()] == [(192, 192)]


def test_weights_that_do_nothing_are_left_out() -> None:
    graph = graph_of(lambda m, x: m.net(x.flatten(1)), net=linear(), unused=torch.rand(1000))

    assert sum(weight.numel() for weight in graph.weights.values()) == 3 * 8 * 8 * WIDTH + WIDTH


def test_what_takes_too_long_is_given_up() -> None:
    def sleeping(m, x):
        try:
            while True:
                time.monotonic()
        except Exception:
            return x

    with pytest.raises(NotCaptured, match=r"longer than 1 second"):
        capture(Answering(sleeping), images(), images(), seconds=1.0)


def test_a_name_that_ends_in_a_number_is_not_taken_for_a_branch_on_values() -> None:
    with pytest.raises(NotCaptured, match="has no attribute 'relu1'"):
        graph_of(lambda m, x: m.relu1(x))
