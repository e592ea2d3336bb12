"""A graph runs operators of the list alone, and keeps nothing from one batch to the next."""

import importlib
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest
import torch

from scoring.sandboxed.counters.formulas import FORMULAS
from scoring.sandboxed.counters.free_ops import kind_of
from scoring.sandboxed.failures import GraphFailed
from scoring.sandboxed.graph.document import Graph, InvalidGraph, Node, Value, Weight
from scoring.sandboxed.graph.module import GraphModule
from scoring.sandboxed.graph.operators import ARITHMETIC, ATEN, NAMESPACES, UnknownOperator, resolve
from scoring.sandboxed.torchvision_ops import declare_missing_operators


def graph(*nodes: Node, output: int | None = None, **weights: torch.Tensor) -> Graph:
    return Graph(nodes=nodes, weights=weights, output=len(nodes) if output is None else output, batch=None)


def test_values_are_handed_on_and_forgotten_when_nobody_needs_them() -> None:
    seen = []
    module = GraphModule(
        graph(
            Node(operator="aten::relu.default", args=[Value(0)]),
            Node(operator="aten::neg.default", args=[Value(1)]),
            Node(operator="aten::add.Tensor", args=[Value(2), Value(1)], kwargs={"alpha": 3}),
        )
    )

    with module.watched(lambda place, value: seen.append(place)):
        answer = module(torch.tensor([-1.0, 2.0]))

    assert answer.tolist() == [0.0, 4.0]
    assert seen == [1, 2, 3]


@pytest.mark.parametrize(
    "operator",
    [
        "aten::nonzero.default",
        "aten::item.default",
        "aten::rand.default",
        "aten::empty.memory_format",
        "aten::as_strided.default",
        "aten::set_.source_Tensor",
        "aten::from_file.default",
        "aten::masked_select.default",
        "aten::repeat_interleave.Tensor",
        "aten::add.no_such_overload",
        "aten::no_such_operator.default",
        "quantized::linear.default",
        "os::system.default",
        "__import__",
        "getattr",
        "",
    ],
)
def test_operators_that_are_not_on_the_list_are_refused(operator: str) -> None:
    with pytest.raises(InvalidGraph):
        GraphModule(graph(Node(operator=operator, args=[Value(0)])))


@pytest.mark.parametrize("name", sorted(ATEN))
def test_every_operator_on_the_list_exists(name: str) -> None:
    overloads = getattr(torch.ops.aten, name).overloads()
    resolved = 0
    for overload in overloads:
        try:
            resolve(f"aten::{name}.{overload}")
            resolved += 1
        except UnknownOperator:
            pass

    assert resolved > 0


def overloads(namespace: str, names: Iterable[str]) -> Iterator[torch._ops.OpOverload]:
    """Yield what exists here: torchvision's wheel for another build of torch comes without its operators."""
    for name in names:
        packet = getattr(getattr(torch.ops, namespace), name, None)
        for overload in packet.overloads() if packet else ():
            with suppress(UnknownOperator):
                yield resolve(f"{namespace}::{name}.{overload}")


def test_every_operator_on_the_list_can_be_counted() -> None:
    declare_missing_operators()
    importlib.import_module("torchvision")
    uncounted = {
        operator.name()
        for namespace, names in NAMESPACES.items()
        for operator in overloads(namespace, names)
        if torch.Tag.out not in operator.tags
        and not operator.name().endswith("out")
        and operator._schema.name not in FORMULAS
        and kind_of(operator) is None
        and not operator._can_decompose()
    }

    assert uncounted == set()


def test_arithmetic_calls_no_python_of_the_graph_s_choice() -> None:
    assert all(each.__module__ in {"_operator", "math", "torch"} for each in ARITHMETIC.values())


@pytest.mark.parametrize(
    "node",
    [
        Node(operator="aten::dropout.default", args=[Value(0), 0.5, True]),
        Node(operator="aten::dropout.default", args=[Value(0)], kwargs={"p": 0.5, "train": True}),
        Node(
            operator="aten::scaled_dot_product_attention.default",
            args=[Value(0)] * 3,
            kwargs={"dropout_p": 0.1},
        ),
    ],
)
def test_calls_that_draw_random_numbers_are_refused(node: Node) -> None:
    with pytest.raises(InvalidGraph, match="random"):
        GraphModule(graph(node))


def test_picking_by_a_mask_is_refused() -> None:
    module = GraphModule(
        graph(
            Node(operator="aten::gt.Scalar", args=[Value(0), 0]),
            Node(operator="aten::index.Tensor", args=[Value(0), [Value(1)]]),
        )
    )

    with pytest.raises(GraphFailed, match="mask"):
        module(torch.ones(2))


def test_weights_that_are_written_to_are_refused() -> None:
    module = GraphModule(
        graph(Node(operator="aten::add_.Tensor", args=[Weight("w"), Value(0)]), w=torch.ones(2))
    )

    with pytest.raises(GraphFailed, match="weights"):
        module(torch.ones(2))


def test_views_of_weights_that_are_written_to_are_refused() -> None:
    module = GraphModule(
        graph(
            Node(operator="aten::select.int", args=[Weight("w"), 0, 0]),
            Node(operator="aten::mul_.Scalar", args=[Value(1), 2]),
            w=torch.ones(2),
        )
    )

    with pytest.raises(GraphFailed, match="weights"):
        module(torch.ones(2))


def test_a_failure_names_its_operator() -> None:
    module = GraphModule(graph(Node(operator="aten::mm.default", args=[Value(0), Value(0)])))

    with pytest.raises(GraphFailed, match=r"aten::mm\.default"):
        module(torch.ones(2))
