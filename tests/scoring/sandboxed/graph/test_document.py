"""A graph survives being written; nothing else that is read is a graph."""

import json
import math
from pathlib import Path

import pytest
import safetensors.torch
import torch

from scoring.sandboxed.graph.document import (
    METADATA,
    Graph,
    InvalidGraph,
    Node,
    OnDevice,
    Value,
    Weight,
    read,
    write,
)

PLAIN = [1, -2.5, True, None, "ij,jk", [1, [2]], torch.float32, torch.channels_last, torch.strided]


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "graph.safetensors"
    path.write_bytes(content)
    return path


def document(tmp_path: Path, raw: object) -> Path:
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return written(tmp_path, safetensors.torch.save({"w": torch.ones(2)}, metadata={METADATA: text}))


def test_a_graph_is_read_as_it_was_written(tmp_path: Path) -> None:
    nodes = [
        Node(operator="aten::add.Tensor", args=[Value(0), Weight("w")], kwargs={"alpha": 2}),
        Node(operator="aten::f", args=[*PLAIN, OnDevice(), [Value(1)]], kwargs={}, autocast=torch.bfloat16),
    ]
    graph = Graph(nodes=nodes, weights={"w": torch.rand(2, 3)}, output=2, batch=7)

    found = read(written(tmp_path, write(graph)))

    assert (found.nodes, found.output, found.batch) == (nodes, 2, 7)
    assert torch.equal(found.weights["w"], graph.weights["w"])


@pytest.mark.parametrize("number", [math.inf, -math.inf, 1 + 2j])
def test_numbers_that_json_has_no_words_for_survive(tmp_path: Path, number: complex) -> None:
    graph = Graph(nodes=[Node(operator="f", args=[number])], weights={}, output=0, batch=None)

    assert read(written(tmp_path, write(graph))).nodes[0].args == [number]


@pytest.mark.parametrize("kind", [torch.complex64, torch.int64, torch.bool, torch.float16])
def test_tensors_keep_their_type(tmp_path: Path, kind: torch.dtype) -> None:
    graph = Graph(nodes=[], weights={"w": torch.ones(2, dtype=kind)}, output=0, batch=None)

    assert read(written(tmp_path, write(graph))).weights["w"].dtype is kind


def test_tensors_that_share_memory_are_written_out(tmp_path: Path) -> None:
    one = torch.arange(6.0)
    graph = Graph(nodes=[], weights={"a": one, "b": one[::2], "c": one[:1].expand(4)}, output=0, batch=None)

    found = read(written(tmp_path, write(graph))).weights

    assert {name: each.tolist() for name, each in found.items()} == {
        "a": [0, 1, 2, 3, 4, 5],
        "b": [0, 2, 4],
        "c": [0] * 4,
    }


@pytest.mark.parametrize("value", [torch.complex128, object(), {"a": 1}, slice(1)])
def test_what_it_has_no_words_for_is_not_written(value: object) -> None:
    with pytest.raises(InvalidGraph):
        write(Graph(nodes=[Node(operator="f", args=[value])], weights={}, output=0, batch=None))


def test_a_tensor_of_a_type_that_graphs_lack_is_not_written() -> None:
    weights = {"w": torch.ones(2, dtype=torch.complex128)}

    with pytest.raises(InvalidGraph, match="complex128"):
        write(Graph(nodes=[], weights=weights, output=0, batch=None))


GOOD = {"version": 1, "batch": None, "output": 1, "nodes": [["aten::relu.default", [{"node": 0}], {}, None]]}
BAD = {
    "not JSON": "{",
    "deep JSON": "[" * 100_000,
    "a list": [],
    "no version": {**GOOD, "version": None},
    "another version": {**GOOD, "version": 2},
    "no nodes": {**GOOD, "nodes": None},
    "a node that is no call": {**GOOD, "nodes": [["aten::relu.default", [{"node": 0}]]]},
    "an operator that is no name": {**GOOD, "nodes": [[1, [], {}, None]]},
    "a value of later": {**GOOD, "nodes": [["aten::relu.default", [{"node": 1}], {}, None]]},
    "a value before the first": {**GOOD, "output": -1},
    "a value that is no number": {**GOOD, "output": True},
    "an output that is not there": {**GOOD, "output": 2},
    "a weight that is not there": {**GOOD, "nodes": [["f", [{"weight": "v"}], {}, None]]},
    "an argument of two kinds": {**GOOD, "nodes": [["f", [{"weight": "w", "node": 0}], {}, None]]},
    "an unknown kind": {**GOOD, "nodes": [["f", [{"code": "import os"}], {}, None]]},
    "an unknown type": {**GOOD, "nodes": [["f", [{"dtype": "complex128"}], {}, None]]},
    "a number that is none": {**GOOD, "nodes": [["f", [{"number": "x"}], {}, None]]},
    "lists in lists": {**GOOD, "nodes": [["f", [[[[[[[[[[[1]]]]]]]]]]], {}, None]]},
    "cast to no type": {**GOOD, "nodes": [["f", [], {}, 5]]},
    "a batch of none": {**GOOD, "batch": 0},
    "a batch that is a truth": {**GOOD, "batch": True},
}


@pytest.mark.parametrize("name", BAD)
def test_whatever_else_is_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidGraph):
        read(document(tmp_path, BAD[name]))


def test_the_good_one_is_read(tmp_path: Path) -> None:
    assert read(document(tmp_path, GOOD)).output == 1


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"\xff" * 64])
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidGraph):
        read(written(tmp_path, content))


def test_too_many_nodes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.sandboxed.graph.document.MAX_NODES", 0)

    with pytest.raises(InvalidGraph, match="1 nodes"):
        read(document(tmp_path, GOOD))


def test_nodes_that_take_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.sandboxed.graph.document.MAX_JSON_BYTES", 10)

    with pytest.raises(InvalidGraph, match="bytes"):
        read(document(tmp_path, GOOD))
