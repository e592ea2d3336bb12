"""Captures a module as a graph: `torch.export` follows it, and what it ran is written down operator by operator.

Followed is what `forward` does to a stand-in for a batch of any size. numpy, OpenCV and branches on values
cannot be followed; then there is no graph, and `NotCaptured` says why in words for the entrant.
"""

from __future__ import annotations

import logging
import operator
import re
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import torch
from torch import fx, nn
from torch.export.graph_signature import InputKind

from scoring.sandboxed.failures import one_line
from scoring.sandboxed.graph.document import LOOSE, Graph, InvalidGraph, Node, OnDevice, Value, Weight
from scoring.sandboxed.graph.module import INPUT, MASKS, PROCESSOR, leaves
from scoring.sandboxed.graph.operators import ARITHMETIC, BY_MASK, UnknownOperator, check_call, resolve
from scoring.sandboxed.graph.script import Unplayable, without_scripts
from scoring.sandboxed.lean_import import absent

# Now, and not within the first export: it takes longer than the export. redis is for caches of kernels.
with absent("redis"):
    import torch.export._trace

EXAMPLES: Final = 2
"""A batch of one would be taken for a constant."""
_CHECKS: Final = frozenset(
    {
        "aten::_assert_async",
        "aten::_assert_scalar",
        "aten::_assert_tensor_metadata",
        "aten::_functional_assert_async",
        "aten::sym_constrain_range",
        "aten::sym_constrain_range_for_size",
    }
)
"""They look and return nothing; the graph is compared with the module instead."""
_WEIGHTS: Final = frozenset({InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR})
_IN_WORDS: Final = (
    (re.compile(r"data-dependent|GuardOnDataDependent|\bu\d+\b"), "forward() branches on a tensor's values"),
    (re.compile(r"\.numpy\(\)|numpy"), "forward() leaves torch for numpy"),
)


class NotCaptured(Exception):
    """There is no graph of this module; the text says why."""


def capture(module: nn.Module, example: torch.Tensor | None, fixed: torch.Tensor, *, seconds: float) -> Graph:
    """Return the graph of a module that answers a batch with a tensor; raise `NotCaptured` if there is none.

    The graph takes any batch if it can, for which `example` holds `EXAMPLES` samples; else, or where
    there is no `example`, only that of `fixed`. Gives up after `seconds` of processor time: a busy
    machine costs nobody a graph.
    """
    try:
        with _at_most(seconds), _quietly():
            return _widest(without_scripts(module), example, fixed)
    except Unplayable as exc:
        raise NotCaptured(str(exc)) from exc
    except _TooLong:
        raise NotCaptured(
            f"following forward() took longer than {seconds:.0f} seconds of processor time"
        ) from None


def _widest(module: nn.Module, example: torch.Tensor | None, fixed: torch.Tensor) -> Graph:
    if example is not None:
        try:
            return _captured(module, example, batch=None)
        except NotCaptured:
            # What it cannot do for any batch it may do for one.
            pass
    return _captured(module, fixed, batch=len(fixed))


def _captured(module: nn.Module, example: torch.Tensor, *, batch: int | None) -> Graph:
    shapes = None if batch else ({0: torch.export.Dim.DYNAMIC},)
    try:
        with torch.no_grad():
            program = torch.export.export(module, (example,), dynamic_shapes=shapes, strict=False)
        if batch is None:
            _require_rows(program)
        return _Writer(program).graph(batch)
    except (InvalidGraph, UnknownOperator, Unplayable) as exc:
        raise NotCaptured(str(exc)) from exc
    # The entry's code runs here, and raises what it likes.
    except Exception as exc:
        raise NotCaptured(_why(exc)) from exc


def _require_rows(program: torch.export.ExportedProgram) -> None:
    """Refuse to write an answer of so many rows for any batch, as of `x.view(1, 3, -1)`: it mixes samples."""
    answers = program.graph_signature.user_outputs
    for node in program.graph.nodes:
        value = node.meta.get("val")
        rows = value.shape[:1] if node.name in answers and isinstance(value, torch.Tensor) else ()
        if any(isinstance(count, int) for count in rows):
            raise InvalidGraph("its answer has the same number of rows for any batch")


def _why(exc: Exception) -> str:
    text = f"{type(exc).__name__}: {exc}"
    for pattern, words in _IN_WORDS:
        if pattern.search(text):
            return words
    return f"torch.export cannot follow it: {one_line(exc)}"


class _Writer:
    """Writes an exported program down, the regions that it calls in place of the calls."""

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        self._program = program
        self._tensors: Mapping[str, Any] = {**program.state_dict, **program.constants}
        self._weights: dict[str, torch.Tensor] = {}
        self._same: dict[tuple[object, ...], str] = {}
        self._nodes: list[Node] = []

    def graph(self, batch: int | None) -> Graph:
        """Return the graph; raise `InvalidGraph` or `UnknownOperator` for what it must not do."""
        specs = self._program.graph_signature.input_specs
        module = self._program.graph_module
        given = [self._input(spec.kind, spec.target, spec.arg.name) for spec in specs]
        answer = self._inline(module, given, None)
        while isinstance(answer, (list, tuple)) and len(answer) == 1:
            answer = answer[0]
        if not isinstance(answer, Value):
            raise InvalidGraph("its answer is not one tensor that depends on the input")
        used = {each.name for node in self._nodes for each in leaves(node) if isinstance(each, Weight)}
        weights = {name: tensor for name, tensor in self._weights.items() if name in used}
        return Graph(nodes=self._nodes, weights=weights, output=answer.number, batch=batch)

    def _input(self, kind: InputKind, target: str | None, name: str) -> Any:
        if kind is InputKind.USER_INPUT:
            return Value(INPUT)
        if kind in _WEIGHTS and target is not None and isinstance(self._tensors.get(target), torch.Tensor):
            loose = LOOSE if kind is InputKind.CONSTANT_TENSOR else ""
            return self._weight(f"{loose}{target}", self._tensors[target])
        raise InvalidGraph(f"it holds {name}, which is not a tensor")

    def _weight(self, name: str, tensor: torch.Tensor) -> Weight:
        """Keep one copy of what several names stand for."""
        if tensor.layout is not torch.strided or tensor.is_quantized:
            raise InvalidGraph(f"{name} is a sparse or quantised tensor")
        place = (
            tensor.untyped_storage().data_ptr(),
            tensor.storage_offset(),
            tensor.shape,
            tensor.stride(),
            tensor.dtype,
        )
        known = self._same.setdefault(place, name)
        self._weights.setdefault(known, tensor)
        return Weight(known)

    def _inline(self, module: fx.GraphModule, given: list[Any], cast: torch.dtype | None) -> Any:
        """Write the nodes of a region; return what it returns."""
        known: dict[fx.Node, Any] = {}
        waiting = iter(given)
        for node in module.graph.nodes:
            if node.op == "placeholder":
                known[node] = next(waiting)
            elif node.op == "get_attr":
                known[node] = self._attribute(module, node.target)
            elif node.op == "call_function":
                known[node] = self._call(node, known, cast)
            elif node.op == "output":
                return _mapped(node.args[0], known)
        raise InvalidGraph("it has no output")

    def _attribute(self, module: fx.GraphModule, name: str) -> Any:
        found = operator.attrgetter(name)(module)
        return self._weight(f"{LOOSE}{name}", found) if isinstance(found, torch.Tensor) else found

    def _call(self, node: fx.Node, known: dict[fx.Node, Any], cast: torch.dtype | None) -> Any:
        args, kwargs = _mapped(node.args, known), _mapped(node.kwargs, known)
        target = node.target
        if isinstance(target, torch._ops.HigherOrderOperator):
            return self._region(target.name(), list(args), cast)
        if isinstance(target, torch._ops.OpOverload):
            if target._schema.name in _CHECKS:
                return None
            name = f"{target._schema.name}.{target._overloadname}"
        else:
            name = getattr(target, "__name__", "")
            if name not in ARITHMETIC:
                raise InvalidGraph(f"it calls {name or target}")
        if name == "getitem" and isinstance(args[0], (list, tuple)):
            return args[0][args[1]]
        if name in BY_MASK and any(_is_mask(each) for each in node.all_input_nodes[1:]):
            raise InvalidGraph("forward() picks values by a mask, and how many those are depends on values")
        check_call(resolve(name), args, kwargs)
        self._nodes.append(Node(operator=name, args=args, kwargs=kwargs, autocast=cast))
        return Value(len(self._nodes))

    def _region(self, name: str, args: list[Any], cast: torch.dtype | None) -> Any:
        """Write what a region does that only switches something on or off: gradients, or narrower types."""
        if name == "wrap_with_set_grad_enabled":
            _, inner, *given = args
        elif name == "wrap_with_autocast":
            device, dtype, enabled, _, inner, *given = args
            if device == PROCESSOR:
                cast = (dtype or torch.bfloat16) if enabled else None
        elif name == "tag_activation_checkpoint":
            inner, *given = args
        else:
            raise InvalidGraph(f"it uses {name}")
        return self._inline(inner, given, cast)


def _is_mask(node: fx.Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, torch.Tensor) and value.dtype in MASKS


def _mapped(arg: Any, known: Mapping[fx.Node, Any]) -> Any:
    if isinstance(arg, fx.Node):
        return known[arg]
    if isinstance(arg, (list, tuple)):
        return [_mapped(each, known) for each in arg]
    if isinstance(arg, dict):
        return {name: _mapped(each, known) for name, each in arg.items()}
    if isinstance(arg, slice):
        raise InvalidGraph("a slice stands among its arguments")
    if isinstance(arg, torch.device):
        if arg.type != PROCESSOR:
            raise InvalidGraph(f"forward() moves tensors to {arg}")
        return OnDevice()
    return arg


@contextmanager
def _quietly() -> Iterator[None]:
    """Let torch spell attention out, which it else may run as one operator, and keep its notes to itself."""
    torch.backends.mha.set_fastpath_enabled(value=False)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        torch.backends.mha.set_fastpath_enabled(value=True)


class _TooLong(BaseException):
    """Raised by the alarm; no `except Exception` of the entry's swallows it."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def over(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
