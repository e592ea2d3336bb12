"""Values of a graph: what it stores, and what it unpacks."""

import pytest
import torch
from torch import nn

from scoring.sandboxed.counters.parameters import FREE_VALUES
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.graph.values import FREE_CONSTANTS, count_values, unpacking
from scoring.sandboxed.graph.work import sizes, steady
from tests.scoring.sandboxed.graph.modules import graph_of, images

MANY = 192 * 3000


def values(forward, **parts) -> int:  # type: ignore[no-untyped-def]
    graph = graph_of(forward, **parts)
    module = GraphModule(graph)
    unpacked = steady(module, [images(1), images(1) + 1], unpacking(graph))
    return count_values(graph, sizes(graph, images(1)), unpacked)


def product(m, x, weight):
    return (x.flatten(1) @ weight.reshape(192, -1))[:, :3]


HONEST = {
    "linear": (lambda m, x: m.net(x.flatten(1)), {"net": nn.Linear(192, 3)}, 192 * 3 + 3),
    "double": (
        lambda m, x: product(m, x.double(), m.w).float(),
        {"w": torch.rand(192, 3).double()},
        2 * 192 * 3,
    ),
    "half": (lambda m, x: product(m, x.half(), m.w).float(), {"w": torch.rand(192, 3).half()}, 192 * 3),
    "complex": (
        lambda m, x: product(m, x.to(torch.complex64), m.w).real,
        {"w": torch.rand(192, 3, dtype=torch.complex64)},
        2 * 192 * 3,
    ),
    "a table of positions": (
        lambda m, x: x.mean((2, 3)) + m.table[m.places].sum(0),
        {"table": torch.rand(9, 3), "places": torch.zeros(2401, dtype=torch.int64)},
        27,
    ),
    "a table of places that is laid out first": (
        lambda m, x: x.mean((2, 3)) + m.table[m.places.view(-1).long()].sum(0),
        {"table": torch.rand(9, 3), "places": torch.zeros(600, 600, dtype=torch.int64)},
        27 + 600 * 600,
    ),
    "equal tables of places": (
        lambda m, x: x.mean((2, 3)) + m.table[m.here].sum((0, 1)) + m.table[m.there].sum((0, 1)),
        {
            "table": torch.rand(9, 3),
            "here": torch.zeros(400, 400, dtype=torch.int64),
            "there": torch.zeros(400, 400, dtype=torch.int64),
        },
        27,
    ),
    "standardised": (
        lambda m, x: product(m, x, (m.w - m.w.mean()) / m.w.std()),
        {"w": torch.rand(192, 3)},
        192 * 3,
    ),
    "a grid of positions": (lambda m, x: x.mean((2, 3)) + torch.arange(400.0).sin().sum(), {}, 0),
    "means written into forward": (
        lambda m, x: (x - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)).mean((2, 3)),
        {},
        0,
    ),
    "the same weights, standardised twice": (
        lambda m, x: (
            product(m, x, (m.w - m.w.mean()) / m.w.std()) + product(m, x, (m.w - m.w.mean()) / m.w.std())
        ),
        {"w": torch.rand(192, 3000)},
        MANY,
    ),
    "weights repeated": (lambda m, x: product(m, x, m.w.repeat(1, 1000)), {"w": torch.rand(192, 3)}, 576),
    "zeros to begin with": (lambda m, x: x.mean((2, 3)) + torch.zeros(1, 3, 1000, 1000).sum(), {}, 0),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_weights_count_once(name: str) -> None:
    forward, parts, expected = HONEST[name]

    assert values(forward, **parts) == expected


def shifted(m, x):
    return product(m, x, torch.stack([(m.w >> place) & 255 for place in range(0, 64, 8)]).float())


def floored(m, x):
    return product(m, x, torch.stack([torch.floor(m.w / 256), torch.remainder(m.w, 256)]))


def hidden(m, x):
    return product(
        m, x, torch.stack([torch.floor((m.w + 0 * x.sum()) / 256), torch.remainder(m.w + 0 * x.sum(), 256)])
    )


def reinterpreted(m, x):
    return product(m, x, m.w.view(torch.uint8).float())


def looked_up(m, x):
    return product(m, x, m.table[m.places])


def generated(m, x):
    return product(m, x, torch.arange(float(MANY)).mul(0.618).sin())


def compared(m, x):
    rest, bits = m.w, []
    for place in reversed(range(8)):
        bits.append((rest >= 2**place).float())
        rest = rest - bits[-1] * 2**place
    return product(m, x, torch.stack(bits))


def added(m, x):
    high = (m.w + 2.0**36) - 2.0**36
    return product(m, x, torch.stack([high, m.w - high]))


def used_one_by_one(m, x):
    high = (m.w + 2.0**36) - 2.0**36
    return product(m, x, high) + product(m, x, m.w - high)


def narrowed(m, x):
    return product(m, x, torch.stack([m.w.bfloat16().float(), m.w - m.w.bfloat16().float()]))


def beside_a_size(m, x):
    high = (m.w + x.shape[0] + 2.0**36) - 2.0**36
    return product(m, x, torch.stack([high, m.w - high]))


def compared_beside_the_input(m, x):
    rest = m.w + 0 * x.sum()
    return product(m, x, torch.stack([(rest >= 2**place).float() for place in range(8)]))


UNREGISTERED = torch.rand(MANY)
WHOLE = torch.randint(2**62, (MANY // 8,))
PACKED = {
    "bytes in integers": (shifted, {"w": WHOLE}),
    "bytes in floats": (floored, {"w": torch.rand(MANY // 2) * 65536}),
    "bytes in floats beside the input": (hidden, {"w": torch.rand(MANY // 2) * 65536}),
    "floats read as bytes": (reinterpreted, {"w": torch.rand(MANY // 4)}),
    "places of a table": (looked_up, {"table": torch.rand(256), "places": torch.randint(256, (MANY,))}),
    "bits of floats": (compared, {"w": torch.randint(256, (MANY // 8,)).float()}),
    "bits of floats beside the input": (
        compared_beside_the_input,
        {"w": torch.randint(256, (MANY // 8,)).float()},
    ),
    "floats rounded by sums": (added, {"w": torch.rand(MANY // 2) * 65536}),
    "parts of floats, each as large as they": (used_one_by_one, {"w": torch.rand(MANY // 2) * 65536}),
    "floats rounded by narrower types": (narrowed, {"w": torch.rand(MANY // 2)}),
    "floats rounded beside the batch's size": (beside_a_size, {"w": torch.rand(MANY // 2) * 65536}),
    "rows of a codebook": (
        lambda m, x: product(m, x, m.book[m.places]),
        {"book": torch.rand(256, 12), "places": torch.randint(256, (MANY // 12,))},
    ),
    "thin matrices multiplied": (
        lambda m, x: product(m, x, m.tall @ m.wide),
        {"tall": torch.rand(192, 2), "wide": torch.rand(2, 3000)},
    ),
    "a matrix resized": (
        lambda m, x: product(m, x, nn.functional.interpolate(m.w, (192, 3000), mode="bicubic")),
        {"w": torch.rand(1, 1, 48, 750)},
    ),
    "picked by hashes": (
        lambda m, x: product(m, x, m.w[(torch.arange(MANY) * 2_654_435_761) % 997]),
        {"w": torch.rand(997)},
    ),
    "weights of no weights": (generated, {}),
    "weights that nobody registered": (lambda m, x: product(m, x, UNREGISTERED), {}),
    "integers that are multiplied": (
        lambda m, x: product(m, x, m.w.float()),
        {"w": torch.ones(MANY, dtype=torch.int8)},
    ),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_weights_count_at_least_unpacked(name: str) -> None:
    forward, parts = PACKED[name]

    assert values(forward, **parts) >= MANY > FREE_VALUES


@pytest.mark.parametrize(
    ("numbers", "counted"), [(FREE_CONSTANTS, 0), (FREE_CONSTANTS + 1, FREE_CONSTANTS + 1)]
)
def test_a_few_numbers_that_nobody_registered_are_free(numbers: int, counted: int) -> None:
    constant = torch.rand(numbers)

    assert values(lambda m, x: x.mean((2, 3)) + constant.sum()) == counted


def test_numbers_written_into_the_graph_count() -> None:
    numbers = list(range(FREE_VALUES + 1))
    graph = graph_of(lambda m, x: x.mean((2, 3)))
    padded = type(graph)(
        nodes=[*graph.nodes, type(graph.nodes[0])(operator="f", args=[numbers])],
        weights={},
        output=1,
        batch=None,
    )

    assert count_values(padded, {}, frozenset()) > FREE_VALUES
